"""References, equations, orders of times and meanings that the contracts declare: clean data break none, planted rows do.

The typed cases are in `contract_cases.yaml`; beside them each declaration is broken once by a fault made from it, so that none
is dead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from include.contracts import Reference, Table, all_tables
from include.contracts.declarations import ALWAYS, FILLED, names_in
from include.contracts.meanings import DAY, MEANINGS, NUMBER, TIME
from include.quality.base_rules import load_base_rules
from include.quality.condition_rules import condition_rule
from include.quality.equation_rules import equation_check, equation_rule
from include.quality.period_rules import period_rule
from include.quality.reference_rules import reference_rule
from include.quality.referred_rows import ReferredRows, is_as_of
from include.quality.rules import Rule
from include.quality.time_rules import time_rule
from tests.rules.conftest import BUSINESS_DATE
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


def change(table: str, values: str) -> str:
    return statement({"change": table, "set": values})


def test_clean_data_break_no_rule_of_the_families(staged: Staged):
    broken = {rule_id: staged.answer(rule)[:2] for rule_id, rule in RULES.items()}
    assert {rule_id: answer for rule_id, answer in broken.items() if answer[1]} == {}
    assert {family: sum(rule_id.startswith(family) for rule_id in RULES) for family in FAMILIES} == {
        "REF": 27,
        "EQU": 24,
        "TIM": 34,
        "SEM": 51,
        "IFF": 12,
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


def rows_of(staged: Staged, table: Table) -> int:
    return staged.connection.execute(f"select count(*) from {table.raw_name}").fetchone()[0]


def test_every_plausible_range_is_judged_at_both_ends(staged: Staged):
    """One step outside each end fails at the column; the ends themselves pass."""
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
    """The first and the last day that can be pass, one day outside fails, in the morning and late at night alike."""
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


# -- each declaration alone: a rule made of it is broken by a fault that it should see


def told(staged: Staged, rule: Rule, *statements: str) -> set[str]:
    """The columns told after all rows of a table were changed; the change is taken back."""
    with staged.connection.transaction(force_rollback=True):
        for one in statements:
            staged.connection.execute(one)
        return staged.columns(rule)


def alone(table: Table, **kept) -> Table:
    """A table that declares only what is kept: no identity, no total relation of others."""
    bare = tuple(replace(column, identity=None) for column in table.columns)
    return replace(table, columns=bare, **kept)


def test_every_pair_of_an_order_is_judged(staged: Staged):
    seen = 0
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for order in (o for o in table.order if not o.rule):
            rule = time_rule(replace(table, order=(order,)))
            for earlier, later in combinations(order.columns, 2):
                if "." in later or earlier.startswith("reopen_of."):
                    continue  # the row referred to is of the same table and would change too: a typed case
                others = [c for c in order.columns if c not in (earlier, later) and "." not in c]
                for first_day, is_told in (("2026-02-02", True), ("2026-02-01", False)):
                    if "." in earlier and not is_told:
                        continue
                    values = [f"{c} = null" for c in others] + [
                        f"{later} = '1951-02-01'" if "." in earlier else f"{later} = '2026-02-01'"
                    ]
                    values += [f"{earlier} = '{first_day}'"] if "." not in earlier else []
                    found = told(staged, rule, f"update {table.raw_name} set {', '.join(values)}")
                    assert found == ({later} if is_told else set()), (table.name, earlier, later)
                    seen += 1
    assert seen > 60


def test_every_equation_is_judged(staged: Staged):
    seen = 0
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for equation in (e for e in table.equations if not e.rule):
            rule = equation_rule(replace(table, equations=(equation,)))
            column = equation_check(ReferredRows(table), equation).column
            is_time = table.column(column).physical_type in ("date", "timestamptz")
            grows = equation.relation == "=" or (column in equation.left) == (equation.relation == "<=")
            far = "'1950-01-01'" if is_time else f"{'' if grows else '-'}987654321"
            wide = "select" if is_time else f"alter table {table.raw_name} alter {column} type numeric"
            own = {c.name for c in table.columns} - {column}
            others = [n for n in names_in(f"{equation.left} {equation.right}") if n in own]
            values = [f"{n} = coalesce({n}, 0)" for n in others if "numeric" in table.column(n).physical_type]
            change_all = f"update {table.raw_name} set {', '.join([*values, f'{column} = {far}'])}"
            found = told(staged, rule, wide, change_all)
            assert found == {column}, (table.name, equation.name)
            seen += 1
    assert seen > 40


def test_every_condition_is_judged(staged: Staged):
    """All rows get what the condition asks about, and then what it forbids; and with what it asks about taken away, nothing."""
    seen = 0
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for condition in table.conditions:
            rule = condition_rule(replace(table, conditions=(condition,)))
            column = table.column(condition.column)
            some = "'2020-01-01'" if column.physical_type in ("date", "timestamptz") else "'7'"
            asked = [f"{name} = '{values[0]}'" for name, values in condition.where]
            asked += [f"{name} = {_filled(table, name)}" for name in condition.given]
            wrong, right = ("null", some) if condition.be == FILLED else (some, "null")
            for value, is_told in ((wrong, {column.name}), (right, set())):
                values = ", ".join([*asked, f"{column.name} = {value}"])
                assert told(staged, rule, f"update {table.raw_name} set {values}") == is_told, (table.name, condition)
            name = condition.where[0][0] if condition.where else condition.given[0]
            other = f"{name} = {chr(39) + 'another' + chr(39) if condition.where else 'null'}, {column.name} = {wrong}"
            assert told(staged, rule, f"update {table.raw_name} set {other}") == set(), (table.name, condition)
            seen += 1
    assert seen == 24


def _filled(table: Table, name: str) -> str:
    kind = table.column(name).physical_type
    return "'2020-01-01'" if kind in ("date", "timestamptz") else "'7'"


def test_every_period_is_judged(staged: Staged):
    """Two rows of one thing in force from one day on: the end of the first is told; a day between them only where none may be."""
    seen = 0
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for period in table.periods:
            rule = period_rule(replace(table, periods=(period,)))
            first, last = table.in_force
            two = f"select _raw_id, row_number() over (order by _raw_id) as place from {table.raw_name} limit 2"
            alike = [f"{name} = 'alike'" for name in period.by] + [f"{n} = '{values[0]}'" for n, values in period.where]
            places = "case place when 1 then date '2020-01-01' else date '2021-01-01' end"
            for end, is_told in (("2021-01-02", {last}), ("2020-12-31", set()), ("2020-06-30", {first})):
                days = f"{first} = {places}, {last} = case place when 1 then date '{end}' end"
                change_two = (
                    f"update {table.raw_name} as raw set {', '.join(alike)}, {days} from ({two}) as two"
                    " where raw._raw_id = two._raw_id"
                )
                wanted = is_told if end != "2020-06-30" or period.is_gapless else set()
                assert told(staged, rule, change_two) == wanted, (table.name, end)
            seen += 1
    assert seen >= 7


def test_every_reference_across_systems_and_dates_is_judged(staged: Staged):
    seen = 0
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for reference in table.references:
            if reference.is_cross_system:
                rule = reference_rule(alone(table, references=(replace(reference, agrees=()),)))
                change_all = f"update {table.raw_name} set {reference.columns[0]} = 'no such row'"
                assert reference.columns[0] in told(staged, rule, change_all), (table.name, reference)
                seen += 1
            if is_as_of(reference):
                rule = reference_rule(alone(table, references=(replace(reference, agrees=(), is_cross_system=False),)))
                target = all_tables()[reference.target_table]
                first_day, last_day = target.in_force
                over = f"update {target.raw_name} set {first_day} = '1950-01-01', {last_day} = '1950-01-02'"
                if target is not table:  # its own rows would end with those that they refer to
                    assert reference.columns[0] in told(staged, rule, over), (table.name, reference)
                    seen += 1
    assert seen > 25


def test_every_total_relation_is_judged(staged: Staged):
    seen = []
    for other in all_tables().values():
        for reference in (r for r in other.references if r.is_total):
            rule = RULES[f"REF-{reference.target_table}"]
            assert reference.target_columns[0] in told(staged, rule, f"delete from {other.raw_name}"), (
                other.name,
                reference,
            )
            seen.append((other.name, reference.target_table))
    assert sorted(seen) == [
        ("con_transformer_annex", "con_contract"),
        ("met_measuring_point", "met_meter"),
        ("met_measuring_point", "mkt_mp"),
        ("mkt_account", "mkt_customer"),
        ("mkt_meter_install", "mkt_mp"),
        ("mkt_mp", "mkt_customer"),
        ("mkt_tariff_assign", "mkt_mp"),
    ]


def test_every_column_that_repeats_another_is_judged(staged: Staged):
    seen = 0
    for table in filter(partial(rows_of, staged), all_tables().values()):
        for reference in table.references:
            for own, theirs in reference.agrees:
                if table.name == "con_amendment" or reference.target_table == table.name:
                    continue  # no amendment by application here; the row referred to would change too
                rule = reference_rule(
                    alone(table, references=(*_but(table, reference), replace(reference, agrees=((own, theirs),))))
                )
                column = own if "." not in own else reference.columns[0]
                another = f"(select max({column}) from {table.raw_name})" if "_no" in column else "'X'"
                if column == "uscc":
                    another = "'91310101MA1508372X'"
                if column == "parent_mp_no":
                    another = f"(select min(mp_no) from {table.raw_name})"
                assert column in told(staged, rule, f"update {table.raw_name} set {column} = {another}"), (
                    table.name,
                    own,
                )
                seen += 1
    assert seen > 15


def _but(table: Table, reference: Reference) -> list[Reference]:
    """The other references, judging nothing: they say which numbers are known."""
    others = [r for r in table.references if r is not reference]
    return [replace(r, agrees=(), is_cross_system=False, match="whole") for r in others]
