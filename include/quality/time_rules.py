"""TIM: the dates and times of a row are in the order that its contract declares.

Equal times are in order; a day counts whole, so that a time on the same day is in order with it. Of a chain the column is
told that disagrees with most of the others, of equals the later one.
"""

from __future__ import annotations

from itertools import combinations

from include.contracts import Table
from include.contracts.declarations import Order
from include.quality.made_rules import Check, checked_rule, text
from include.quality.referred_rows import ReferredRows
from include.quality.rules import Rule


def time_rule(table: Table) -> Rule | None:
    """The rule on the chains of a table that no rule of the catalogue carries; None where there are none."""
    rows = ReferredRows(table)
    checks = [check for order in table.order if not order.rule for check in chain_checks(rows, order)]
    if not checks:
        return None
    chains = "; ".join(", ".join(o.columns) for o in table.order if not o.rule)
    return checked_rule(
        table,
        "TIM",
        checks,
        sentence=f"The times of {table.name} are in their order: {chains}.",
        dimension="consistency",
        reason="A duration between times out of order is negative, and one of them is wrong.",
        joins=rows.joins,
        targets=rows.targets,
        doubles=rows.can_double,
    )


def chain_checks(rows: ReferredRows, order: Order) -> list[Check]:
    """A check for each own column of a chain: it disagrees with more of the others than any, or with as many and comes last."""
    disagreements = {
        (a, b): f"coalesce(({is_after(rows, a, b, order.tolerance_minutes)})::integer, 0)"
        for a, b in combinations(order.columns, 2)
    }
    count = {c: " + ".join(sql for pair, sql in disagreements.items() if c in pair) for c in order.columns}
    checks = []
    for place, column in enumerate(order.columns):
        if "." in column:
            continue
        # A row cannot help what the row it refers to says: against it the own column is told.
        before = [c for c in order.columns[:place] if "." not in c]
        after = [c for c in order.columns[place + 1 :] if "." not in c]
        conditions = [f"{count[column]} > 0"]
        conditions += [f"({count[column]}) >= ({count[other]})" for other in before]
        conditions += [f"({count[column]}) > ({count[other]})" for other in after]
        others = " || ', ' || ".join(
            f"{text(c + ' ')} || coalesce({rows.value(c)}::text, 'empty')" for c in order.columns if c != column
        )
        expected = " <= ".join(order.columns)
        checks.append(
            Check(
                column,
                " and ".join(conditions),
                f"{rows.value(column)}::text || ' (' || {others} || ')'",
                text(expected),
                order.severity,
            )
        )
    return checks


def is_after(rows: ReferredRows, earlier: str, later: str, tolerance_minutes: int = 0) -> str:
    """SQL condition: what should be the earlier is after the later, by more than the tolerance between two clocks."""
    kinds = [rows.physical_type(path) for path in (earlier, later)]
    if kinds == ["timestamptz", "timestamptz"]:
        late = f" + interval '{tolerance_minutes} minutes'" if tolerance_minutes else ""
        return f"{rows.value(earlier)} > {rows.value(later)}{late}"
    return f"{_day(rows, earlier)} > {_day(rows, later)}"


def _day(rows: ReferredRows, path: str) -> str:
    value = rows.value(path)
    return value if rows.physical_type(path) == "date" else f"({value} at time zone 'Asia/Shanghai')::date"
