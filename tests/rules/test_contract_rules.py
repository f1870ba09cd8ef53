"""References, equations, orders of times and meanings that the contracts declare: clean data break none, planted rows do.

The typed cases are in `CASES`; beside them every declaration is broken once by a fault made from it, so that none is dead.
"""

from __future__ import annotations

import pytest

from include.contracts import Table, all_tables
from include.contracts.declarations import ALWAYS
from include.contracts.meanings import MEANINGS, NUMBER
from include.quality.base_rules import load_base_rules
from include.quality.rules import Rule
from tests.rules.staged import Staged

FAMILIES = ("REF", "EQU", "TIM", "SEM")
RULES = {rule.id: rule for rule in load_base_rules() if rule.id.startswith(FAMILIES)}


def first(table: str, where: str = "true") -> str:
    """The first row of a table that fits, by its key."""
    of = all_tables()[table]
    return f"_raw_id = (select _raw_id from {of.raw_name} where {where} order by {', '.join(of.key)}, _raw_id limit 1)"


def change(table: str, values: str, where: str = "true") -> str:
    return f"update {all_tables()[table].raw_name} set {values} where {first(table, where)}"


# (rule, what is planted, statements, columns found, severity)
CASES = [
    # -- references
    ("REF-con_contract", "a feeder that metering does not know", [change("con_contract", "main_feeder_no = '10F99999'")], {"main_feeder_no"}, "warn"),
    ("REF-con_contract", "a customer that marketing does not know", [change("con_contract", "cons_no = '0319999999'")], {"cons_no"}, "quarantine"),
    ("REF-con_metering_annex", "two digits of a meter number exchanged", [change("con_metering_annex", "meter_asset_no = overlay(meter_asset_no placing '99' from 12 for 2)")], {"meter_asset_no"}, "warn"),
    ("REF-mkt_bill_line", "a meter that metering does not know", [change("mkt_bill_line", "meter_asset_no = '3139999999999999999999'")], {"meter_asset_no"}, "warn"),
    ("REF-mkt_bill_line", "a point of another account than the bill's", [change("mkt_bill_line", "mp_no = '031000002001'", "bill_no like '%0310000001'")], {"mp_no"}, "warn"),
    ("REF-mkt_payment", "a payment whose bill belongs to another settlement account", [change("mkt_payment", "acct_no = '8000000020'", "bill_no like '%0310000001' and reversed_pay_no is null")], {"acct_no"}, "warn"),
    ("REF-mkt_payment", "a lost zero in the settlement account is told where it is, as a reference", [change("mkt_payment", "acct_no = '800000001'", "bill_no like '%0310000001' and reversed_pay_no is null")], set(), None),
    ("REF-mkt_payment", "a lost zero in the settlement account of the bill is told at the bill", ["update raw_marketing.mkt_bill set acct_no = '800000001' where bill_no like '%0310000001'"], set(), None),
    ("REF-mkt_survey", "an answer of another customer than the ticket's", [change("mkt_survey", "cons_no = '0310000020'", "ticket_no is not null and cons_no <> '0310000020'")], {"cons_no"}, "warn"),
    ("REF-mkt_tariff_assign", "a tariff at a point of another customer", [change("mkt_tariff_assign", "cons_no = '0310000020'", "cons_no = '0310000001'")], {"cons_no"}, "warn"),
    ("REF-met_measuring_point", "another transformer than in marketing, of another customer", [change("met_measuring_point", "tran_no = '0310000002T1'", "cons_no = '0310000001'")], {"tran_no", "cons_no"}, "warn"),
    ("REF-met_measuring_point", "a meter at two points", [change("met_measuring_point", "meter_asset_no = (select max(meter_asset_no) from raw_metering.met_measuring_point)")], {"meter_asset_no"}, "warn"),
    ("REF-met_measuring_point", "a meter at two points, one of which was removed", [change("met_measuring_point", "meter_asset_no = (select max(meter_asset_no) from raw_metering.met_measuring_point), remove_ts = '2026-01-01'")], set(), None),
    ("REF-mkt_mp", "a point without installation", ["delete from raw_marketing.mkt_meter_install where " + first("mkt_meter_install")], {"mp_no"}, "warn"),
    ("REF-mkt_mp", "a point whose feeder was taken out of service", ["update raw_metering.met_feeder set valid_to = '2026-11-04' where feeder_no = (select min(feeder_no) from raw_marketing.mkt_mp)"], {"feeder_no"}, "warn"),
    ("REF-mkt_mp", "a feeder whose last day is the business date", ["update raw_metering.met_feeder set valid_to = '2026-11-05' where feeder_no = (select min(feeder_no) from raw_marketing.mkt_mp)"], set(), None),
    ("REF-mkt_customer", "a customer without settlement account", ["delete from raw_marketing.mkt_account where cons_no = '0310000001'"], {"cons_no"}, "warn"),
    ("REF-mkt_customer", "a closed customer without settlement account", ["delete from raw_marketing.mkt_account where cons_no = '0310000001'", "update raw_marketing.mkt_customer set close_date = '2026-11-04' where cons_no = '0310000001'"], set(), None),
    ("REF-mkt_customer", "one credit code of two customers with two payers", [change("mkt_customer", "uscc = (select uscc from raw_marketing.mkt_customer where cons_no = '0310000020')", "cons_no = '0310000001'")], {"uscc"}, "warn"),
    (
        "REF-mkt_customer",
        "one credit code of two customers with one payer",
        [
            change("mkt_customer", "uscc = (select uscc from raw_marketing.mkt_customer where cons_no = '0310000020')", "cons_no = '0310000001'"),
            "update raw_marketing.mkt_account set payer_name = 'one payer' where cons_no in ('0310000001', '0310000020')",
        ],
        set(),
        None,
    ),
    (
        "REF-mkt_customer",
        "one credit code of two accounts of one name in two spellings",
        [
            change("mkt_customer", "uscc = (select uscc from raw_marketing.mkt_customer where cons_no = '0310000020'), cons_name = '合成(甲)有限公司'", "cons_no = '0310000001'"),
            "update raw_marketing.mkt_customer set cons_name = '合成（甲）有限责任公司' where cons_no = '0310000020'",
        ],
        set(),
        None,
    ),
    ("REF-con_contract", "one contract number of two customers", [change("con_contract", "contract_no = 'HT0310000020'", "cons_no = '0310000001'")], {"contract_no"}, "warn"),
    # -- equations
    ("EQU-mkt_bill", "parts of the bill that compensate each other", [change("mkt_bill", "energy_charge = energy_charge + 500, fund_charge = fund_charge - 500", "orig_bill_no is null")], {"energy_charge"}, "warn"),
    ("EQU-mkt_bill", "within the tolerance of five cents", [change("mkt_bill", "energy_charge = energy_charge + 0.05", "orig_bill_no is null")], set(), None),
    ("EQU-mkt_bill", "six cents", [change("mkt_bill", "energy_charge = energy_charge + 0.06", "orig_bill_no is null")], {"energy_charge"}, "warn"),
    ("EQU-mkt_bill", "a rate that is not in the lines nor in the total", [change("mkt_bill", "kwh_peak = kwh_peak + 1.01", "kwh_peak is not null")], {"kwh_total", "kwh_peak"}, "quarantine"),
    ("EQU-mkt_bill", "one kilowatt-hour, the tolerance", [change("mkt_bill", "kwh_peak = kwh_peak + 1", "kwh_peak is not null")], set(), None),
    ("EQU-mkt_bill_line", "a charge that is not energy by price", [change("mkt_bill_line", "charge = charge + 0.04")], {"charge"}, "quarantine"),
    ("EQU-mkt_bill_line", "energy that is not read and losses", [change("mkt_bill_line", "add_sub_kwh = 0.02")], {"kwh_billed"}, "quarantine"),
    ("EQU-mkt_bill_line", "a register that began again from zero", [change("mkt_bill_line", "prev_reading = 999990, curr_reading = 5")], set(), None),
    ("EQU-met_collect_task", "more received than expected", [change("met_collect_task", "received_cnt = expected_cnt + 1")], {"received_cnt", "success_rate"}, "warn"),
    ("EQU-met_collect_task", "a rate that does not follow", [change("met_collect_task", "success_rate = 0.9")], {"success_rate"}, "warn"),
    ("EQU-met_collect_task", "nothing expected", [change("met_collect_task", "expected_cnt = 0, received_cnt = 0")], set(), None),
    ("EQU-met_supply_voltage", "minutes over and under above those monitored", [change("met_supply_voltage", "over_min = monitored_min, under_min = 1")], {"over_min"}, "warn"),
    ("EQU-met_supply_voltage", "minutes over and under as many as monitored", [change("met_supply_voltage", "over_min = monitored_min, under_min = 0")], set(), None),
    ("EQU-met_it", "a ratio on the plate that is not that of the point", [change("met_it", "ratio_primary = ratio_primary * 2", "kind = 'CT'")], {"ratio_primary"}, "warn"),
    ("EQU-met_it", "a plate without second value", [change("met_it", "ratio_secondary = 0")], set(), None),
    ("EQU-mkt_meter_install", "a multiplier of other ratios", [change("mkt_meter_install", "multiplier = multiplier * 10")], {"multiplier"}, "quarantine"),
    ("EQU-mkt_penalty", "days that are not those from first to last", [change("mkt_penalty", "late_days = late_days + 1")], {"late_days"}, "warn"),
    ("EQU-con_contract", "a maximum demand of ten times the capacity", [change("con_contract", "contract_md_kw = 10 * contract_cap_kva", "contract_md_kw is not null")], {"contract_md_kw"}, "warn"),
    ("EQU-con_trade_settle", "a deviation that is not actual less contract", [change("con_trade_settle", "deviation_mwh = deviation_mwh + 0.01")], {"deviation_mwh"}, "warn"),
    ("EQU-mkt_manager_assessment", "weights of a manager and period that are not the whole", [change("mkt_manager_assessment", "weight = weight + 0.01")], {"weight"}, "warn"),
    # -- times
    ("TIM-mkt_ticket", "contact before acceptance", [change("mkt_ticket", "first_contact_at = accepted_at - interval '1 second'")], {"first_contact_at"}, "warn"),
    ("TIM-mkt_ticket", "contact with acceptance", [change("mkt_ticket", "first_contact_at = accepted_at")], set(), None),
    ("TIM-mkt_bill", "due before issued", [change("mkt_bill", "due_on = issued_on - 1")], {"due_on"}, "warn"),
    ("TIM-mkt_bill", "due on the day of issue", [change("mkt_bill", "due_on = issued_on")], set(), None),
    ("TIM-mkt_bill", "a reading that ends before it begins", [change("mkt_bill", "read_to = read_from - 1")], {"read_to"}, "quarantine"),
    ("TIM-mkt_outage_notice", "delivered before sent", [change("mkt_outage_notice", "delivered_at = sent_at - interval '1 minute'", "confirmed_at is null")], {"delivered_at"}, "warn"),
    ("TIM-mkt_outage_notice", "sent after delivered and confirmed is told of the sending", [change("mkt_outage_notice", "sent_at = confirmed_at + interval '1 minute'", "confirmed_at is not null")], {"sent_at"}, "warn"),
    ("TIM-con_amendment", "signed after begun", ["update raw_contract.con_amendment set signed_on = effective_on + 1"], {"effective_on"}, "warn"),
    ("TIM-met_power_event", "received four minutes before it happened", [change("met_power_event", "recv_ts = event_ts - interval '4 minutes'")], {"recv_ts"}, "warn"),
    ("TIM-met_power_event", "received three minutes before it happened, two clocks", [change("met_power_event", "recv_ts = event_ts - interval '3 minutes'")], set(), None),
    ("TIM-met_voltage_daily", "the highest voltage of the day before", [change("met_voltage_daily", "u_max_ts = data_date - interval '1 second'")], {"u_max_ts"}, "warn"),
    ("TIM-mkt_penalty", "a penalty before the bill is due", [change("mkt_penalty", "from_date = (select due_on - 1 from raw_marketing.mkt_bill as bill where bill.bill_no = mkt_penalty.bill_no)")], {"from_date"}, "warn"),
    ("TIM-mkt_app_stage", "a stage before the application", [change("mkt_app_stage", "start_at = '2018-01-01'")], {"start_at"}, "warn"),
    ("TIM-mkt_mp", "a validity that ends before it begins", [change("mkt_mp", "valid_to = valid_from - 1")], {"valid_to"}, "quarantine"),
    # -- meanings
    ("SEM-mkt_ticket", "a default date", [change("mkt_ticket", "closed_at = '1970-01-01 08:00+08'")], {"closed_at"}, "warn"),
    ("SEM-mkt_ticket", "a default date of the fact itself", [change("mkt_ticket", "accepted_at = '1970-01-01 08:00+08'")], {"accepted_at"}, "quarantine"),
    ("SEM-mkt_ticket", "a day that has not come", [change("mkt_ticket", "closed_at = '2026-11-08 00:00+08'")], {"closed_at"}, "warn"),
    ("SEM-mkt_ticket", "the last day that can be", [change("mkt_ticket", "closed_at = '2026-11-07 23:59+08'")], set(), None),
    ("SEM-met_it", "a verification that expires in 9999", [change("met_it", "verify_due = '9999-12-31'")], {"verify_due"}, "warn"),
    ("SEM-mkt_manager", "a placeholder for a name", [change("mkt_manager", "manager_name = ' 测试 '")], {"manager_name"}, "warn"),
    ("SEM-mkt_manager", "a placeholder in full width", [change("mkt_manager", "manager_name = 'ｔｅｓｔ'")], {"manager_name"}, "warn"),
    ("SEM-mkt_manager", "digits for a name", [change("mkt_manager", "manager_name = '13912345678'")], {"manager_name"}, "warn"),
    ("SEM-mkt_org", "a placeholder for the name of an organisation", [change("mkt_org", "org_name = '不详'")], {"org_name"}, "warn"),
    ("SEM-mkt_account", "a placeholder for a bank account", [change("mkt_account", "bank_acct = '111111'")], {"bank_acct"}, "warn"),
    ("SEM-mkt_account", "a bank account that a spreadsheet has rewritten", [change("mkt_account", "bank_acct = '6.22E+18'")], {"bank_acct"}, "warn"),
    ("SEM-mkt_contact", "a placeholder for a telephone number", [change("mkt_contact", "phone = '00000000'")], {"phone"}, "warn"),
    ("SEM-mkt_contact", "a telephone number in another spelling", [change("mkt_contact", "phone = '+86 (21) 6000-0001'")], set(), None),
    ("SEM-mkt_contact", "an extension", [change("mkt_contact", "phone = '021-60000001转801'")], set(), None),
    ("SEM-mkt_contact", "no telephone number", [change("mkt_contact", "phone = 'fax'")], {"phone"}, "warn"),
    ("SEM-mkt_contact", "no e-mail address", [change("mkt_contact", "email = 'example.com'")], {"email"}, "warn"),
    ("SEM-mkt_contact", "an e-mail address in full width", [change("mkt_contact", "email = 'ａ＠example.com'")], set(), None),
    ("SEM-mkt_inspection", "a placeholder for a result", [change("mkt_inspection", "result_text = '无'")], {"result_text"}, "warn"),
    ("SEM-mkt_inspection", "characters that were lost", [change("mkt_inspection", "result_text = '高压室' || chr(65533)")], {"result_text"}, "warn"),
    ("SEM-mkt_survey", "a comment that says that there is none", [change("mkt_survey", "comment_text = '无'")], set(), None),
    ("SEM-mkt_customer", "a rest day that is none", [change("mkt_customer", "factory_rest_day = '无'")], set(), None),
    ("SEM-mkt_transformer", "a transformer in watts", [change("mkt_transformer", "cap_kva = 1600000")], {"cap_kva"}, "warn"),
    ("SEM-mkt_transformer", "a transformer in megavolt-amperes", [change("mkt_transformer", "cap_kva = 1.6")], {"cap_kva"}, "warn"),
    ("SEM-mkt_transformer", "the smallest and the largest", [change("mkt_transformer", "cap_kva = 5"), "update raw_marketing.mkt_transformer set cap_kva = 400000 where cap_kva <> 5"], set(), None),
    ("SEM-mkt_bill_line", "a price in cents", [change("mkt_bill_line", "price = 65")], {"price"}, "warn"),
    ("SEM-mkt_bill", "a month that is none", [change("mkt_bill", "bill_month = '202613'")], {"bill_month"}, "warn"),
    ("SEM-mkt_customer", "an industry code that is none", [change("mkt_customer", "industry_code = '钢铁'")], {"industry_code"}, "warn"),
]  # fmt: skip


def found(staged: Staged, rule: Rule) -> tuple[set[str], str | None]:
    return staged.columns(rule), staged.verdict(rule)


def test_clean_data_break_no_rule_of_the_families(staged: Staged):
    broken = {rule_id: staged.answer(rule)[:2] for rule_id, rule in RULES.items()}
    assert {rule_id: answer for rule_id, answer in broken.items() if answer[1]} == {}
    assert {family: sum(rule_id.startswith(family) for rule_id in RULES) for family in FAMILIES} == {
        "REF": 23,
        "EQU": 19,
        "TIM": 33,
        "SEM": 51,
    }
    untested = {rule_id for rule_id, (tested, _) in broken.items() if not tested}
    assert untested <= {
        f"{family}-{table}"
        for family in FAMILIES
        for table in ("con_amendment", "mkt_violation", "mkt_supply_security", "mkt_service_tier")
    }


@pytest.mark.parametrize(
    ("rule_id", "what", "statements", "columns", "severity"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES]
)
def test_a_planted_row_is_told_at_its_column(
    staged: Staged, rule_id: str, what: str, statements: list[str], columns: set[str], severity: str | None
):
    for statement in statements:
        assert staged.connection.execute(statement).rowcount > 0, statement
    assert found(staged, RULES[rule_id]) == (columns, severity)


def rows_of(staged: Staged, table: Table) -> int:
    return staged.connection.execute(f"select count(*) from {table.raw_name}").fetchone()[0]


def test_every_plausible_range_is_judged_at_both_ends(staged: Staged):
    """One step outside each end is told at the column; the ends themselves are not."""
    seen = 0
    for table in all_tables().values():
        rule = RULES[f"SEM-{table.name}"]
        for column in table.scalar_columns:
            if (
                MEANINGS[column.meaning].kind != NUMBER
                or column.allowed
                or "range" in dict(column.judged_by)
                or not rows_of(staged, table)
            ):
                continue
            step = "1" if "int" in column.physical_type else "0.0001"
            for end, sign in zip(column.plausible, "-+", strict=True):
                for value, told in ((end, set()), (f"{end} {sign} {step}", {column.name})):
                    with staged.connection.transaction(force_rollback=True):
                        staged.connection.execute(f"alter table {table.raw_name} alter {column.name} type numeric")
                        staged.connection.execute(change(table.name, f"{column.name} = {value}"))
                        assert staged.columns(rule) == told, (table.name, column.name, value)
                    seen += 1
    assert seen > 300


def test_every_identity_that_is_not_shared_is_judged(staged: Staged):
    seen = set()
    for table in all_tables().values():
        for column in table.columns:
            identity = column.identity
            if identity is None or identity.rule or identity.shared == ALWAYS:
                continue
            values = f"{column.name} = 'one and the same'"
            with staged.connection.transaction(force_rollback=True):
                assert staged.connection.execute(f"update {table.raw_name} set {values}").rowcount > 1, table.name
                assert column.name in staged.columns(RULES[f"REF-{table.name}"]), (table.name, column.name)
            seen.add(f"{table.name}.{column.name}")
    assert len(seen) == 15
