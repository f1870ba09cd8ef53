"""References, equations, orders of times and meanings that the contracts declare: clean data break none, planted rows do.

The typed cases are in `contract_cases.yaml`; beside them each declaration is broken once by a fault made from it, so that none
is dead.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from include.contracts import all_tables
from include.quality.base_rules import load_base_rules
from tests.rules.declared_faults import FAULTS, tell_their_columns
from tests.rules.staged import Staged

FAMILIES = ("REF", "EQU", "TIM", "SEM", "IFF", "PER")
RULES = {rule.id: rule for rule in load_base_rules() if rule.id.startswith(FAMILIES)}


CASES = yaml.safe_load(Path(__file__).with_name("contract_cases.yaml").read_text(encoding="utf-8"))


def statement(step: dict) -> str:
    """SQL of a step of a case: a change of the first row by key that fits, its removal, or SQL as it is."""
    if "sql" in step:
        return step["sql"]
    table = all_tables()[step.get("change") or step["remove"]]
    first = f"select _raw_id from {table.raw_name} where {step.get('where', 'true')} order by {', '.join(table.key)}, _raw_id limit 1"
    if "remove" in step:
        return f"delete from {table.raw_name} where _raw_id = ({first})"
    return f"update {table.raw_name} set {step['set']} where _raw_id = ({first})"


def test_clean_data_break_no_rule_of_the_families(staged: Staged):
    broken = {rule_id: staged.answer(rule)[:2] for rule_id, rule in RULES.items()}
    assert {rule_id: answer for rule_id, answer in broken.items() if answer[1]} == {}
    assert {family: sum(rule_id.startswith(family) for rule_id in RULES) for family in FAMILIES} == {
        "REF": 27,
        "EQU": 24,
        "TIM": 35,
        "SEM": 52,
        "IFF": 13,
        "PER": 8,
    }
    untested = {rule_id for rule_id, (tested, _) in broken.items() if not tested}
    assert untested <= {
        f"{family}-{table}"
        for family in FAMILIES
        for table in ("con_amendment", "mkt_violation", "mkt_supply_security", "mkt_service_tier")
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']}: {case['case']}")
def test_a_planted_row_is_told_at_its_column(staged: Staged, case: dict):
    for step in case["given"]:
        assert staged.connection.execute(statement(step)).rowcount > 0, step
    rule = RULES[case["rule"]]
    assert (staged.columns(rule), staged.verdict(rule)) == (set(case["finds"]), case.get("severity"))


# Kind of fault -> the least number of columns told and of faults that nothing is told of.
LEAST = {
    "ranges": (150, 60),
    "days": (200, 60),
    "texts": (500, 40),
    "seeds": (300, 0),
    "orders": (100, 100),
    "equations": (100, 80),
    "conditions": (25, 40),
    "periods": (8, 20),
    "references": (40, 0),
    "totals": (7, 0),
    "identities": (15, 8),
}


@pytest.mark.parametrize("kind", LEAST)
def test_every_declaration_is_judged(staged: Staged, kind: str):
    """A rule made of the declaration alone tells of a fault that it should see, and of none a step beside it."""
    told, silent = tell_their_columns(staged, FAULTS[kind])
    assert (told, silent) >= LEAST[kind]
    assert silent >= LEAST[kind][1]


def test_every_total_relation_is_judged(staged: Staged):
    assert sorted(fault.what for fault in FAULTS["totals"](staged) if len(fault.what) == 2) == [
        ("con_transformer_annex", "con_contract"),
        ("met_measuring_point", "met_meter"),
        ("met_measuring_point", "mkt_mp"),
        ("mkt_account", "mkt_customer"),
        ("mkt_meter_install", "mkt_mp"),
        ("mkt_mp", "mkt_customer"),
        ("mkt_tariff_assign", "mkt_mp"),
    ]
