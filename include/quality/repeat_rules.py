"""REP: a record does not repeat to the last digit what the record before it in its series says, where its contract declares so.

A record is a row, or all rows of a series with one time (the six scores of a quarter). Of a time its hour counts: what is
measured anew does not fall on the same second of the day. Records with fewer filled numbers than stated, or with zeros alone,
are not judged: nothing measured repeats nothing.
"""

from __future__ import annotations

from include.contracts import Table
from include.contracts.declarations import Repeat
from include.quality.made_rules import Check, checked_rule, text, trimmed
from include.quality.referred_rows import delivered
from include.quality.rules import Rule


def repeat_rule(table: Table) -> Rule | None:
    """The rule on the series of a table; None where it declares none."""
    if not table.repeats:
        return None
    checks, joins, said = [], [], []
    for number, repeat in enumerate(table.repeats, start=1):
        alias = f"repeated_{number}"
        joins.append(_repeated(table, repeat, alias))
        seen = f"{alias}.told || {text(f', as {repeat.along} ')} || {alias}.before"
        expected = text(f"another {', '.join(repeat.columns)} than before")
        checks.append(Check(repeat.columns[0], f"{alias}.told is not null", seen, expected))
        said.append(f"{', '.join(repeat.columns)} of {', '.join(repeat.series)} along {repeat.along}")
    return checked_rule(
        table,
        "REP",
        checks,
        sentence=f"No record of {table.name} repeats the one before it to the last digit: {'; '.join(said)}.",
        axis="arbitrary",
        dimension="plausibility",
        reason="What was measured or judged anew differs somewhere; what does not was carried over.",
        source=f"contract of the {table.source} system, table {table.name}; each record alone, no test of chance",
        joins=joins,
    )


def _repeated(table: Table, repeat: Repeat, alias: str) -> str:
    """Left join to the records that repeat the one before: what they say, and the time of the one before."""
    keys = ", ".join(f"{trimmed(table.column(c), 'raw')} as {c}_key" for c in (*repeat.series, repeat.along))
    names = [f"{c}_key" for c in (*repeat.series, repeat.along)]
    series = ", ".join(names[:-1])
    rows = trimmed(table.column(repeat.rows), "raw") if repeat.rows else "null::text"
    value = ", ".join(_comparable(table, c) for c in repeat.columns)
    filled = " + ".join(f"(coalesce({_number(table, c)}, 0) <> 0)::integer" for c in repeat.columns)
    on = " and ".join(f"{trimmed(table.column(c), 'raw')} = {alias}.{c}_key" for c in (*repeat.series, repeat.along))
    return f"""left join (
    select {", ".join(names)}, records.said as told, records.before
    from (
        select
            {", ".join(names)},
            said,
            filled,
            lag(said) over by_time as said_before,
            lag({names[-1]}) over by_time as before
        from (
            select
                {", ".join(names)},
                string_agg(concat_ws(' ', rows, said), ', ' order by rows) as said,
                sum(filled) as filled
            from (
                select distinct on ({", ".join(names)}, rows) {", ".join(names)}, rows, said, filled
                from (
                    select {keys}, {rows} as rows, concat_ws(' ', {value}) as said, {filled} as filled, raw._raw_id
                    from {delivered(table)}
                ) as raw
                order by {", ".join(names)}, rows, raw._raw_id desc
            ) as newest
            group by {", ".join(names)}
        ) as whole
        window by_time as (partition by {series} order by {names[-1]})
    ) as records
    where records.said = records.said_before and records.filled >= {repeat.least}
) as {alias} on {on}"""


def _comparable(table: Table, column: str) -> str:
    if table.column(column).physical_type == "timestamptz":
        return f"coalesce((raw.{column} at time zone 'Asia/Shanghai')::time::text, '-')"
    return f"coalesce(raw.{column}::text, '-')"


def _number(table: Table, column: str) -> str:
    """Times stand for no number: they count as nothing filled."""
    return "0" if table.column(column).physical_type == "timestamptz" else f"raw.{column}"
