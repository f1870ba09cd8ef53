"""What a delivery says anew of the past: how much of what was in force it replaced, and whether its days and months are exchanged.

A day written 03/05 is the 3rd of May or the 5th of March. A file read the wrong way overwrites days that were right, and every
value in it is plausible. Only the past shows it: what is delivered for the one day is in force for the other.
"""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import Table
from include.landing.delivery import Delivery
from include.landing.limits import Limits, limits_of
from include.records.database import raw_columns
from include.records.restatements import add_restatement, supersede

SHOWN = 3  # pairs of old and new
_IS_AMBIGUOUS = "extract(day from {day}) <= 12 and extract(day from {day}) <> extract(month from {day})"


def note_restatement(connection: psycopg.Connection, delivery: Delivery, load_id: int, business_date: date) -> None:
    """Puts an unusual restatement on record, and closes those of earlier loads that this one has replaced."""
    table = delivery.table
    supersede(connection, load_id, table.name, _replaced_whole(table))
    limits = limits_of(table, business_date)
    if not _may_restate(connection, table, load_id, business_date, limits):
        return
    parts = _parts(table, load_id)
    connection.execute(sql.SQL(_COMPARED if parts["has_days"] else _COMPARED_BY_KEY).format(**parts["sql"]))
    in_force, replaced, days, first, last = connection.execute(
        "select (select count(*) from before), count(*), count(distinct day), min(day), max(day) from replaced"
    ).fetchone()
    is_unusual = replaced >= limits.restated_rows and replaced > limits.restated_share * in_force
    exchanged = _exchanged(connection, parts) if parts["has_days"] else []
    if len(exchanged) < limits.exchanged_days:
        exchanged = []
    if is_unusual or exchanged:
        add_restatement(
            connection,
            load_id,
            table.name,
            pairs=_pairs(connection, table),
            exchanged=exchanged,
            in_force_rows=in_force,
            replaced_rows=replaced,
            is_unusual=is_unusual,
            days=days or None,
            first_day=first,
            last_day=last,
        )
    connection.execute("drop table mine, before, replaced")


def _may_restate(
    connection: psycopg.Connection, table: Table, load_id: int, business_date: date, limits: Limits
) -> bool:
    """False, cheaply, for nearly all loads: the first of a table, one of few rows, one of events of its own date alone."""
    day = _day(table)
    is_past, days = "true", "0"
    if day:
        days = f"count(distinct {day}) filter (where {day} < %(day)s and {_IS_AMBIGUOUS.format(day=day)})"
        is_past = (
            f"{day} < %(day)s or exists (select 1 from quality.receipts where table_name = %(table)s"
            " and state = 'landed' and business_date >= %(day)s and load_id < %(load)s)"
        )
    return connection.execute(
        f"select exists (select 1 from {table.raw_name} where _load_id < %(load)s)"
        f" and (count(*) filter (where {is_past}) >= %(rows)s or {days} >= %(days)s)"
        f" from {table.raw_name} as raw where _load_id = %(load)s and not _is_tombstone",
        {
            "load": load_id,
            "day": business_date,
            "table": table.name,
            "rows": limits.restated_rows,
            "days": limits.exchanged_days,
        },
    ).fetchone()[0]


def _parts(table: Table, load_id: int) -> dict:
    """What the queries are filled with. A record is the key without its version, an entity that without its date."""
    day = _day(table)
    kinds = {c.name: c.physical_type for c in table.columns}
    names = [name for name, _ in raw_columns(table)]
    dated = [n for n in names if kinds.get(n) in ("date", "timestamptz")]
    event = table.event_column
    identity = [k for k in table.key if k != "version" or not day]
    entity = [k for k in identity if k != event]
    content = [n for n in names if n not in identity and n not in ("version", table.cursor_column)]
    return {
        "has_days": day is not None,
        "sql": {
            "raw": sql.SQL(table.raw_name),
            "load": load_id,
            "day": sql.SQL(day or "null::date"),
            "identity": _hash(identity),
            "entity": _hash(entity),
            "content": _hash(content),
            "undated": _hash([n for n in content if n not in dated]),
        },
    }


def _hash(names: list[str]) -> sql.SQL:
    return sql.SQL(f"md5(record_send(row({', '.join('raw.' + n for n in names)})))::uuid" if names else "null::uuid")


def _day(table: Table) -> str | None:
    """SQL of the day of a row of raw; None for tables that say what is and not what happened, and for months."""
    column = table.event_column
    if table.is_full_compared or column is None or table.column(column).physical_type == "char(6)":
        return None
    return f"raw.{column}::date"


# The rows of the load, those in force before on the days that it covers, and the pairs of both that differ.
_COMPARED = """
create temp table mine on commit drop as
select raw._raw_id, {identity} as identity, {entity} as entity, {content} as content, {undated} as undated, {day} as day
from {raw} as raw
where raw._load_id = {load} and not raw._is_tombstone;

create temp table before on commit drop as
select _raw_id, identity, content, day
from (
    select distinct on ({identity}) raw._raw_id, raw._is_tombstone, {identity} as identity, {content} as content, {day} as day
    from {raw} as raw
    where raw._load_id < {load} and {day} in (select mine.day from mine)
    order by {identity}, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
) as newest
where not _is_tombstone;

create temp table replaced on commit drop as
select before._raw_id as old_id, mine._raw_id as new_id, mine.day
from mine inner join before on mine.identity = before.identity and mine.content <> before.content
"""

# Of a table without days: what is in force of the whole table, and the keys that changed.
_COMPARED_BY_KEY = """
create temp table mine on commit drop as
select raw._raw_id, raw._key as identity, {content} as content, null::date as day
from {raw} as raw
where raw._load_id = {load} and not raw._is_tombstone;

create temp table before on commit drop as
select _raw_id, identity, content, null::date as day
from (
    select distinct on (raw._key) raw._raw_id, raw._is_tombstone, raw._key as identity, {content} as content
    from {raw} as raw
    where raw._load_id < {load}
    order by raw._key, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
) as newest
where not _is_tombstone;

create temp table replaced on commit drop as
select before._raw_id as old_id, mine._raw_id as new_id, null::date as day
from mine inner join before on mine.identity = before.identity and mine.content <> before.content
"""

# Days of which all that tells something is, record by record, what is in force or delivered for the day with day and month
# exchanged. A value that a record has on other days too tells nothing: a meter that stands still has it every day.
_EXCHANGED = """
with swapped as (
    select
        entity, undated, day,
        make_date(extract(year from day)::integer, extract(day from day)::integer, extract(month from day)::integer) as is_day
    from mine
    where extract(day from day) <= 12 and extract(day from day) <> extract(month from day)
),

judged as (
    select
        swapped.*,
        min(least(day, is_day)) over same = max(least(day, is_day)) over same
        and min(greatest(day, is_day)) over same = max(greatest(day, is_day)) over same as is_telling
    from swapped
    window same as (partition by entity, undated)
),

telling as (
    select entity, undated, day, is_day
    from judged
    where is_telling
),

known as (
    select entity, undated, day
    from (
        select distinct on ({identity})
            {entity} as entity, {undated} as undated, {day} as day, raw._is_tombstone
        from {raw} as raw
        where raw._load_id < {load} and {day} in (select telling.is_day from telling)
        order by {identity}, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
    ) as newest
    where not _is_tombstone
    union
    select entity, undated, day
    from mine
)

select telling.day::text as delivered_for, telling.is_day::text as is_of, count(*) as rows
from telling
left join known
    on telling.entity = known.entity and telling.undated = known.undated and telling.is_day = known.day
group by telling.day, telling.is_day
having count(*) = count(known.day)
order by telling.day
"""


def _exchanged(connection: psycopg.Connection, parts: dict) -> list[dict]:
    return connection.cursor(row_factory=dict_row).execute(sql.SQL(_EXCHANGED).format(**parts["sql"])).fetchall()


def _pairs(connection: psycopg.Connection, table: Table) -> list[dict]:
    """Key, column, old and new of the first replaced rows; personal values are not shown, a curve is shown as its sum."""
    hidden = {c.name for c in table.columns if c.classification == "personal"} | {table.cursor_column, *table.key}
    shown = [name for name, _ in raw_columns(table) if name not in hidden]
    key = ", ".join(f"'{k}', new.{k}" for k in table.key)

    def values(of: str) -> str:
        value = {n: f"{of}.{n}::text" for n in shown} | (
            {"v": f"quality.slot_sum({of}.v)::text"} if table.curve_slots else {}
        )
        return f"jsonb_build_object({', '.join(f'{n!r}, {value[n]}' for n in shown)}) as {of}"

    found = (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"select jsonb_build_object({key}) as key, {values('old')}, {values('new')}"
            f" from (select * from replaced order by new_id limit {SHOWN}) as pairs"
            f" inner join {table.raw_name} as old on pairs.old_id = old._raw_id"
            f" inner join {table.raw_name} as new on pairs.new_id = new._raw_id order by pairs.new_id"
        )
        .fetchall()
    )
    pairs = []
    for row in found:
        column = next((n for n in shown if row["old"][n] != row["new"][n]), None)
        old, new = (row["old"][column], row["new"][column]) if column else ("a personal value", "another")
        pairs.append({"key": row["key"], "column": column, "old": old, "new": new})
    return pairs


def _replaced_whole(table: Table) -> sql.Composed:
    """Of which no row is the newest of its key any more."""
    return sql.SQL("""
        not exists (
            select 1 from {raw} as raw
            where raw._load_id = restated.load_id and not exists (
                select 1 from {raw} as newer
                where newer._key = raw._key
                    and quality.version_order(newer._business_date, newer._load_id)
                    > quality.version_order(raw._business_date, raw._load_id)
            )
        )
        """).format(raw=sql.SQL(table.raw_name))
