"""What the rules that contracts imply have in common: their shape, the rows they test, and how a broken column is listed.

A row is judged as delivered: the rules read the raw row behind each staged row, under the contract's column names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from include.contracts import Column, Table, Where
from include.quality.rule_macros import render
from include.quality.rules import SEVERITIES, Rule
from include.transform.models import staging_relation

VAULT = "vault.clear_texts"  # what a pseudonym stands for
OFFICES = {"metering": "metering office", "marketing": "marketing office", "contract": "contract office"}


@dataclass(frozen=True)
class Check:
    """One thing that a row must hold, told at a column: SQL that is true where it fails, SQL texts of what is seen and expected."""

    column: str
    fails: str
    seen: str
    expected: str
    severity: str = "warn"


def made_rule(table: Table, kind: str, **given) -> Rule:
    defaults = {
        "id": f"BASE-{table.name}-{kind}",
        "path": f"include/contracts/{table.source}.odcs.yaml",
        "area": table.source,
        "axis": "mismatch",
        "severity": "quarantine",
        "owner": OFFICES[table.source],
        "source": f"contract of the {table.source} system, table {table.name}",
        "subject": table.name,
        "subjects": (table.name,),
        "quarantines": True,
        "source_name": table.source,
        "table_name": table.name,
        "population": f"rows of {table.name}",
        **declarations_of([table]),
    }
    return Rule(**(defaults | given))


def declarations_of(tables: list[Table], targets: list[Table] = ()) -> dict:
    """What rules on the staged rows of tables read and test, as a header declares it; `targets` are read alone."""
    events = tuple(t.name for t in tables if not t.is_full_compared)
    reads = {name for t in (*tables, *targets) for name in (t.raw_name, staging_relation(t).removeprefix("staging."))}
    if any(not t.is_full_compared and not t.curve_slots for t in tables):
        reads.add("quality.open_findings")
    return {"reads": tuple(sorted(reads)), "tests": "touched rows" if events else "everything", "touched_by": events}


def staged_rows(table: Table, also: str = "") -> str:
    """From-clause: `raw`, the raw rows behind the staged ones that are tested tonight.

    A table that is delivered whole is tested whole. Of a table of events the rows count that landed since the last passed
    gate or have an open finding: an old event that passed does not change. `also` is a condition for more of them.
    """
    rows = f"{table.raw_name} as raw inner join {staging_relation(table)} as staged on raw._raw_id = staged._raw_id"
    if table.is_full_compared:
        return rows
    is_touched = "is_touched_curve('{0}')" if table.curve_slots else f"is_new_or_open('{{0}}', '{table.name}')"
    conditions = [render(f"{{{{ {is_touched.format(alias)} }}}}") for alias in ("raw", "staged")]
    if also:  # as a list of rows, of which an index tells
        listed = f"any (array(select raw._raw_id from {table.raw_name} as raw where {also}))"
        conditions = [
            f"({of} or {alias}._raw_id = {listed})" for alias, of in zip(("raw", "staged"), conditions, strict=True)
        ]
    return f"{rows} and {' and '.join(conditions)}"  # asked of both sides, so that neither is read whole


def checked_rule(table: Table, family: str, checks: list[Check], **given) -> Rule:
    """A rule of a family (`TIM-mkt_bill`) from checks of a table's rows; it is as severe as its most severe check.

    `given` may name `joins` (SQL beside the tested rows) and `targets` (tables that they read); `doubles` is true where a
    join can find several rows for one; `children` are tables whose new rows make a row of events be tested, each with the
    condition.
    """
    joins, targets, doubles = given.pop("joins", ()), given.pop("targets", ()), given.pop("doubles", False)
    children: dict[str, str] = {} if table.is_full_compared else given.pop("children", {})
    given.pop("children", None)
    severity = max((check.severity for check in checks), key=SEVERITIES.index)
    declared = declarations_of([table], targets)
    tested_sql = _tested_sql(table, checks, joins, doubles, " or ".join(children.values()))
    reads = {*declared.pop("reads"), *given.pop("reads", ())} | {name for name in (VAULT,) if name in tested_sql}
    touched_by = tuple(dict.fromkeys([*declared.pop("touched_by"), *children]))
    return made_rule(
        table,
        family,
        id=f"{family}-{table.name}",
        severity=severity,
        quarantines=severity == "quarantine",
        tested_sql=tested_sql,
        violations_sql=BROKEN_CHECKS,
        reads=tuple(sorted(reads)),
        touched_by=touched_by,
        **declared,
        **given,
    )


def _tested_sql(table: Table, checks: list[Check], joins: Iterable[str], doubles: bool, also: str) -> str:
    broken = ",\n            ".join(
        f"case when {check.fails} then jsonb_build_array('{check.column}', {check.seen}, {check.expected}, '{check.severity}') end"
        for check in checks
    )
    once = ("distinct on (raw._raw_id) ", "\norder by raw._raw_id, broken nulls first") if doubles else ("", "")
    lines = [
        f"""select {once[0]}
    raw._raw_id as raw_id,
    case
        when {" or ".join(f"({check.fails})" for check in checks)}
            then array_remove(array[
            {broken}
        ], null)
    end as broken
from {staged_rows(table, also)}""",
        *joins,
    ]
    return "\n".join(lines) + once[1]


# Of several checks that fail at one column the most severe is told, then the first.
BROKEN_CHECKS = """select distinct on (tested.raw_id, failed.told ->> 0)
    tested.raw_id,
    failed.told ->> 0 as column_name,
    failed.told ->> 1 as observed,
    failed.told ->> 2 as expected,
    failed.told ->> 3 as severity
from tested
cross join lateral unnest(tested.broken) with ordinality as failed (told, place)
where tested.broken is not null
order by tested.raw_id, failed.told ->> 0, failed.told ->> 3, failed.place"""

BROKEN_COLUMNS = """select
    raw_id,
    broken.key as column_name,
    broken.value ->> 0 as observed,
    broken.value ->> 1 as expected
from tested
cross join lateral jsonb_each(broken_columns) as broken
where broken_columns <> '{}'"""


def columns_tested(
    table: Table, checks: list[tuple], table_name: str | None = None, joins: list[str] = (), also: str = ""
) -> str:
    """One row a record; `broken_columns` maps each column that fails to [observed, expected], and its cause where it has one.

    A check is (column, SQL condition that is true where the column fails, SQL text of what is seen, what was expected), and
    where the reason is a row that is absent, SQL of that row. `also` is a condition for more rows of events to test.
    """
    conditions = " or ".join(f"({fails})" for _, fails, *_ in checks)
    pairs = ",\n            ".join(
        f"'{column.name}', case when {fails} then jsonb_build_array({', '.join([seen, text(expected), *cause])}) end"
        for column, fails, seen, expected, *cause in checks
    )
    name = f"\n    '{table_name}'::text as table_name," if table_name else ""
    return "\n".join(
        [
            f"""select
    raw._raw_id as raw_id,{name}
    case
        when {conditions} then jsonb_strip_nulls(jsonb_build_object(
            {pairs}
        ))
        else '{{}}'::jsonb
    end as broken_columns
from {staged_rows(table, also)}""",
            *joins,
        ]
    )


def is_absent(column: Column) -> str:
    if column.physical_type == "text":
        return f"nullif(btrim(raw.{column.name}), '') is null"
    return f"raw.{column.name} is null"


def of_kind(where: Where, alias: str = "raw") -> list[str]:
    """SQL conditions: a row has one of the values that are meant of each column."""
    return [f"{alias}.{column}::text in ({', '.join(map(text, values))})" for column, values in where]


def trimmed(column: Column, alias: str) -> str:
    return f"btrim({alias}.{column.name})" if column.physical_type == "text" else f"{alias}.{column.name}"


def text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
