"""The source rows behind a published row: which rows of a raw table belong to it, over the references between the tables.

Rows are those that counted for the run that published the version: the newest of their key that it had landed, and the one in
force where that was withheld.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import STAGED_NAMES, Reference, Table, all_tables
from include.landing.databases import event_condition
from include.publish.marts import Mart
from include.quality.evaluate import WITHHELD, record_key
from include.transform.models import staging_relations

LISTED = 20  # source rows of a table, and candidates for a part of a key


def source_rows(
    connection: psycopg.Connection, tables: list[Table], row: dict, mart: Mart, run: dict, window: tuple[date, date]
) -> list[dict]:
    """Of each table: how its rows belong to the row, how many they are, the first of them, and the ids of all."""
    conditions = _conditions(row, mart)
    return [_of_table(connection, table, conditions.get(table.name), run, window) for table in tables]


def _conditions(row: dict, mart: Mart) -> dict[str, tuple[str, str]]:
    """Table -> (SQL condition on its raw rows, how they belong to the row). A table that nothing leads to is not there.

    First the tables that carry the row's own numbers; then, from table to table, what refers to rows found so far, and what
    those refer to. The way with the fewest steps counts, inside a system before across systems.
    """
    names = _numbers()
    known = {name for own in names.values() for name in own}
    for name, kind in [(n.replace("_kind_code", "_no"), row[n]) for n in mart.grain if n.endswith("_kind_code")]:
        row = {f"{kind.lower()}_no": row.get(name), **row}  # an entity of kind ACCOUNT is numbered as an account
    grain = [n for n in row if n in known and row[n] and (n in mart.grain or n not in mart.columns)]
    anchors = dict.fromkeys([*grain, *(n for n in ("account_no",) if row.get(n))])
    if not anchors:
        anchors = dict.fromkeys(n for n in row if n in known and row.get(n))
    found: dict[str, tuple[str, str]] = {}
    for table, own in names.items():
        shared = [n for n in anchors if n in own]
        if shared:
            parts = [f"btrim({own[n]}) = {_literal(row[n])}" for n in shared]
            found[table] = (" and ".join(parts), f"{' and '.join(shared)} of the row")
    while True:
        more = {}
        for child, reference in sorted(_references(), key=lambda pair: pair[1].is_cross_system):
            parent = reference.target_table
            if parent in found and child not in found and child not in more:
                more[child] = _through(child, parent, reference.columns, reference.target_columns, found)
        for child, reference in sorted(_references(), key=lambda pair: pair[1].is_cross_system):
            parent = reference.target_table
            if child in found and parent not in found and parent not in more:
                more[parent] = _through(parent, child, reference.target_columns, reference.columns, found)
        if not more:
            return found
        found |= more


def _through(table: str, over: str, own: tuple, theirs: tuple, found: dict) -> tuple[str, str]:
    rows = f"select {', '.join(theirs)} from {all_tables()[over].raw_name} where {found[over][0]}"
    return f"({', '.join(own)}) in ({rows})", f"{' and '.join(own)} of {over}"


def _references() -> list[tuple[str, Reference]]:
    return [(table.name, reference) for table in all_tables().values() for reference in table.references]


@cache
def _numbers() -> dict[str, dict[str, str]]:
    """Table -> {number as it is called from staging on: source column}, for columns that identify or refer."""
    numbers = {}
    for name in staging_relations():
        table = all_tables()[name]
        naming = {*table.key, *(c for r in table.references for c in r.columns)}
        columns = [c.name for c in table.scalar_columns if c.name in naming and c.physical_type == "text"]
        named = {STAGED_NAMES.get(column, column): column for column in columns}
        numbers[name] = {staged: column for staged, column in named.items() if staged.endswith("_no")}
    return numbers


def _of_table(
    connection: psycopg.Connection,
    table: Table,
    belonging: tuple[str, str] | None,
    run: dict,
    window: tuple[date, date],
) -> dict:
    """The rows of a table behind the row: how many, the first of them with file and line, and the ids of all."""
    known = f"_load_id <= {run['last_load_id']} and _business_date <= '{run['business_date']}'"
    if belonging is None:
        total = connection.execute(
            f"select count(distinct _key) from {table.raw_name} where {known} and not _is_tombstone"
        ).fetchone()[0]
        return {"table": table.name, "total": total, "by": "read whole", "window": None, "rows": [], "raw_ids": []}
    condition, by = belonging
    in_window = _event_in(table, *window) if _is_dated(table) else "true"
    version = "quality.version_order(raw._business_date, raw._load_id)"
    personal = [c.name for c in table.scalar_columns if c.classification == "personal"]
    values = ", ".join(
        f"'{c.name}', {_literal(WITHHELD) if c.name in personal else c.name}"
        for c in table.scalar_columns
        if c.name not in table.key
    )
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"""
        with versions as (
            select raw.*, kept.state as kept_state, kept.rule_ids,
                {version} as _version, max({version}) over (partition by raw._key) as newest,
                max({version}) filter (where kept.state is null) over (partition by raw._key) as newest_admitted
            from {table.raw_name} as raw
            left join quality.quarantined_rows as kept
                on kept.table_name = '{table.name}' and raw._raw_id = kept.raw_id and kept.from_run <= {run["run_id"]}
                and coalesce(kept.released_run, {run["run_id"]} + 1) > {run["run_id"]}
            where raw._key in (select _key from {table.raw_name} where {condition}) and {known}
        )

        select _raw_id as raw_id, {record_key(table, "versions")} as key, _load_id as load_id, _file_line as line,
            coalesce(kept_state, 'admitted') as state, rule_ids, {_object(values)} as values
        from versions
        where not _is_tombstone and _version in (newest, newest_admitted) and ({condition}) and ({in_window})
        order by {record_key(table, "versions")}::text collate "C", _raw_id
        """
        )
        .fetchall()
    )
    windowed = None if in_window == "true" else f"{window[0]} to {window[1]}"
    return {
        "table": table.name,
        "total": len(rows),
        "by": by,
        "window": windowed,
        "rows": rows[:LISTED],
        "raw_ids": [r["raw_id"] for r in rows],
        "load_ids": sorted({r["load_id"] for r in rows}),
    }


def _object(pairs: str) -> str:
    """A wide row as jsonb: a function takes a hundred arguments at most."""
    parts = pairs.split(", ")
    chunks = [", ".join(parts[n : n + 80]) for n in range(0, len(parts), 80)]
    return " || ".join(f"jsonb_build_object({chunk})" for chunk in chunks) or "'{}'::jsonb"


def _is_dated(table: Table) -> bool:
    """An event, or a part of one; archives and the parts of a contract hold for longer than a month."""
    inside = [all_tables()[r.target_table] for r in table.references if not r.is_cross_system]
    dated = [t for t in (table, *inside) if not t.is_full_compared and t.event_column]
    return not table.is_full_compared and bool(dated)


def _event_in(table: Table, first: date, last: date) -> str:
    """An event between two days; a reading at the midnight that ends the last one closes it and counts too."""
    condition = event_condition(table, first, last, in_raw=True)
    column = table.event_column
    if column and table.column(column).physical_type == "timestamptz":
        return f"{condition} or {column} = '{last + timedelta(days=1)} 00:00+08'"
    return condition


def _literal(value: object) -> str:
    return sql.Literal(str(value)).as_string()
