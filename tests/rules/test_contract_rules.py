"""References, equations, orders of times and meanings that the contracts declare: clean data break none, planted rows do.

The typed cases are in `contract_cases.yaml`; beside them ranges and identities are each broken once by a fault made from the
declaration, so that none is dead.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from include.contracts import Table, all_tables
from include.contracts.declarations import ALWAYS
from include.contracts.meanings import DAY, MEANINGS, NUMBER, TIME
from include.quality.base_rules import load_base_rules
from tests.rules.conftest import BUSINESS_DATE
from tests.rules.staged import Staged

FAMILIES = ("REF", "EQU", "TIM", "SEM")
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


def change(table: str, values: str) -> str:
    return statement({"change": table, "set": values})


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['rule']}: {case['case']}")
def test_a_planted_row_is_told_at_its_column(staged: Staged, case: dict):
    for step in case["given"]:
        assert staged.connection.execute(statement(step)).rowcount > 0, step
    rule = RULES[case["rule"]]
    assert (staged.columns(rule), staged.verdict(rule)) == (set(case["finds"]), case.get("severity"))


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


def day(bound: str) -> date:
    """A plausible day as it is typed in a contract, on the business date of these tests."""
    if not bound.startswith("business_date"):
        return date.fromisoformat(bound)
    _, count, unit = bound.removeprefix("business_date ").split()
    return (
        BUSINESS_DATE + timedelta(days=int(count)) if unit == "days" else BUSINESS_DATE.replace(year=2026 + int(count))
    )


def test_every_plausible_day_is_judged_at_both_ends(staged: Staged):
    """The first and the last day that can be are not told, one day outside is, in the morning and late at night alike."""
    seen = 0
    for table in all_tables().values():
        rule = RULES[f"SEM-{table.name}"]
        for column in table.scalar_columns:
            kind = MEANINGS[column.meaning].kind
            if kind not in (DAY, TIME) or "range" in dict(column.judged_by) or not rows_of(staged, table):
                continue
            for end, step, hour in zip(column.plausible, (-1, 1), ("00:00", "23:59"), strict=True):
                for value, told in ((day(end), set()), (day(end) + timedelta(days=step), {column.name})):
                    at = value.isoformat() if kind == DAY else f"{value} {hour}+08"
                    with staged.connection.transaction(force_rollback=True):
                        staged.connection.execute(change(table.name, f"{column.name} = '{at}'"))
                        assert staged.columns(rule) == told, (table.name, column.name, at)
                    seen += 1
    assert seen > 400


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
