"""Times out of their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from include.contracts import Table
from include.quality.rules import Rule
from include.quality.time_rules import time_rule
from tests.rules.declared_faults.equations import referred
from tests.rules.declared_faults.made import Fault, fault, set_all, tables_with_rows
from tests.rules.staged import Staged


def orders(staged: Staged) -> Iterator[Fault]:
    """Every pair of an order alone, and every column of a chain far from its place."""
    for table in tables_with_rows(staged):
        for order in (o for o in table.order if not o.rule):
            rule = time_rule(replace(table, order=(order,)))
            for earlier, later in combinations(order.columns, 2):
                if "." in later or earlier.startswith("reopen_of."):
                    continue  # the row referred to is of the same table and would change too: a typed case
                every = dict.fromkeys(c for o in table.order for c in o.columns if "." not in c)
                others = [f"{c} = null" for c in every if c not in (earlier, later)]
                if "." in earlier:
                    what = (table.name, earlier, later)
                    far = set_all(table, [*others, f"{later} = '1951-02-01'"])
                    yield fault(what, rule, {later}, far)
                    at = referred(table, earlier)
                    if table.column(later).physical_type == "timestamptz" and "_at" in earlier:
                        step = "interval '1 second'"
                    else:  # a day counts whole
                        at, step = f"({at})::date", "1"
                    for value, told in ((at, set()), (f"{at} - {step}", {later})):
                        yield fault((*what, value), rule, told, set_all(table, [*others, f"{later} = {value}"]))
                    continue
                pairs = [("2026-02-02", "2026-02-01", True), ("2026-02-01", "2026-02-01", False)]
                if {table.column(c).physical_type for c in (earlier, later)} == {"timestamptz"}:
                    at = f"10:{order.tolerance_minutes:02d}"
                    pairs += [(f"2026-02-01 {at}:0{second}+08", "2026-02-01 10:00+08", second > 0) for second in (0, 1)]
                elif table.column(earlier).physical_type == "date":  # a day counts whole, where it is
                    pairs.append(("2026-02-01", "2026-02-01 00:00+08", False))
                    pairs.append(("2026-02-02", "2026-02-01 23:59+08", True))
                for first, second, is_told in pairs:
                    planted = set_all(table, [*others, f"{earlier} = '{first}'", f"{later} = '{second}'"])
                    yield fault((table.name, earlier, later, first), rule, {later} if is_told else set(), planted)
            yield from _strays(table, rule, order.columns)


def _strays(table: Table, rule: Rule, columns: tuple[str, ...]) -> Iterator[Fault]:
    """One column of a chain before or after all others. It disagrees with each that it passed; of two that disagree the later is told."""
    if any("." in c for c in columns):
        return
    last = len(columns) - 1
    in_order = {c: f"2026-02-{place + 2:02d}" for place, c in enumerate(columns)}
    yield fault((table.name, columns), rule, set(), set_all(table, [f"{c} = '{at}'" for c, at in in_order.items()]))
    for place, column in enumerate(columns):
        passed_before, passed_after = place, last - place
        told_after = {column} if passed_after > 1 else {columns[last]} if passed_after else set()
        for at, told in (("2026-01-01", {column} if passed_before else set()), ("2026-03-01", told_after)):
            planted = set_all(table, [f"{c} = '{when}'" for c, when in (in_order | {column: at}).items()])
            yield fault((table.name, columns, column, at), rule, told, planted)
