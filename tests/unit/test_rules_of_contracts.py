"""The rules that contracts imply, as SQL text: no database is needed to see what a declaration becomes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from include.contracts import Table, all_tables
from include.contracts.declarations import (
    Child,
    Condition,
    Crowd,
    Equation,
    Order,
    Period,
    RecordIdentity,
    Repeat,
    Sharing,
)
from include.quality.base_rules import load_base_rules
from include.quality.condition_rules import condition_check, condition_rule
from include.quality.copy_rules import copy_rule
from include.quality.crowding_rules import crowding_rule
from include.quality.equation_rules import equation_check, equation_rule
from include.quality.made_rules import Check, checked_rule
from include.quality.meaning_rules import bound_day, meaning_rule, spelled
from include.quality.period_rules import period_rule
from include.quality.reference_rules import reference_rule
from include.quality.referred_rows import ReferredRows, day_of, in_force_on, local_day, reference_by
from include.quality.repeat_rules import repeat_rule
from include.quality.sharing_rules import sharing_rule
from include.quality.time_rules import chain_checks, is_after, time_rule

TABLES = all_tables()


def rows(name: str) -> ReferredRows:
    return ReferredRows(TABLES[name])


# -- the row that a row refers to


def test_an_own_column_needs_no_join_and_one_of_a_row_referred_to_is_joined_once():
    bills = rows("mkt_penalty")
    assert (bills.value("from_date"), bills.joins) == ("raw.from_date", [])
    assert (bills.value("bill_no.due_on"), bills.value("bill_no.issued_on")) == (
        "of_bill_no.due_on",
        "of_bill_no.issued_on",
    )
    (join,) = bills.joins
    assert (
        "select distinct on (btrim(raw.bill_no)) btrim(raw.bill_no) as bill_no_key, raw.due_on, raw.issued_on" in join
    )
    assert join.endswith("as of_bill_no on btrim(raw.bill_no) = of_bill_no.bill_no_key")
    assert (bills.targets, bills.can_double) == ([TABLES["mkt_bill"]], False)
    assert bills.physical_type("bill_no.due_on") == "date"


def test_a_target_with_validity_is_joined_as_of_the_day_of_the_row():
    outages = rows("met_supply_outage")
    assert outages.value("feeder_no.customers_connected") == "of_feeder_no.customers_connected"
    (join,) = outages.joins
    day = "(raw.start_at at time zone 'Asia/Shanghai')::date"
    assert (
        f"of_feeder_no.first_day <= {day} and (of_feeder_no.last_day is null or {day} <= of_feeder_no.last_day)" in join
    )
    assert outages.can_double


def test_the_day_of_a_row():
    assert day_of(TABLES["mkt_org"]) == ":business_date"
    assert day_of(TABLES["mkt_ticket"]) == "(raw.accepted_at at time zone 'Asia/Shanghai')::date"
    assert day_of(TABLES["mkt_mp"]) == "greatest(raw.valid_from, least(raw.valid_to - 1, :business_date))"
    assert local_day(TABLES["mkt_bill"], "bill_month") == (
        "case when raw.bill_month ~ '^[0-9]{4}(0[1-9]|1[0-2])$' then to_date(raw.bill_month || '01', 'YYYYMMDD') end"
    )
    assert in_force_on(TABLES["mkt_org"], ":business_date") == "true"
    assert (
        in_force_on(TABLES["mkt_mp"], "day")
        == "(raw.valid_from <= day and (raw.valid_to is null or day <= raw.valid_to))"
    )


def test_a_column_that_refers_to_nothing_has_no_row():
    with pytest.raises(LookupError, match=r"mkt_bill\.status refers to no table"):
        reference_by(TABLES["mkt_bill"], "status")


# -- times


def test_two_times_are_compared_to_the_instant_with_their_tolerance_and_a_day_counts_whole():
    assert is_after(rows("mkt_ticket"), "accepted_at", "closed_at") == "raw.accepted_at > raw.closed_at"
    assert (
        is_after(rows("met_power_event"), "event_ts", "recv_ts", 3)
        == "raw.event_ts > raw.recv_ts + interval '3 minutes'"
    )
    assert is_after(rows("mkt_bill"), "read_from", "read_to") == "raw.read_from > raw.read_to"
    assert (
        is_after(rows("met_collect_task"), "data_date", "recv_ts")
        == "raw.data_date > (raw.recv_ts at time zone 'Asia/Shanghai')::date"
    )


def test_of_a_chain_the_column_is_told_that_disagrees_most_and_of_equals_the_later():
    first, second, third = chain_checks(rows("mkt_outage_notice"), Order(("sent_at", "delivered_at", "confirmed_at")))
    assert [c.column for c in (first, second, third)] == ["sent_at", "delivered_at", "confirmed_at"]

    def pair(a: str, b: str) -> str:
        return f"coalesce((raw.{a} > raw.{b})::integer, 0)"

    sent = f"{pair('sent_at', 'delivered_at')} + {pair('sent_at', 'confirmed_at')}"
    delivered = f"{pair('sent_at', 'delivered_at')} + {pair('delivered_at', 'confirmed_at')}"
    confirmed = f"{pair('sent_at', 'confirmed_at')} + {pair('delivered_at', 'confirmed_at')}"
    assert first.fails == f"{sent} > 0 and ({sent}) > ({delivered}) and ({sent}) > ({confirmed})"
    assert second.fails == f"{delivered} > 0 and ({delivered}) >= ({sent}) and ({delivered}) > ({confirmed})"
    assert third.fails == f"{confirmed} > 0 and ({confirmed}) >= ({sent}) and ({confirmed}) >= ({delivered})"
    assert third.expected == "'sent_at <= delivered_at <= confirmed_at'"


def test_against_the_row_referred_to_the_own_column_is_told():
    (check,) = chain_checks(rows("mkt_penalty"), Order(("bill_no.due_on", "from_date"), severity="quarantine"))
    assert (check.column, check.severity) == ("from_date", "quarantine")
    assert check.fails == "coalesce((of_bill_no.due_on > raw.from_date)::integer, 0) > 0"


def test_a_chain_that_a_rule_of_the_catalogue_carries_makes_no_rule():
    assert time_rule(TABLES["con_contract"]) is None  # CON-02
    assert "arrived_at" not in time_rule(TABLES["mkt_ticket"]).tested_sql  # MKT-34
    assert time_rule(TABLES["mkt_org"]) is None


# -- equations


def equation(**given) -> Equation:
    return Equation(
        **(
            {"name": "e", "left": "late_days", "relation": "=", "right": "1", "tolerance": Decimal(0), "unit": "days"}
            | given
        )
    )


@pytest.mark.parametrize(
    ("relation", "tolerance", "fails"),
    [
        ("=", "0.02", "abs((raw.late_days::numeric) - (1)) > 0.02"),
        ("<=", "0", "(raw.late_days::numeric) > (1) + 0"),
        (">=", "5", "(raw.late_days::numeric) < (1) - 5"),
    ],
)
def test_an_equation_holds_within_its_tolerance(relation: str, tolerance: str, fails: str):
    check = equation_check(rows("mkt_penalty"), equation(relation=relation, tolerance=Decimal(tolerance)))
    assert (check.column, check.fails, check.severity) == ("late_days", fails, "warn")


def test_days_are_counted_and_numbers_are_exact():
    check = equation_check(rows("mkt_penalty"), equation(right="to_date - from_date + 1"))
    assert "(raw.to_date - raw.from_date + 1)" in check.fails
    assert "late_days: " in check.seen
    assert "' days (to_date - from_date + 1)'" in check.expected


def test_an_equation_is_narrowed_and_may_name_rows_referred_to_and_functions():
    found = equation(
        left="coalesce(late_days, 0)", right="bill_no.total_charge", where=(("waived", ("true", "false")),)
    )
    check = equation_check(rows("mkt_penalty"), found)
    assert check.fails == (
        "abs((coalesce(raw.late_days::numeric, 0)) - (of_bill_no.total_charge::numeric)) > 0 and raw.waived::text in ('true', 'false')"
    )


def test_children_are_summed_by_their_reference_or_counted_by_equal_columns():
    sql = equation_rule(TABLES["mkt_bill"]).tested_sql
    assert "select btrim(raw.bill_no) as bill_no_key, sum(raw.kwh_billed) as amount" in sql
    assert "where raw.rate::text in ('PEAK')" in sql
    assert ") as lines_of_lines_peak on btrim(raw.bill_no) = lines_of_lines_peak.bill_no_key" in sql
    assert "count(*) as amount" in equation_rule(TABLES["con_contract"]).tested_sql
    weights = equation_rule(TABLES["mkt_manager_assessment"]).tested_sql
    assert (
        "btrim(raw.manager_no) as manager_no_key, btrim(raw.period) as period_key, sum(raw.weight) as amount" in weights
    )


def test_a_new_line_makes_its_bill_be_tested():
    rule = equation_rule(TABLES["mkt_bill"])
    assert (rule.tests, rule.touched_by) == ("touched rows", ("mkt_bill", "mkt_bill_line"))
    assert (
        "where (btrim(raw.bill_no)) in (select btrim(raw.bill_no) from raw_marketing.mkt_bill_line as raw"
        in rule.tested_sql
    )
    assert equation_rule(TABLES["con_contract"]).touched_by == ()  # delivered and tested whole


def test_an_equation_that_a_rule_of_the_catalogue_carries_makes_none():
    assert equation_rule(TABLES["met_measuring_point"]) is None  # MET-27
    assert "system_op_charge" not in equation_rule(TABLES["mkt_bill"]).tested_sql  # MKT-21


def test_a_statement_names_its_children():
    child = (("lines", Child("mkt_bill_line", "charge", (("rate", ("PEAK", "FLAT")),))),)
    found = equation_check(rows("mkt_bill"), equation(left="energy_charge", right="lines", unit="yuan", children=child))
    assert "(sum of mkt_bill_line.charge where rate is PEAK or FLAT)" in found.expected


# -- meanings


@pytest.mark.parametrize(
    ("bound", "sql"),
    [
        (None, None),
        ("1949-10-01", "date '1949-10-01'"),
        ("business_date", ":business_date"),
        ("business_date + 50 years", "(:business_date + interval '50 year')::date"),
        ("business_date - 2 days", "(:business_date - interval '2 day')::date"),
    ],
)
def test_a_plausible_day(bound: str | None, sql: str | None):
    assert bound_day(bound) == sql


@pytest.mark.parametrize("bound", ["2026-1-1", "tomorrow", "business_date + years"])
def test_a_day_that_is_none_is_refused(bound: str):
    with pytest.raises(ValueError, match="neither a day nor counted from business_date"):
        bound_day(bound)


def test_values_are_brought_to_one_spelling_before_they_are_judged():
    contact, customer = TABLES["mkt_contact"], TABLES["mkt_customer"]
    told = "coalesce((select held.clear_text from vault.clear_texts as held where held.pseudonym = raw.{0}), raw.{0})"
    assert spelled(contact.column("mobile")) == f"nullif(quality.plain_phone({told.format('mobile')}), '')"
    assert spelled(contact.column("phone")) == f"nullif(quality.plain_phone({told.format('phone')}), '')"
    assert spelled(customer.column("addr")) == "nullif(quality.plain_address(raw.addr), '')"
    assert spelled(customer.column("cons_name")) == "nullif(quality.plain_text(raw.cons_name), '')"


def columns_judged(name: str) -> set[str]:
    sql = meaning_rule(TABLES[name]).tested_sql
    return {column.name for column in TABLES[name].columns if f"jsonb_build_array('{column.name}'" in sql}


def test_what_rules_of_the_catalogue_judge_is_not_judged_twice():
    assert (
        columns_judged("mkt_customer") & {"cons_no", "uscc", "addr", "open_date", "connect_date", "close_date"} == set()
    )
    assert {"cons_name", "legal_rep", "contract_cap_kva", "industry_code"} <= columns_judged("mkt_customer")
    assert "mobile" not in columns_judged("mkt_contact")
    assert {"phone", "email", "contact_name"} <= columns_judged("mkt_contact")


def test_a_number_is_judged_where_it_is_kept_and_not_where_it_is_referred_to():
    assert "org_no" in columns_judged("mkt_org")
    assert columns_judged("mkt_ticket") & {"cons_no", "reopen_of"} == set()
    assert "version" in columns_judged("con_amendment")  # a count, though part of a reference


# -- references


def test_what_a_table_declares_of_its_references_is_in_its_sentence():
    assert reference_rule(TABLES["mkt_payment"]).sentence == (
        "A row of mkt_payment repeats the acct_no of mkt_bill, the acct_no of mkt_payment, the bill_no of mkt_payment and never names itself."
    )
    assert reference_rule(TABLES["mkt_customer"]).sentence == (
        "A row of mkt_customer is named by a row of mkt_account, mkt_mp and shares its uscc with no other holder."
    )
    assert reference_rule(TABLES["met_interval_96"]) is None  # its one reference is inside the system


def test_a_difference_is_told_between_two_numbers_that_are_known():
    sql = reference_rule(TABLES["mkt_payment"]).tested_sql
    known = "in (select btrim(raw.acct_no) from raw_marketing.mkt_account as raw"
    assert f"btrim(raw.acct_no) <> btrim(of_bill_no.acct_no) and btrim(of_bill_no.acct_no) {known}" in sql
    assert f"and btrim(raw.acct_no) {known}" in sql


def test_a_row_that_means_nothing_without_its_reference_is_quarantined():
    assert reference_rule(TABLES["con_contract"]).severity == "quarantine"  # its customer
    assert (reference_rule(TABLES["mkt_bill_line"]).severity, reference_rule(TABLES["mkt_bill_line"]).quarantines) == (
        "warn",
        False,
    )


# -- conditions, periods, copies, shared values, repeats, crowds


@pytest.mark.parametrize(
    ("be", "fails"),
    [
        ("filled", "nullif(btrim(raw.case_no), '') is null"),
        ("empty", "not (nullif(btrim(raw.case_no), '') is null)"),
        (("A", "B"), "not (nullif(btrim(raw.case_no), '') is null) and raw.case_no::text not in ('A', 'B')"),
    ],
)
def test_a_condition_asks_for_a_value_for_none_or_for_one_of_a_list(be: str | tuple, fails: str):
    asked = Condition("case_no", be, where=(("touch_type", ("VISIT", "PHONE")),), given=("visited_at",))
    check = condition_check(TABLES["mkt_manager_visit"], asked)
    assert check.fails == f"{fails} and raw.touch_type::text in ('VISIT', 'PHONE') and not (raw.visited_at is null)"
    assert (check.column, check.severity) == ("case_no", "warn")


def test_a_condition_can_be_due_so_many_days_after_a_day_of_its_row():
    asked = Condition(
        "qualified_on", "filled", where=(("access_mode", ("AUTO",)),), since="src_updated_at", due_days=90
    )
    check = condition_check(TABLES["mkt_access_list"], asked)
    due = "(raw.src_updated_at at time zone 'Asia/Shanghai')::date + 90 <= :business_date"
    assert check.fails == f"raw.qualified_on is null and raw.access_mode::text in ('AUTO') and {due}"
    assert check.expected == "'a value where access_mode is AUTO, 90 days after src_updated_at'"


def test_a_condition_that_a_rule_of_the_catalogue_carries_makes_none():
    carried = Condition("case_no", "filled", rule="MKT-99")
    assert condition_rule(replace(TABLES["mkt_manager_visit"], conditions=(carried,))) is None


def test_periods_follow_each_other_and_a_gap_is_told_only_where_none_may_be():
    table = TABLES["mkt_mp"]
    one = Period(("cons_no", "mp_no"), where=(("mp_role", ("BILLING",)),))
    sql = period_rule(replace(table, periods=(one,))).tested_sql
    assert "periods_1.next_first < periods_1.last_day" in sql
    assert "last_before + 1" not in sql
    assert "partition by btrim(raw.cons_no), btrim(raw.mp_no) order by raw.valid_from, raw._raw_id" in sql
    assert "raw.mp_role::text in ('BILLING') and (raw.valid_to is null or raw.valid_to >= raw.valid_from)" in sql
    gapless = period_rule(replace(table, periods=(replace(one, is_gapless=True, severity="quarantine"),)))
    assert "periods_1.first_day > periods_1.last_before + 1" in gapless.tested_sql
    assert gapless.severity == "quarantine"


def test_a_copy_is_a_record_of_one_identity_soon_after_another_that_neither_corrects_nor_is_corrected():
    identity = RecordIdentity(("cons_no", "sub_type"), time="accepted_at", within_minutes=7, corrects=("reopen_of",))
    sql = copy_rule(replace(TABLES["mkt_ticket"], record_identity=identity)).tested_sql
    assert "partition by btrim(raw.cons_no), btrim(raw.sub_type) order by raw.accepted_at," in sql
    assert "raw.number_before <> raw.number and raw.at <= raw.at_before + interval '7 minutes'" in sql
    assert "where not (nullif(btrim(raw.cons_no), '') is null) and nullif(btrim(raw.reopen_of), '') is null" in sql
    assert "btrim(raw.ticket_no) not in (select btrim(raw.reopen_of) from raw_marketing.mkt_ticket as raw" in sql
    timeless = replace(identity, time=None, within_minutes=0)
    assert "at_before +" not in copy_rule(replace(TABLES["mkt_ticket"], record_identity=timeless)).tested_sql
    assert copy_rule(replace(TABLES["mkt_ticket"], record_identity=replace(identity, rule="MKT-99"))) is None


def shared(table: str, column: str, sharing: Sharing) -> str:
    columns = (replace(c, sharing=sharing if c.name == column else None) for c in TABLES[table].columns)
    return sharing_rule(replace(TABLES[table], columns=tuple(columns))).tested_sql


def test_a_value_is_shared_by_as_many_holders_or_payers_as_stated():
    by_holder = shared("mkt_inspection", "result_text", Sharing(("cons_no",), at_most=3, longer_than=12, days=30))
    assert "having count(distinct btrim(raw.cons_no)::text) > 3" in by_holder
    assert "length(quality.normalised_name(raw.result_text)) >= 12" in by_holder
    assert "raw.due_on > :business_date - 30 and raw.due_on <= :business_date" in by_holder
    common = Sharing(("cons_no",), at_most=3, at_most_share=Decimal("0.002"), is_within_payer=True)
    by_payer = shared("mkt_contact", "contact_name", common)
    assert "count(distinct coalesce(payers.payer_name, btrim(raw.cons_no)))" in by_payer
    assert "> greatest(3, 0.002 * (select count(*) from staging.stg_marketing__contacts))" in by_payer


def test_a_value_that_must_differ_from_another_is_compared_without_case():
    sql = shared("mkt_access_list", "checker", Sharing(differs_from=("submitter",)))
    assert (
        "nullif(btrim(raw.checker), '') is not null and lower(btrim(raw.checker)) = lower(btrim(raw.submitter))" in sql
    )
    assert "holders" not in sql


def test_a_record_of_a_series_is_compared_with_the_one_before_by_its_numbers_and_the_hour_of_its_times():
    repeat = Repeat(("mp_no",), "data_date", ("u_max", "u_max_ts"), least=2)
    sql = repeat_rule(replace(TABLES["met_voltage_daily"], repeats=(repeat,))).tested_sql
    assert "window by_time as (partition by mp_no_key order by data_date_key)" in sql
    assert "records.said = records.said_before and records.filled >= 2" in sql
    assert (
        "coalesce(raw.u_max::text, '-'), coalesce((raw.u_max_ts at time zone 'Asia/Shanghai')::time::text, '-')" in sql
    )
    assert "(coalesce(raw.u_max, 0) <> 0)::integer + (coalesce(0, 0) <> 0)::integer as filled" in sql


@pytest.mark.parametrize(
    ("mark", "columns", "sql"),
    [
        ("minuteOfDay", ("end_at",), "to_char(raw.end_at at time zone 'Asia/Shanghai', 'HH24:MI')"),
        (
            "minutesBetween",
            ("start_at", "end_at"),
            "floor(extract(epoch from raw.end_at - raw.start_at) / 60)::bigint || ' minutes'",
        ),
        (
            "secondsBetween",
            ("start_at", "end_at"),
            "floor(extract(epoch from raw.end_at - raw.start_at) / 1)::bigint || ' seconds'",
        ),
        ("values", ("stage", "handler_no"), "raw.stage::text || ' / ' || raw.handler_no::text"),
    ],
)
def test_what_entries_crowd_on(mark: str, columns: tuple[str, ...], sql: str):
    crowd = Crowd("what", ("handler_no",), mark, columns, Decimal("0.25"), date="end_at")
    rule = crowding_rule(replace(TABLES["mkt_app_stage"], crowds=(crowd,)))
    assert f"{sql} as mark" in rule.tested_sql
    assert "0.25::numeric as share" in rule.tested_sql
    assert (rule.tests, rule.severity, rule.subjects) == ("window", "warn", ())
    assert "Entries of mkt_app_stage do not crowd within {CRD.days} days" in rule.sentence


def test_a_table_that_declares_nothing_of_a_family_has_no_rule_of_it():
    bare = replace(
        TABLES["mkt_org"],
        columns=tuple(replace(c, sharing=None) for c in TABLES["mkt_org"].columns),
        periods=(),
        record_identity=None,
    )
    for make in (condition_rule, period_rule, copy_rule, sharing_rule, repeat_rule, crowding_rule):
        assert make(bare) is None


# -- all of them


def test_a_rule_is_as_severe_as_its_most_severe_check():
    mild, severe = Check("a", "false", "''", "''"), Check("b", "false", "''", "''", "quarantine")
    table: Table = TABLES["mkt_org"]
    given = {"sentence": "s", "dimension": "validity", "reason": "r"}
    assert checked_rule(table, "X", [mild], **given).severity == "warn"
    rule = checked_rule(table, "X", [mild, severe], **given)
    assert (rule.id, rule.severity, rule.quarantines, rule.tests) == ("X-mkt_org", "quarantine", True, "everything")


def test_none_blocks_and_each_says_what_an_auditor_asks():
    made = [rule for rule in load_base_rules() if rule.id.startswith(("REF-", "EQU-", "TIM-", "SEM-"))]
    assert len(made) == 138
    for rule in made:
        assert rule.severity in ("warn", "quarantine")
        assert rule.owner.endswith(" office")
        assert rule.reason.endswith(".")
        assert rule.sentence.endswith(".")
        assert rule.source.startswith(f"contract of the {rule.source_name} system, table {rule.table_name}")
        assert rule.population == f"rows of {rule.table_name}"
