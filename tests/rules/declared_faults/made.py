"""What a fault is, and the statements that most of them are made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from include.contracts import Table, all_tables
from include.quality.rules import Rule
from tests.rules.staged import Staged

BUSINESS_DATE = date(2026, 11, 5)


@dataclass(frozen=True)
class Fault:
    """What is done, and which columns the rule of the declaration alone then tells, of all columns or of those that are meant.

    `words` are what it says to expect of each column.
    """

    what: tuple
    rule: Rule
    statements: tuple[str, ...]
    columns: frozenset[str]
    among: frozenset[str] | None = None
    words: dict[str, str] = field(default_factory=dict)


def fault(
    what: tuple, rule: Rule, columns: set[str], *statements: str, among: set[str] | None = None, **given
) -> Fault:
    return Fault(what, rule, statements, frozenset(columns), None if among is None else frozenset(among), **given)


def rows_of(staged: Staged, table: Table) -> int:
    return staged.connection.execute(f"select count(*) from {table.raw_name}").fetchone()[0]


def tables_with_rows(staged: Staged) -> list[Table]:
    return [table for table in all_tables().values() if rows_of(staged, table)]


def set_all(table: Table, values: list[str] | str) -> str:
    return f"update {table.raw_name} set {values if isinstance(values, str) else ', '.join(values)}"


def set_each(table: Table, values: dict[str, str]) -> str:
    """Each column in a row of its own, as far as there are rows, so that nothing else in the row tells of it."""
    columns = list(values)
    rows = f"(select _raw_id, row_number() over (order by {', '.join(table.key)}, _raw_id) - 1 as n, count(*) over () as rows from {table.raw_name})"
    chosen = ", ".join(
        f"{c} = case when n = {place} % rows then {values[c]} else {c} end" for place, c in enumerate(columns)
    )
    return f"{set_all(table, chosen)} from {rows} as numbered where {table.name}._raw_id = numbered._raw_id and n < {len(columns)}"


def as_numbers(table: Table, columns: list[str]) -> list[str]:
    """So that a value beside a limit of the source's type can be planted."""
    altered = ", ".join(f"alter {column} type numeric" for column in columns)
    if not altered:
        return []
    # a view of persons reads key columns
    return [f"drop view if exists marts_personal.{table.name}", f"alter table {table.raw_name} {altered}"]


def alone(table: Table, **kept) -> Table:
    """A table that declares only what is kept: no identity, no total relation of others."""
    return replace(table, columns=tuple(replace(column, identity=None) for column in table.columns), **kept)


def apart(table: Table, column: str) -> str:
    """SQL of a value of a column that no other row has."""
    kind = table.column(column).physical_type
    if kind == "date":
        return "date '2000-01-01' + _raw_id::integer"
    if kind == "timestamptz":
        return "timestamptz '2020-01-01 00:00+08' + _raw_id * interval '1 second'"
    return "_raw_id" if kind.startswith(("numeric", "integer", "smallint")) else "'A' || _raw_id"
