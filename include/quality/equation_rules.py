"""EQU: what the numbers of a row, of the rows it refers to and of its children state about each other, as its contract declares."""

from __future__ import annotations

import re

from include.contracts import Column, Reference, Table, all_tables
from include.contracts.declarations import FUNCTIONS, Child, Equation, names_in
from include.contracts.meanings import QUANTITIES
from include.quality.made_rules import Check, checked_rule, of_kind, text, trimmed
from include.quality.referred_rows import ReferredRows, delivered
from include.quality.rule_macros import render
from include.quality.rules import Rule

EXPECTED, OVERFLOW_CODES = "int_expected_things", "quality_overflow_codes"
_NAME = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?")


def equation_rule(table: Table) -> Rule | None:
    """The rule on the equations of a table that no rule of the catalogue carries; None where there are none."""
    rows = ReferredRows(table)
    equations = [equation for equation in table.equations if not equation.rule]
    if not equations:
        return None
    checks = [equation_check(rows, equation) for equation in equations]
    children = {(e.name, name): child for e in equations for name, child in e.children}
    joins = [_child_join(table, child, _alias(*key)) for key, child in children.items()]
    reads = [EXPECTED] if any(_is_expected(table, child) for child in children.values()) else []
    if any(_can_overflow(column) for column in table.columns):
        joins.append(_overflow_join())
        reads.append(OVERFLOW_CODES)
    stated = "; ".join(_stated(equation) for equation in equations)
    return checked_rule(
        table,
        "EQU",
        checks,
        sentence=f"What the numbers of {table.name} state about each other holds: {stated}.",
        dimension="consistency",
        reason="Numbers that contradict each other cannot all be right, and what is summed of them is in doubt.",
        joins=[*rows.joins, *joins],
        targets=[*rows.targets, *(all_tables()[child.table] for child in children.values())],
        doubles=rows.can_double,
        reads=reads,
        children={
            child.table: _has_new_child(table, child) for child in children.values() if child.table != table.name
        },
    )


def equation_check(rows: ReferredRows, equation: Equation) -> Check:
    """The check of one equation, told at the first own column that it names. A row that lacks a number passes, and so does one with
    the code of an overflow where another rule tells of it.
    """
    left, right = (_side(rows, equation, side) for side in (equation.left, equation.right))
    tolerance = equation.tolerance.normalize()
    fails = {
        "=": f"abs(({left}) - ({right})) > {tolerance:f}",
        "<=": f"({left}) > ({right}) + {tolerance:f}",
        ">=": f"({left}) < ({right}) - {tolerance:f}",
    }[equation.relation]
    fails = " and ".join([fails, *of_kind(equation.where)])
    children = {name for name, _ in equation.children}
    own = [n for n in names_in(f"{equation.left} {equation.right}") if "." not in n and n not in children]
    own += [child.sums for _, child in equation.children if child.by and child.sums]
    seen = f"{text(equation.left + ': ')} || round(({left})::numeric, 4)"
    word = {"=": "", "<=": "at most ", ">=": "at least "}[equation.relation]
    expected = (
        f"{text(word)} || round(({right})::numeric, 4) || {text(' ' + equation.unit + ' (' + _told(equation) + ')')}"
    )
    return Check(own[0], fails, seen, expected, equation.severity)


def _told(equation: Equation) -> str:
    named = equation.right
    for name, child in equation.children:
        what = f"sum of {child.table}.{child.sums}" if child.sums else f"rows of {child.table}"
        which = "".join(f" where {column} is {' or '.join(values)}" for column, values in child.where)
        named = re.sub(rf"\b{name}\b", what + which, named)
    return named


def _stated(equation: Equation) -> str:
    within = f" within {equation.tolerance.normalize():f} {equation.unit}" if equation.tolerance else ""
    return f"{equation.left} {equation.relation} {_told(equation)}{within}"


def _side(rows: ReferredRows, equation: Equation, side: str) -> str:
    children = {name for name, _ in equation.children}

    def value(found: re.Match) -> str:
        name = found[0]
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        if name in children:
            return f"{_alias(equation.name, name)}.amount"
        sql = rows.value(name)
        if "." not in name and _can_overflow(rows.table.column(name)):
            return f"case when abs({sql}) <> all(overflow.{QUANTITIES[rows.table.column(name).meaning]}) then {sql}::numeric end"
        return sql if rows.physical_type(name) in ("date", "timestamptz") else f"{sql}::numeric"

    return _NAME.sub(value, side)


def _can_overflow(column: Column) -> bool:
    return "overflow" in dict(column.judged_by)


def _overflow_join() -> str:
    """The codes of each quantity that hold on whichever side it is measured, as one row."""
    codes = ", ".join(
        f"coalesce(array_agg(codes.overflow_value) filter (where codes.quantity_code = '{quantity.upper()}'), '{{}}') as {quantity}"
        for quantity in QUANTITIES.values()
    )
    return render(f"""cross join (
    select {codes}
    from staging.{OVERFLOW_CODES} as codes
    where codes.scope = 'any' and {{{{ is_in_period(':business_date', 'codes.valid_from', 'codes.valid_to') }}}}
) as overflow""")


def _alias(equation: str, child: str) -> str:
    return f"{child}_of_{equation}"


def _child_join(table: Table, child: Child, alias: str) -> str:
    """Left join to the sum or the number of the children of each row.

    It is null without a child, and where one is absent that is expected for the row: its finding says so, once.
    """
    of = all_tables()[child.table]
    reference = _reference_to(of, table, child)
    own = ", ".join(f"{trimmed(of.column(c), 'raw')} as {c}_key" for c in reference.columns)
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    on = " and ".join(f"{trimmed(table.column(theirs), 'raw')} = {alias}.{mine}_key" for mine, theirs in pairs)
    amount = f"sum(raw.{child.sums})" if child.sums else "count(*)"
    conditions = of_kind(child.where)
    if _is_expected(table, child):
        conditions.append(
            f"{trimmed(of.column(reference.columns[0]), 'raw')} not in (select things.owner_no from staging.{EXPECTED} as things"
            f" where things.table_name = {text(of.name)} and not things.is_arrived and things.owner_no is not null)"
        )
    where = " and ".join(conditions)
    places = ", ".join(str(n + 1) for n in range(len(reference.columns)))
    return f"""left join (
    select {own}, {amount} as amount
    from {delivered(of)}
    {"where " + where if where else ""}
    group by {places}
) as {alias} on {on}"""


def _is_expected(table: Table, child: Child) -> bool:
    """Whether the contract says which children each row has; the row is told by the one column of the reference."""
    reference = _reference_to(all_tables()[child.table], table, child)
    return any(
        expectation.archive == table.name and tuple(own for own, _ in expectation.by) == reference.columns
        for expectation in all_tables()[child.table].expected
        if len(reference.columns) == 1
    )


def _has_new_child(table: Table, child: Child) -> str:
    """SQL condition: a child of the row landed since the last passed gate; the row itself may be old."""
    of = all_tables()[child.table]
    reference = _reference_to(of, table, child)
    own = ", ".join(trimmed(table.column(c), "raw") for c in reference.target_columns)
    theirs = ", ".join(trimmed(of.column(c), "raw") for c in reference.columns)
    new = "staged._load_id > quality.last_passed_load_id()"
    return f"({own}) in (select {theirs} from {delivered(of)} and {new})"


def _reference_to(of: Table, table: Table, child: Child) -> Reference:
    if child.by:
        return Reference(child.by, table.name, child.by, "whole", is_cross_system=False)
    return next(r for r in of.references if r.target_table == table.name)
