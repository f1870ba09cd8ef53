"""Rules at the edge of their limits, on the numbers of the oracles, and what the engine writes beside a violation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import psycopg
import pytest

from include.contracts import all_tables
from include.quality.evaluate import RuleEvaluationError, evaluate
from include.quality.rules import load_rules
from tests.rules.cases import record
from tests.rules.staged import Staged

BILLING, METER = record("three_wire_point"), record("three_wire_meter")
ACCOUNT, IN_FORCE = record("account"), record("contract_in_force")
E_PLUS = "data_type = 'E+' and phase = 'T' and data_date = date '2026-11-03'"
META = "_load_id, _business_date, _channel, _file_line, _is_tombstone, _key, _hash"
OTHER_KEY = "_load_id, _business_date, _channel, _file_line, _is_tombstone, md5('other key')::uuid, md5('copy')::uuid"
RULES = {rule.id: rule for rule in load_rules()}
OF_BILLING = f"(select min(cons_no) from {{{{met_measuring_point}}}} where mp_no = {BILLING})"
POINT = BILLING.replace("{{met_measuring_point}}", "raw_metering.met_measuring_point")


def broken(staged: Staged, rule_id: str) -> list[dict]:
    staged.stage()
    return staged.violations(RULES[rule_id])


@pytest.mark.parametrize(("third", "highest", "is_spike"), [(100, 280, False), (100, 281, True), (0.30, 0.84, False)])
def test_o11_spike(staged: Staged, third: float, highest: float, is_spike: bool):
    # the floor is 50 kW primary: as primary values the small case is far above it after scaling by 1,000
    scale = 1000 if third < 1 else 1
    staged.plant(
        f"update {{{{met_interval_96}}}} set is_primary = true, v = array[{highest}::numeric * {scale}]"
        f" || array_fill(({third}::numeric * {scale})::float8, array[95]) where data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"
    )
    assert bool(broken(staged, "MET-10")) is is_spike


@pytest.mark.parametrize(
    ("slot_sum", "register", "fails"),
    [
        ("14400", "96.02", False),  # 14,403 by register: 3 kWh off, 72 allowed
        ("14050", "96.02", True),  # 353 off
        ("99600", "666.6667", False),  # 100,000.005 by register: 400 off, 0.5 % is 500
        ("99400", "666.6667", True),
    ],
)
def test_o12_sum_check(staged: Staged, slot_sum: str, register: str, fails: bool):
    staged.plant(
        f"update {{{{met_measuring_point}}}} set ct_ratio = 150, pt_ratio = 1, multiplier = 150 where mp_no = {BILLING}"
    )
    staged.plant(
        f"update {{{{met_interval_96}}}} set is_primary = true, v = array_fill({slot_sum}::float8 / 96, array[96])"
        f" where {E_PLUS} and mp_no = {BILLING}"
    )
    staged.plant(
        f"update {{{{met_register_freeze}}}} as closing set reading = opening.reading + {register} from {{{{met_register_freeze}}}} as opening"
        " where opening.meter_asset_no = closing.meter_asset_no and opening.freeze_kind = 'DAY' and closing.freeze_kind = 'DAY'"
        " and opening.energy_kind = 'ACTIVE' and closing.energy_kind = 'ACTIVE' and opening.rate = 'T' and closing.rate = 'T'"
        " and opening.dir = 'FWD' and closing.dir = 'FWD' and opening.freeze_ts = '2026-11-03 00:00+08'"
        f" and closing.freeze_ts = '2026-11-04 00:00+08' and closing.meter_asset_no = {METER}"
    )
    found = [v for v in broken(staged, "MET-12") if v["business_date"] == date(2026, 11, 3)]
    assert bool(found) is fails


def test_a_register_that_rolls_over_is_no_fault(staged: Staged):
    where = f"meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1'"
    staged.plant(f"update {{{{met_meter}}}} set digits_int = 6 where meter_asset_no = {METER}")
    staged.plant(
        f"update {{{{met_register_freeze}}}} set reading = 999990 + extract(epoch from freeze_ts - '2026-10-29 00:00+08') / 864000 where {where}"
    )
    staged.plant(
        f"update {{{{met_register_freeze}}}} set reading = 12 where {where} and freeze_ts >= '2026-11-05 00:00+08'"
    )
    assert broken(staged, "MET-06") == []


@pytest.mark.parametrize("uscc", ["000000000000000000", "911111111111111111", "910000000000000000"])
def test_o23_placeholder_codes_are_found_whatever_their_check_character(staged: Staged, uscc: str):
    staged.plant(f"update {{{{mkt_customer}}}} set uscc = '{uscc}' where cons_no = {ACCOUNT}")
    assert len(broken(staged, "MKT-04")) == 1


@pytest.mark.parametrize(("share", "fails"), [("0.40", False), ("0.3999", True)])
def test_o8_contract_demand_floor(staged: Staged, share: str, fails: bool):
    staged.plant(
        f"update {{{{con_contract}}}} set basic_mode = 'BY_CONTRACT_MD', contract_cap_kva = 25000, contract_md_kw = 25000 * {share}"
        f" where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"
    )
    assert bool(broken(staged, "CON-08")) is fails


def test_o14_wrong_ratio_in_marketing_puts_a_quarter_at_stake(staged: Staged):
    """400/5 in metering and contract, 300/5 in marketing: what was billed as 75,000 kWh is 100,000."""
    for table in ("met_measuring_point", "con_metering_annex"):
        staged.plant(f"update {{{{{table}}}}} set ct_ratio = 80 where mp_no = {BILLING}")
    staged.plant(f"update {{{{mkt_meter_install}}}} set ct_ratio = 60 where mp_no = {BILLING}")
    (violation,) = broken(staged, "XSR-03")
    billed = staged.connection.execute(
        "select sum(lines.billed_kwh) from staging.stg_marketing__bill_lines as lines"
        " inner join staging.stg_marketing__bills as bills using (bill_no)"
        " where lines.metering_point_no = %s and lines.rate_code <> 'T' and bills.bill_month = date '2026-10-01'",
        (violation["record_key"]["mp_no"],),
    ).fetchone()[0]
    assert violation["suspect_side"] == "marketing"
    assert violation["expected"].startswith("one ratio in all three, likely 80 as two of three say: 25.0 % off")
    assert violation["energy_at_stake_kwh"] == pytest.approx(billed / 3, abs=Decimal("0.01"))
    assert violation["amount_at_stake_cny"] > 0


@pytest.fixture
def three_ratios(staged: Staged) -> Staged:
    """400/5 in metering, 300/5 in marketing, 500/5 in the contract; all edited at one time, a load that any of them allows."""
    for table, ratio in (("met_measuring_point", 80), ("mkt_meter_install", 60), ("con_metering_annex", 100)):
        staged.plant(
            f"update {{{{{table}}}}} set ct_ratio = {ratio}, src_updated_at = '2026-01-01 12:00+08' where mp_no = {BILLING}"
        )
    staged.plant(f"update {{{{mkt_customer}}}} set running_cap_kva = 1000000 where cons_no = {OF_BILLING}")
    return staged


PROGRAMMED = (
    f"insert into {{{{met_event_alarm}}}} ({META}, alarm_id, mp_no, event_code, start_ts, recv_ts) select {OTHER_KEY},"
    f" alarm_id || 'P', {BILLING}, 'PROGRAM', '{{}} 12:00+08', '2026-11-05 12:05+08' from {{{{met_event_alarm}}}} limit 1"
)
INSPECTED = (
    f"update {{{{mkt_inspection}}}} set cons_no = {OF_BILLING}, done_on = date '{{}}', result_text = '电流互感器铭牌300/5'"
    " where insp_no = (select min(insp_no) from {{mkt_inspection}})"
)
AMENDED = (
    f"update {{{{con_amendment}}}} set field_name = 'ct_ratio', new_value = '100', signed_on = date '2026-01-05', effective_on = date '{{}}',"
    f" contract_no = (select min(contract_no) from {{{{con_contract}}}} where cons_no = {OF_BILLING})"
    " where amend_no = (select min(amend_no) from {{con_amendment}})"
)
EDITED = f"update {{{{con_metering_annex}}}} set src_updated_at = '2026-01-02 12:00+08' where mp_no = {BILLING}"


@pytest.mark.parametrize(
    ("statement", "suspects", "told"),
    [
        (None, None, None),
        (PROGRAMMED.replace("{}", "2026-10-29"), "marketing and contract", "80: meter programmed 2026-10-29 (5)"),
        (PROGRAMMED.replace("{}", "2026-10-28"), None, None),
        (INSPECTED.replace("{}", "2026-11-05"), "metering and contract", "60: inspection"),
        (INSPECTED.replace("{}", "2025-11-04"), None, None),
        (AMENDED.replace("{}", "2026-11-05"), "metering and marketing", "100: amendment"),
        (AMENDED.replace("{}", "2026-11-06"), None, None),
        (
            f"update {{{{mkt_meter_install}}}} set install_date = date '2026-10-05' where mp_no = {BILLING}",
            "metering and contract",
            "60: work order",
        ),
        (f"update {{{{mkt_meter_install}}}} set install_date = date '2026-10-04' where mp_no = {BILLING}", None, None),
        (EDITED, "metering and marketing", "100: edited last (1)"),
    ],
    ids=[
        "nothing",
        "programmed",
        "too_early",
        "inspected",
        "year_ago",
        "amended",
        "not_yet",
        "work_order",
        "old_order",
        "edited",
    ],
)
def test_where_all_three_differ_the_best_evidence_tells_who_is_right(three_ratios: Staged, statement, suspects, told):
    if statement:
        three_ratios.plant(statement)
    (violation,) = broken(three_ratios, "XSR-03")
    assert violation["suspect_side"] == suspects
    assert told is None or told in violation["expected"]


def test_the_only_ratio_that_the_load_allows_speaks_for_itself(three_ratios: Staged):
    """The load fits 1.2 times the running capacity with 300/5 alone."""
    three_ratios.stage()
    (power,) = three_ratios.connection.execute(
        "select max(slots.v)::numeric * min(points.pt_ratio) from raw_metering.met_interval_96 as curves, unnest(curves.v) as slots (v),"
        f" raw_metering.met_measuring_point as points where curves.mp_no = {POINT} and points.mp_no = curves.mp_no"
        " and curves.data_type = 'P' and curves.phase = 'T'"
    ).fetchone()
    three_ratios.plant(
        f"update {{{{mkt_customer}}}} set running_cap_kva = {power * 60 / Decimal('1.2') + 1} where cons_no = {OF_BILLING}"
    )
    (violation,) = broken(three_ratios, "XSR-03")
    assert violation["suspect_side"] == "metering and contract"
    assert "60: load fits this alone (3)" in violation["expected"]


def test_the_only_voltage_ratio_that_gives_the_voltage_of_the_supply_speaks_for_itself(staged: Staged):
    staged.plant(f"update {{{{mkt_meter_install}}}} set pt_ratio = 1 where mp_no = {BILLING}")
    staged.plant(f"update {{{{con_metering_annex}}}} set pt_ratio = 100 where mp_no = {BILLING}")
    (violation,) = broken(staged, "XSR-04")
    assert violation["suspect_side"] == "marketing and contract"
    assert "350: voltage fits this alone (3)" in violation["expected"]


def test_a_bulk_edit_speaks_against_its_value(three_ratios: Staged):
    """The value changed and its time of change did not: what is left of evidence is for the others, here for none alone."""
    three_ratios.plant(EDITED)
    names = [c.name for c in all_tables()["con_metering_annex"].columns]
    before = ", ".join("ct_ratio + 5" if name == "ct_ratio" else name for name in names)
    meta = "_business_date, _channel, _file_line, _is_tombstone, _key"
    three_ratios.plant(
        f"insert into {{{{con_metering_annex}}}} (_load_id, {meta}, _hash, {', '.join(names)}) select 0, {meta}, md5('before')::uuid,"
        f" {before} from {{{{con_metering_annex}}}} where mp_no = {BILLING}"
    )
    (violation,) = broken(three_ratios, "XSR-03")
    assert violation["suspect_side"] is None
    assert "100: changed in bulk (-2)" in violation["expected"]


@pytest.mark.parametrize(
    ("power_factor", "right", "wrong"),
    [("0.8980", "0", "0.5"), ("0.8944", "0.5", "0"), ("0.95", "-0.75", "-0.60"), ("0.64", "17", "16")],
)
def test_o6_power_factor_table(staged: Staged, power_factor: str, right: str, wrong: str):
    newest = "(select max(bill_no) from {{mkt_bill}} where pf_standard = '0.90')"
    for pct, fails in ((right, False), (wrong, True)):
        staged.plant(
            f"update {{{{mkt_bill}}}} set pf_actual = {power_factor}, pf_adj_pct = {pct} where bill_no = {newest}"
        )
        assert bool(broken(staged, "MKT-23")) is fails


def test_collection_is_judged_in_each_organisation_and_names_it(staged: Staged):
    """Three in twenty items of one terminal are lost in the sum of all organisations, which stays above 99 %."""
    where = f"data_date = date '2026-11-03' and terminal_no = (select terminal_no from {{{{met_measuring_point}}}} where mp_no = {BILLING})"
    staged.plant(f"update {{{{met_collect_task}}}} set received_cnt = (expected_cnt * 0.85)::integer where {where}")
    (violation,) = broken(staged, "MET-24")
    assert violation["record_key"].keys() == {"org_no", "data_date"}
    share = "select sum(received_cnt)::numeric / sum(expected_cnt) from raw_metering.met_collect_task where data_date = date '2026-11-03'"
    assert staged.connection.execute(share).fetchone()[0] > Decimal("0.99")


def test_a_longer_stand_still_is_counted_over_as_many_days_as_the_seed_says(staged: Staged):
    staged.connection.execute("update staging.quality_parameters set value = 4 where rule_id = 'MET-14'")
    where = f"data_type in ('E+', 'RQ1', 'RQ4') and data_date >= date '2026-11-01' and mp_no = {BILLING}"
    staged.plant(f"update {{{{met_interval_96}}}} set v = array_fill(0::float8, array[96]) where {where}")
    assert {violation["observed"] for violation in broken(staged, "MET-14")} == {"0 kWh for 4 days"}


def test_a_curve_is_quarantined_below_86_slots_and_a_warning_above(staged: Staged):
    for missing, severity in ((10, "warn"), (11, "quarantine")):
        staged.plant(
            f"update {{{{met_interval_96}}}} set v = array_fill(null::float8, array[{missing}]) || v[{missing} + 1:96]"
            f" where {E_PLUS} and mp_no = {BILLING}"
        )
        (violation,) = broken(staged, "MET-02")
        assert violation["severity"] == severity


def test_personal_values_are_withheld_and_the_place_is_named(staged: Staged):
    staged.plant(
        f"update {{{{mkt_contact}}}} set mobile = '13800000000' where cons_no = {ACCOUNT} and contact_role = 'FINANCE'"
    )
    (violation,) = broken(staged, "MKT-06")
    assert violation["observed"] == "withheld (personal)"
    assert violation["record_key"] == {"cons_no": violation["account_no"], "contact_role": "FINANCE"}
    assert violation["source_reference"].startswith("mkt_contact")


def test_an_open_finding_is_tested_again_when_its_record_is(staged: Staged):
    staged.plant(f"update {{{{mkt_customer}}}} set cons_name = '测试' where cons_no = {ACCOUNT}")
    (violation,) = broken(staged, "MKT-03")
    staged.connection.execute(
        """insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
            record_key, column_name, raw_id)
        select 1, run_id, 'opened', now(), rule_id, 'arbitrary', severity, source_name, table_name, record_key, column_name, raw_id
        from quality.violations where rule_id = 'MKT-03'"""
    )
    evaluate(staged.connection, RULES["MKT-03"], staged.run_id, staged.business_date)
    evaluate(staged.connection, RULES["MKT-03"], staged.run_id, staged.business_date)
    assert staged.connection.execute("select finding_id from quality.findings_rechecked").fetchall() == [(1,)]
    counts = staged.connection.execute(
        "select tested_rows, failed_rows from quality.rule_results where rule_id = 'MKT-03'"
    )
    assert counts.fetchall() == [(20, 1)]
    assert violation["raw_id"] is not None


def test_a_rule_whose_sql_fails_is_named_with_the_database_s_words(staged: Staged):
    from dataclasses import replace

    rule = replace(RULES["MKT-03"], tested_sql="select no_such_column as raw_id from quality.current_run")
    with pytest.raises(RuleEvaluationError, match=r'MKT-03_.*\.sql.*column "no_such_column" does not exist'):
        evaluate(staged.connection, rule, staged.run_id, staged.business_date)
    assert staged.connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def test_a_severity_above_the_rule_s_own_is_refused(staged: Staged):
    from dataclasses import replace

    rule = replace(RULES["MKT-03"], violations_sql="select raw_id, 'block' as severity from tested")
    with pytest.raises(RuleEvaluationError, match="severity block, above the rule's quarantine"):
        evaluate(staged.connection, rule, staged.run_id, staged.business_date)


def test_a_table_that_did_not_arrive_blocks(staged: Staged):
    from include.quality.base_rules import load_base_rules

    arrival = {r.id: r for r in load_base_rules()}
    staged.connection.execute("delete from quality.receipts where table_name = 'mkt_bill'")
    staged.connection.execute("update quality.receipts set delivered_rows = 0 where table_name = 'mkt_customer'")
    for table, file in (("con_contract", "con_contract/a.csv"), ("con_amendment", None)):  # a database has no file
        staged.connection.execute(
            "update quality.receipts set state = 'refused', file_name = %s where table_name = %s", (file, table)
        )
    observed = {name: [v["observed"] for v in staged.violations(arrival[f"ARR-{name}"])] for name in all_tables()}
    assert {name: seen for name, seen in observed.items() if seen} == {
        "mkt_bill": ["no delivery"],
        "mkt_customer": ["delivered without a row"],
        "con_contract": ["1 refused: con_contract/a.csv"],
        "con_amendment": ["1 refused"],
    }
