"""IFF: a column is filled, empty or one of some values where other columns of its row say so, as its contract declares."""

from __future__ import annotations

from include.contracts import Table
from include.contracts.declarations import EMPTY, FILLED, Condition
from include.quality.made_rules import Check, checked_rule, is_absent, of_kind, text
from include.quality.referred_rows import local_day
from include.quality.rules import Rule


def condition_rule(table: Table) -> Rule | None:
    """The rule on the conditions of a table that no rule of the catalogue carries; None where there are none."""
    conditions = [condition for condition in table.conditions if not condition.rule]
    if not conditions:
        return None
    return checked_rule(
        table,
        "IFF",
        [condition_check(table, condition) for condition in conditions],
        sentence=f"What one column of {table.name} says of another holds: {'; '.join(map(_stated, conditions))}.",
        axis="missing" if all(c.be == FILLED for c in conditions) else "mismatch",
        dimension="completeness",
        reason="A record that says it is done, and not when or by whom, is no record.",
    )


def condition_check(table: Table, condition: Condition) -> Check:
    """The check of one condition, told at its column. A listed value is not asked of an empty column."""
    column = table.column(condition.column)
    absent = is_absent(column)
    if condition.be == FILLED:
        fails, seen, expected = absent, text("empty"), "a value"
    elif condition.be == EMPTY:
        fails, seen, expected = f"not ({absent})", f"raw.{column.name}::text", "empty"
    else:
        listed = ", ".join(text(value) for value in condition.be)
        fails = f"not ({absent}) and raw.{column.name}::text not in ({listed})"
        seen, expected = f"raw.{column.name}::text", f"one of {', '.join(condition.be)}"
    given = of_kind(condition.where)
    given += [f"not ({is_absent(table.column(name))})" for name in condition.given]
    if condition.since:
        given.append(f"{local_day(table, condition.since)} + {condition.due_days} <= :business_date")
    return Check(
        column.name,
        " and ".join([fails, *given]),
        seen,
        text(f"{expected} where {_when(condition)}"),
        condition.severity,
    )


def _when(condition: Condition) -> str:
    said = [f"{name} is {' or '.join(values)}" for name, values in condition.where]
    when = " and ".join([*said, *(f"{name} is filled" for name in condition.given)])
    return f"{when}, {condition.due_days} days after {condition.since}" if condition.since else when


def _stated(condition: Condition) -> str:
    be = condition.be if isinstance(condition.be, str) else " or ".join(condition.be)
    return f"{condition.column} is {be} where {_when(condition)}"
