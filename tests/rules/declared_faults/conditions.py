"""Columns that should be filled, empty or another value; rows in force beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from include.contracts import Table
from include.contracts.declarations import FILLED
from include.quality.condition_rules import condition_rule
from include.quality.period_rules import period_rule
from tests.rules.declared_faults.made import BUSINESS_DATE, Fault, fault, set_all, tables_with_rows
from tests.rules.declared_faults.own_days import at_column
from tests.rules.staged import Staged


def conditions(staged: Staged) -> Iterator[Fault]:
    """All rows get what the condition asks about, and then what it forbids; and with what it asks about taken away, nothing."""
    for table in tables_with_rows(staged):
        for condition in table.conditions:
            rule = condition_rule(replace(table, conditions=(condition,)))
            column = table.column(condition.column)
            some = "'2020-01-01'" if column.physical_type in ("date", "timestamptz") else "'7'"
            what = (table.name, condition.column, condition.be)
            given = [f"{name} = {_filled(table, name)}" for name in condition.given]
            given += [f"{condition.since} = '2020-01-01'"] if condition.since else []
            empty = {"null", "' '"} if column.physical_type == "text" else {"null"}
            wrong, right = (empty, {some}) if condition.be == FILLED else ({some}, empty)
            if isinstance(condition.be, tuple):
                right = right | {f"'{value}'" for value in condition.be}
            kinds = [[f"{name} = '{value}'"] for name, values in condition.where for value in values]
            for kind in kinds or [[]]:
                for value in sorted(wrong | right):
                    planted = set_all(table, [*kind, *given, f"{column.name} = {value}"])
                    yield fault((*what, *kind, value), rule, {column.name} if value in wrong else set(), planted)
            for back, told in ((0, {column.name}), (-1, set())) if condition.since else ():  # due today, and tomorrow
                day = (BUSINESS_DATE - timedelta(days=condition.due_days + back)).isoformat()
                dated = f"{condition.since} = {at_column(table, condition.since, day)}"
                planted = set_all(table, [*kinds[0], dated, f"{column.name} = {min(wrong)}"])
                yield fault((*what, "due", back), rule, told, planted)
            for name in [*(n for n, _ in condition.where), *condition.given]:
                other = "'another'" if condition.where else "null"
                planted = set_all(table, [f"{name} = {other}", f"{column.name} = {min(wrong)}"])
                yield fault((*what, "another", name), rule, set(), planted)


def _filled(table: Table, name: str) -> str:
    kind = table.column(name).physical_type
    return "'2020-01-01'" if kind in ("date", "timestamptz") else "'7'"


# -- periods


def periods(staged: Staged) -> Iterator[Fault]:
    """Two rows of one thing in force from one day on: the end of the first is told; a day between them only where none may be."""
    for table in tables_with_rows(staged):
        for period in table.periods:
            rule = period_rule(replace(table, periods=(period,)))
            first, last = table.in_force
            two = f"select _raw_id, row_number() over (order by _raw_id) as place from {table.raw_name} limit 2"
            from_two = f"from ({two}) as two where raw._raw_id = two._raw_id"
            alike = [f"{name} = 'alike'" for name in period.by] + [f"{n} = '{values[0]}'" for n, values in period.where]
            places = "case place when 1 then date '2020-01-01' else date '2021-01-01' end"

            def planted(
                end: str, *values: str, of_next: str = "null", t=table, f=first, la=last, w=from_two, p=places
            ) -> str:
                dated = f"{f} = {p}, {la} = case place when 1 then date '{end}' else {of_next} end"
                return f"update {t.raw_name} as raw set {', '.join([dated, *values])} {w}"

            gap = {first} if period.is_gapless else set()
            for end, told in (
                ("2021-01-02", {last}),
                ("2021-01-01", set()),
                ("2020-12-31", set()),
                ("2020-12-30", gap),
            ):
                yield fault((table.name, end), rule, told, planted(end, *alike))
            for of_next, told in (
                ("2021-01-01", {last}),
                ("2020-12-31", set()),
            ):  # of a day, and one that ends before it begins
                next_one = planted("2021-01-02", *alike, of_next=f"date '{of_next}'")
                yield fault((table.name, "the next", of_next), rule, told, next_one)
            for name in period.by:
                others = [f"{n} = 'alike'" for n in period.by if n != name]
                values = [*alike[len(period.by) :], *others, f"{name} = 'of ' || place"]
                yield fault((table.name, "of another", name), rule, set(), planted("2021-01-02", *values))
            for name, _ in period.where:
                values = [f"{n} = 'alike'" for n in period.by] + [f"{name} = 'another'"]
                yield fault((table.name, "of another", name), rule, set(), planted("2021-01-02", *values))
