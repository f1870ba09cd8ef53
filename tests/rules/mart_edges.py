"""What a rule on marts lets pass and what not, beside its planted fault: (rule, what, statements over the good marts, is broken)."""
# ruff: noqa: E501  (one case a line reads as a table)
from __future__ import annotations

LAST_BILL = "bill_no = (select max(bill_no) from staging.stg_marketing__bills)"


def tolerance(rule_id: str, name: str = "tolerance") -> str:
    return f"(select value from staging.quality_parameters where rule_id = '{rule_id}' and name = '{name}')"


def rates(**values: object) -> list[str]:
    return [f"update candidate.mart_two_rates set {', '.join(f'{column} = {value}' for column, value in values.items())} where entity_no = 'A'"]


def churn(score: str, *points: str) -> list[str]:
    columns = ", ".join(f"churn_driver_{number}_points = {value}" for number, value in enumerate(points, start=1))
    return [f"update candidate.mart_churn_risk set churn_score = {score}, {columns} where account_no = 'A'"]


def notice(**values: object) -> list[str]:
    first = "(plan_no, account_no) = (select plan_no, account_no from candidate.mart_outage_notice_compliance order by 1, 2 limit 1)"
    return [f"update candidate.mart_outage_notice_compliance set {', '.join(f'{column} = {value}' for column, value in values.items())} where {first}"]


def manager(**values: object) -> list[str]:
    return [f"update candidate.mart_manager_performance set {', '.join(f'{column} = {value}' for column, value in values.items())}"]


def card(changes: str, level: str = "DIMENSION", dimension: str = "ALL") -> list[str]:
    return [f"update candidate.mart_dq_scorecard set {changes} where (level_code, dimension_code, source_name) = ('{level}', '{dimension}', 'metering')"]


def cluster(changes: str, account: str = "A") -> list[str]:
    return [f"update candidate.mart_load_cluster set {changes} where account_no in ('{account}')"]


NO_INSTANTS = {"n7d_at": "null", "n2d_at": "null", "n12h_at": "null", "n30m_at": "null"}
ONE_COMPLAINT = "ticket_no = (select max(ticket_no) from staging.stg_marketing__tickets)"


NOT_JUDGED = "delete from candidate.mart_outage_notice_compliance where plan_no = 'PL0000000072'"


def checkpoints(column: str, day: str) -> str:
    return f"update staging.notice_checkpoints set {column} = date '{day}'"


def months(changes: str) -> str:
    return f"update staging.mart_parameters set {changes} where parameter_code = 'months_published'"


def moved(planned_at: str) -> str:
    return f"update staging.stg_marketing__outage_plans set planned_start_at = '{planned_at}' where plan_no = 'PL0000000072'"


def complaint(kind: str = "COMPLAINT", subtype: str = "OUTAGE", accepted_at: str = "2026-10-20 12:00+08", account: str = "account_no") -> list[str]:
    """No complaint in the mart, and one ticket."""
    return [
        "update candidate.mart_complaint_vs_quality set outage_complaints = 0",
        f"delete from staging.stg_marketing__tickets where not ({ONE_COMPLAINT})",
        f"update staging.stg_marketing__tickets set ticket_type_code = '{kind}', ticket_subtype_code = '{subtype}', accepted_at = '{accepted_at}',"
        f" account_no = case when '{account}' = 'account_no' then (select min(account_no) from candidate.mart_complaint_vs_quality) else '{account}' end",
    ]


def ticket(accepted_at: str, closed_at: str) -> list[str]:
    """One ticket of the teams, and a mart that counts one open ticket on the business date."""
    return [
        "update candidate.mart_team_load set open_tickets = 1",
        f"delete from staging.stg_marketing__tickets where not ({ONE_COMPLAINT})",
        f"update staging.stg_marketing__tickets set dept_no = 'D', accepted_at = '{accepted_at}', closed_at = {closed_at}",
    ]


def inspection(due: str) -> list[str]:
    """One inspection that is due, and a mart that has one of October."""
    one = "inspection_no = (select max(inspection_no) from {})"
    staged = "staging.stg_marketing__inspections"
    return [
        f"delete from {staged} where not ({one.format(staged)})",
        "delete from candidate.mart_safety_inspection",
        f"insert into candidate.mart_safety_inspection select inspection_no, date '2026-10-01' from {staged}",
        f"update {staged} set due_date = date '{due}'",
    ]


def contract(status: str = "EFFECTIVE", valid_from: str = "2026-11-05") -> list[str]:
    """A contract that the mart does not list."""
    return [
        "insert into staging.stg_contract__contracts select * from staging.stg_contract__contracts limit 1",
        f"update staging.stg_contract__contracts set contract_no = 'UNLISTED', status_code = '{status}', valid_from = date '{valid_from}'"
        " where ctid = (select max(ctid) from staging.stg_contract__contracts)",
    ]


A_POINT = "is_counted_in_account and account_no = (select min(account_no) from candidate.mart_energy_structure)"
A_CURVE = (
    "quantity_code = 'E+' and phase_code = 'T' and reading_date = '2026-11-05' and metering_point_no = (select min(metering_point_no)"
    f" from staging.int_metering_points_as_of where {A_POINT})"
)
A_BILL = "bill_no = (select min(bill_no) from staging.stg_marketing__bills where bill_month = '2026-09-01' and billed_kwh > 0)"


def point(changes: str) -> list[str]:
    """The counted points of an account, valid at another time; curves are of 2026-10-29 to 2026-11-05."""
    return [f"update staging.int_metering_points_as_of set {changes} where {A_POINT}"]


def one_more_curve(changes: str) -> list[str]:
    """A copy of an admitted energy curve, changed."""
    return [
        f"create temporary table copied on commit drop as select * from staging.int_curves_latest where {A_CURVE}",
        f"update copied set {changes}",
        "insert into staging.int_curves_latest select * from copied",
    ]


def advice(account: str = "NO BILL", **values: object) -> list[str]:
    changes = ", ".join(f"{column} = {value}" for column, value in values.items())
    return [f"update candidate.mart_tariff_advice set {changes} where account_no = '{account}'"]


EDGES: list[tuple[str, str, list[str], bool]] = [
    ("MART-07", "a difference of the tolerance", [f"update candidate.mart_key_account_ranking set revenue_12m_cny = revenue_12m_cny + {tolerance('MART-07', 'tolerance_cny')} where cum_share = 1"], False),
    ("MART-07", "a bill of the month that is still open", [f"update staging.stg_marketing__bills set bill_month = date '2026-11-01' where {LAST_BILL}"], True),
    ("MART-07", "a bill of nobody", [f"update staging.stg_marketing__bills set account_no = null where {LAST_BILL}"], True),
    ("MART-08", "a difference of the tolerance", [f"update candidate.mart_key_account_ranking set cum_share = 1 - {tolerance('MART-08')} where cum_share = 1"], False),
    ("MART-09", "0 %", ["update candidate.mart_two_rates_gap set customer_rs_pct = 0"], False),
    ("MART-09", "100 %", ["update candidate.mart_two_rates_gap set customer_rs_pct = 100"], False),
    ("MART-09", "less than 0 %", ["update candidate.mart_two_rates_gap set customer_rs_pct = -0.1"], True),
    ("MART-11", "another total of as many bills", [f"update candidate.mart_payment_behaviour set total_charge_cny = total_charge_cny + 0.01 where {LAST_BILL}"], True),
    ("MART-11", "one bill more of nothing", [f"insert into candidate.mart_payment_behaviour select account_no, 'MORE', issued_date, 0 from candidate.mart_payment_behaviour where {LAST_BILL}"], True),
    ("MART-14", "the sum of its three points", churn("28", "18", "6", "4"), False),
    ("MART-14", "less than their sum", churn("27.9", "18", "6", "4"), True),
    ("MART-14", "no score", churn("null", "18", "6", "4"), True),
    ("MART-14", "a score of 100", churn("100", "18", "6", "4"), False),
    ("MART-14", "a score above 100", churn("100.1", "18", "6", "4"), True),
    ("MART-14", "equal points", churn("31", "6", "6", "6"), False),
    ("MART-14", "a second driver above the first", churn("31", "6", "7", "4"), True),
    ("MART-14", "a third driver above the second", churn("31", "8", "6", "7"), True),
    ("MART-14", "a score without a driver", churn("31", "null", "null", "null"), True),
    ("MART-14", "no score and no driver", churn("0", "null", "null", "null"), False),
    ("MART-15", "a difference of the tolerance", [f"update candidate.mart_service_resource_balance set share_of_visits = 0.25 - {tolerance('MART-15')} where tier_code = 'T3'"], False),
    ("MART-16", "a bill before the month of connection", ["delete from candidate.mart_service_resource_balance where month_start_date <> '2026-10-01'", "update staging.stg_marketing__customers set connect_date = '2026-11-01'"], True),
    ("MART-16", "a bill in the month of connection", ["delete from candidate.mart_service_resource_balance where month_start_date <> '2026-10-01'", "update staging.stg_marketing__customers set connect_date = '2026-10-31'"], False),
    ("MART-20", "a month that was not billed", ["update candidate.mart_tariff_advice set usage_basis_code = 'REGISTER', billed_basic_charge_cny = 1 where account_no = 'A'"], False),
    ("MART-21", "a month that was not billed", ["update candidate.mart_tariff_advice set usage_basis_code = 'REGISTER', billed_total_cny = 1 where account_no = 'A'"], False),
    ("MART-22", "a difference of the tolerance", [f"update candidate.mart_energy_structure set deep_share = {tolerance('MART-22')}"], False),
    ("MART-24", "another saving of the mode than the advice on tariffs", ["update candidate.mart_saving_advice set saving_cny = 228999.99 where advice_code = 'MODE_SWITCH'"], True),
    ("MART-24", "a saving of an account without advice on tariffs", ["insert into candidate.mart_saving_advice values ('C', '2026-10-01', 'PF_UP', 1)"], True),
    ("MART-24", "a saving of a month without advice on tariffs", ["insert into candidate.mart_saving_advice values ('A', '2026-09-01', 'PF_UP', 1)"], True),
    ("MART-24", "two accounts of which one saves more than the other pays", ["update candidate.mart_tariff_advice set total_charge_cny = 200 where account_no = 'B'", "update candidate.mart_saving_advice set saving_cny = 100 where account_no = 'B'"], False),
    ("MART-25", "a difference of the tolerance", [f"update candidate.mart_energy_structure set energy_kwh = energy_kwh + {tolerance('MART-25', 'tolerance_kwh')}"], False),
    ("MART-25", "a point that began on the day of its first curve", point("valid_from = date '2026-10-29'"), False),
    ("MART-25", "a point that began after its first curve", point("valid_from = date '2026-10-30'"), True),
    ("MART-25", "a point that ended after its last curve", point("valid_to = date '2026-11-06'"), False),
    ("MART-25", "a point that ended on the day of its last curve", point("valid_to = date '2026-11-05'"), True),
    ("MART-25", "energy of one phase", one_more_curve("phase_code = 'A'"), False),
    ("MART-25", "a curve of the first published month", one_more_curve("reading_date = date '2026-09-01'"), True),
    ("MART-25", "a curve of the month before", one_more_curve("reading_date = date '2026-08-31'"), False),
    ("MART-26", "a difference of the tolerance", [f"update candidate.mart_tariff_advice set energy_kwh = energy_kwh + {tolerance('MART-26', 'tolerance_kwh')}"], False),
    ("MART-26", "a bill of the month that is still open", [f"update staging.stg_marketing__bills set bill_month = date '2026-11-01' where {A_BILL}"], True),
    ("MART-26", "a bill of nobody", [f"update staging.stg_marketing__bills set account_no = null where {A_BILL}"], True),
    ("MART-26", "no energy as by a bill that nobody has", advice(usage_basis_code="'BILL'", energy_kwh=0), True),
    ("MART-26", "no energy told", advice(usage_basis_code="'BILL'", energy_kwh="null"), False),
    *(
        ("MART-30", f"a plan of 10 June without its accounts, {when}", [NOT_JUDGED, *statements], is_broken)
        for when, statements, is_broken in (
            ("whose notices are due from that day on", [checkpoints("valid_from", "2026-06-10")], True),
            ("whose notices are due from the next day on", [checkpoints("valid_from", "2026-06-11")], False),
            ("whose notices are due to that day", [checkpoints("valid_to", "2026-06-11")], True),
            ("whose notices were due to the day before", [checkpoints("valid_to", "2026-06-10")], False),
            ("where no notices of planned ones are due", ["delete from staging.notice_checkpoints where plan_kind_code = 'PLANNED'"], False),
            ("where no month is published", ["delete from staging.mart_parameters where parameter_code = 'months_published'"], False),
            ("with months published from today on", [months("valid_from = date '2026-11-05'")], True),
            ("with months published from tomorrow on", [months("valid_from = date '2026-11-06'")], False),
            ("with months published to today", [months("valid_to = date '2026-11-06'")], True),
            ("with months published to yesterday", [months("valid_to = date '2026-11-05'")], False),
            ("with six months published", [months("number_value = 6")], True),
            ("with five months published", [months("number_value = 5")], False),
            ("moved to the first of six months", [months("number_value = 6"), moved("2026-06-01 00:00+08")], True),
            ("moved to the month after", [moved("2026-12-01 00:00+08")], False),
            ("of accounts that were none of the key accounts of June", [
                "truncate staging.int_key_accounts_ranked_by_month",
                "insert into staging.int_key_accounts_ranked_by_month (account_no, ranking_month, is_key_account) select account_no, month::date, month::date <> '2026-06-01'"
                " from staging.int_key_accounts cross join unnest(array['2026-05-01', '2026-06-01']) as month"], False),
            ("where another parameter than the published months is 13", [
                "delete from staging.mart_parameters where parameter_code = 'months_published'",
                "update staging.mart_parameters set number_value = 13 where parameter_code = 'unit_silent_factor'"], False),
        )
    ),
    ("MART-31", "an interruption that is not counted, without a verdict", notice(is_counted="false", all_ok="null", answered_notices=3, n7d_at="null"), False),
    ("MART-31", "a counted one, without a verdict", notice(all_ok="null", answered_notices=3, n7d_at="null"), True),
    ("MART-31", "good with a notice too few", notice(answered_notices=3, n7d_at="null"), True),
    ("MART-31", "not good with all notices", notice(all_ok="false"), True),
    ("MART-31", "four answered without their times", notice(**NO_INSTANTS), True),
    ("MART-32", "another number of customers", ["update candidate.mart_two_rates set nt = 3 where entity_kind_code = 'ORGANISATION'"], True),
    ("MART-32", "another number of interruptions", ["update candidate.mart_two_rates set customer_interruptions = 2 where entity_kind_code = 'ORGANISATION'"], True),
    ("MART-32", "minutes that differ by a millionth an account", ["update candidate.mart_two_rates set customer_minutes = 20.666668 where entity_kind_code = 'ORGANISATION'"], False),
    ("MART-32", "minutes that differ by more", ["update candidate.mart_two_rates set customer_minutes = 20.666669 where entity_kind_code = 'ORGANISATION'"], True),
    ("MART-32", "another side", ["update candidate.mart_two_rates set side_code = 'SUPPLY', nt = 3 where entity_kind_code = 'ORGANISATION'", "update candidate.mart_two_rates set side_code = 'SUPPLY'"], False),
    ("MART-32", "accounts of no organisation", ["update candidate.mart_two_rates set org_no = null, nt = 3 where entity_kind_code = 'ORGANISATION'", "update candidate.mart_two_rates set org_no = null"], False),
    ("MART-33", "a share of 1", rates(asai=1), False),
    ("MART-33", "a share above 1", rates(asai=1.001), True),
    ("MART-33", "a share below 0", rates(cemi_share=-0.001), True),
    ("MART-35", "no ticket of the month", complaint(accepted_at="2026-09-30 23:59+08"), False),
    ("MART-35", "a complaint at the beginning of the month", complaint(accepted_at="2026-10-01 00:00+08"), True),
    ("MART-35", "a complaint at the end of the month", complaint(accepted_at="2026-10-31 23:59+08"), True),
    ("MART-35", "a complaint of the month after", complaint(accepted_at="2026-11-01 00:00+08"), False),
    ("MART-35", "a fault", complaint(kind="FAULT"), False),
    ("MART-35", "a complaint of power quality", complaint(subtype="POWER_QUALITY"), True),
    ("MART-35", "a complaint of something else", complaint(subtype="BILLING"), False),
    ("MART-35", "a complaint of an account that is not in the mart", complaint(account="NOBODY"), False),
    ("MART-35", "a complaint of an account that is in another month of the mart", [
        *complaint(account="NOBODY"), "insert into candidate.mart_complaint_vs_quality values ('NOBODY', '2026-09-01', 0, 0)"], False),
    ("MART-40", "a ticket of the business date and one after it", [
        "delete from staging.stg_marketing__tickets where ticket_no not in (select ticket_no from staging.stg_marketing__tickets order by 1 desc limit 2)",
        f"update staging.stg_marketing__tickets set accepted_at = case when {ONE_COMPLAINT} then timestamptz '2026-11-06 00:00+08' else timestamptz '2026-11-05 23:59+08' end",
        "delete from candidate.mart_ticket_sla", "insert into candidate.mart_ticket_sla values ('T-1', '2026-11-01')"], False),
    ("MART-41", "a ticket that is open", ticket("2026-11-05 23:59+08", "null"), False),
    ("MART-41", "a ticket of the day after", ticket("2026-11-06 00:00+08", "null"), True),
    ("MART-41", "a ticket that was closed on the day", ticket("2026-11-01 12:00+08", "'2026-11-05 12:00+08'"), True),
    ("MART-41", "a ticket that is closed later", ticket("2026-11-01 12:00+08", "'2026-11-06 00:00+08'"), False),
    ("MART-42", "a total that is not that of its parts", ["update candidate.mart_connection_funnel set total_working_days = 41"], True),
    ("MART-42", "an application without stages", ["update candidate.mart_connection_funnel set application_no = 'B'"], True),
    ("MART-44", "a score of 0", manager(score=0), False),
    ("MART-44", "a score of 100", manager(score=100), False),
    ("MART-44", "a score below 0", manager(score=-0.01), True),
    ("MART-44", "a score above 100", manager(score=100.01), True),
    ("MART-44", "weights of 0.998", manager(weight_sum=0.998), True),
    ("MART-44", "no weights", manager(weight_sum="null"), True),
    ("MART-44", "a dimension that is missing", manager(missing_dimensions="'ETHICS'"), True),
    ("MART-45", "an inspection due on the first of the month", inspection("2026-10-01"), False),
    ("MART-45", "an inspection due on the last of the month", inspection("2026-10-31"), False),
    ("MART-45", "an inspection due the month after", inspection("2026-11-01"), True),
    ("MART-34", "an outage before the collection of the month", ["insert into warehouse.fct_outages_matched values ('A', '2026-10-31')"], False),
    ("MART-50", "points of one kind only", ["update candidate.mart_metering_integrity set valid_points = 192, estimated_points = 0, missing_points = 0, outage_points = 0"], False),
    ("MART-50", "a point too few", ["update candidate.mart_metering_integrity set missing_points = 29"], True),
    ("MART-50", "points below 0 that add up", ["update candidate.mart_metering_integrity set missing_points = -4, outage_points = 38"], True),
    ("MART-51", "another sum of the dimensions", card("defect_cnt = 2", dimension="validity"), True),
    ("MART-51", "a score of 0", card("score = 0"), False),
    ("MART-51", "a score below 0", card("score = -0.01"), True),
    ("MART-51", "a score of 1", card("score = 1"), False),
    ("MART-51", "a score above 1", card("score = 1.01"), True),
    ("MART-51", "defects of an organisation by dimension, which are no dimension's", [
        "update candidate.mart_dq_scorecard set defect_cnt = 0 where level_code = 'ORGANISATION' and defect_cnt = 1",
        "insert into candidate.mart_dq_scorecard values ('ORGANISATION', 'validity', 'metering', 1, null)"], False),
    ("MART-53", "a contract that begins today", contract(), True),
    ("MART-53", "a contract that begins tomorrow", contract(valid_from="2026-11-06"), False),
    ("MART-53", "a draft", contract(status="DRAFT"), False),
    ("MART-60", "no cluster and no reason", cluster("no_cluster_code = null", "C"), True),
    ("MART-60", "a cluster and a reason", cluster("no_cluster_code = 'TOO_FEW_DAYS'"), True),
    ("MART-60", "fewer accounts than there are", cluster("cluster_accounts = 1"), True),
    ("MART-60", "more accounts than there are", cluster("cluster_accounts = 3"), True),
    ("MART-60", "a cluster beyond their number", cluster("cluster_no = 2", "A', 'B"), True),
]  # fmt: skip
