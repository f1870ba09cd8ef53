"""Copies under a new number, values shared by unrelated holders, records that repeat the one before, entries that crowd.

Clean data break no rule of these families; each declaration is broken once by a fault made from it, and is silent one step beside it.
"""

from __future__ import annotations

import pytest

from include.quality.base_rules import load_base_rules
from tests.rules.declared_faults import CROWDS, FAULTS, crowd, tell_their_columns
from tests.rules.staged import Staged

FAMILIES = ("DUP", "SHA", "REP", "CRD")
RULES = {rule.id: rule for rule in load_base_rules() if rule.id.startswith(FAMILIES)}


def test_clean_data_break_no_rule_of_the_families(staged: Staged):
    broken = {rule_id: staged.answer(rule)[1] for rule_id, rule in RULES.items()}
    assert {rule_id: found for rule_id, found in broken.items() if found} == {}
    assert {family: sum(rule_id.startswith(family) for rule_id in RULES) for family in FAMILIES} == {
        "DUP": 19,
        "SHA": 8,
        "REP": 5,
        "CRD": 7,
    }


# -- copies


@pytest.mark.parametrize(
    ("kind", "tables", "columns", "least_told", "least_silent"),
    [
        ("copies", 14, set(), 14, 60),
        ("sharings", 5, {"mkt_customer.legal_rep", "mkt_contact.phone", "mkt_manager_visit.summary"}, 7, 15),
        ("repeats", 4, {"met_voltage_daily", "mkt_manager_assessment", "mkt_bill"}, 5, 20),
        ("crowds", 7, {"mkt_customer", "mkt_app_stage.duration", "mkt_inspection.day"}, 60, 90),
    ],
)
def test_every_declaration_is_judged(
    staged: Staged, kind: str, tables: int, columns: set[str], least_told: int, least_silent: int
):
    whats = [fault.what for fault in FAULTS[kind](staged)]
    seen = {what[0] for what in whats}
    assert len(seen) >= tables
    assert columns <= seen | {f"{what[0]}.{what[1]}" for what in whats}
    told, silent = tell_their_columns(staged, FAULTS[kind])
    assert (told >= least_told, silent >= least_silent) == (True, True)


def test_of_two_records_that_are_one_the_later_is_told(staged: Staged):
    """Two tickets of a call (synthetic), of which the one with the smaller number was accepted two minutes later."""
    raw = "raw_marketing.mkt_ticket"
    staged.connection.execute(
        f"delete from {raw} where _raw_id not in (select _raw_id from {raw} order by _raw_id limit 2)"
    )
    staged.connection.execute(
        f"update {raw} set cons_no = '0310000001', ticket_type = 'INQUIRY', sub_type = null, reopen_of = null"
    )
    numbers = [row[0] for row in staged.connection.execute(f"select _raw_id from {raw} order by _raw_id").fetchall()]
    for raw_id, number, minute in zip(numbers, ("T2", "T1"), ("10:00", "10:02"), strict=True):
        staged.connection.execute(
            f"update {raw} set ticket_no = %s, accepted_at = %s where _raw_id = %s",
            (number, f"2026-11-01 {minute}+08", raw_id),
        )
    (found,) = staged.violations(RULES["DUP-mkt_ticket"])
    assert (found["record_key"], found["column_name"], found["severity"]) == ({"ticket_no": "T1"}, "ticket_no", "warn")
    assert found["observed"].startswith("T1 beside ticket_no T2, accepted_at ")


def test_one_score_that_happens_to_be_the_same_repeats_nothing(staged: Staged):
    raw, rule = "raw_marketing.mkt_manager_assessment", RULES["REP-mkt_manager_assessment"]
    one = f"update {raw} set raw_score = 80 where dimension = (select min(dimension) from {raw})"
    staged.connection.execute(one)
    assert staged.columns(rule) == set()


# -- crowds


@pytest.mark.parametrize(("rule_id", "values", "columns"), CROWDS)
def test_a_crowd_is_told_at_its_unit(staged: Staged, rule_id: str, values: str, columns: set[str]):
    for statement in crowd(rule_id, values):
        staged.connection.execute(statement)
    assert staged.columns(RULES[rule_id]) == columns


def test_a_crowd_of_a_kind_is_told_at_its_kind_and_at_its_department(staged: Staged):
    """Twelve arrivals after 44 minutes to the second: at the department twice (by minutes and by seconds), at the kind once."""
    rule_id, values, _ = next(of for of in CROWDS if "n <= 12 then 44" in of[1])
    for statement in crowd(rule_id, values):
        staged.connection.execute(statement)
    found = [(v["record_key"], v["column_name"]) for v in staged.violations(RULES[rule_id])]
    department, kind = ({"dept_no": "D07"}, "arrived_at"), ({"ticket_type": "FAULT"}, "arrived_at")
    assert found == [department, department, kind]
