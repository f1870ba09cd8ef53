"""A delivery that comes after one of a later date: history at its own date, and nothing of what is in force now.

The versions of a key are ordered by date of file or extract, then load. The log is append-only and an unchanged row leaves
nothing in it, so what a late delivery changed would last beyond the next delivery that held the key as it was before. That
one therefore says it again: rows, or tombstones, of the later delivery's date, under a receipt of their own.
"""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import Table
from include.landing.databases import event_condition
from include.landing.delivery import AlreadyLanded, Delivery
from include.landing.receipts import insert_receipt
from include.landing.slots import technical_columns
from include.records.database import raw_columns
from include.records.receipts import add_repeated_keys, note_counts, note_load
from include.records.rejected_rows import supersede

TOMBSTONE_HASH = "00000000-0000-0000-0000-000000000000"


def names(columns: list[str]) -> sql.Composed:
    """The columns as a list in SQL."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def kept_of_withdrawn(table: Table) -> list[str]:
    """The columns that a tombstone keeps: the key, and what dates the row."""
    dated = {table.cursor_column} | {
        c.name for c in table.columns if c.physical_type in ("date", "timestamptz", "char(6)")
    }
    return [name for name, _ in raw_columns(table) if name in table.key or name in dated]


def note_repeated(connection: psycopg.Connection, delivery: Delivery, load_id: int) -> None:
    """The keys that left no row in raw, where no receipt can say which keys the delivery held.

    Events by the interface are left out: they repeat a month of keys every night.
    """
    if delivery.complete is None and (delivery.channel == "form" or delivery.table.is_full_compared):
        keys = sql.SQL(
            "select distinct _key from delivered"
            " where not exists (select 1 from {raw} as raw where raw._key = delivered._key and raw._load_id = {load})"
        ).format(raw=sql.SQL(delivery.table.raw_name), load=load_id)
        add_repeated_keys(connection, load_id, keys)


def say_again(connection: psycopg.Connection, table: Table, load_id: int, business_date: date) -> None:
    """Closes what load `load_id` of `business_date` changed where a later delivery held another state of the key.

    Nothing to do, and one short query, where no delivery of a later date has landed.
    """
    later = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select load_id, duplicate_of, business_date, channel, file_name, complete_for is not null as is_complete,"
            " lower(complete_for) as first_day, case when not upper_inf(complete_for) then upper(complete_for) - 1 end as last_day"
            " from quality.receipts where table_name = %s and business_date > %s and state = 'landed'"
            " order by business_date, load_id",
            (table.name, business_date),
        )
        .fetchall()
    )
    for receipt in later:
        _answer_rejected(connection, table, load_id, receipt)
        _say_again_at(connection, table, load_id, business_date, receipt)


def _say_again_at(
    connection: psycopg.Connection, table: Table, load_id: int, business_date: date, receipt: dict
) -> None:
    """What the later delivery of `receipt` held, of the keys that the late load changed and nobody has told anew since.

    A complete delivery held every key of its channel that it neither withdrew nor rejected. A key that was not there before is
    withdrawn again by a complete delivery of the same channel, as it would have been in order.
    """
    scope = "true"
    if receipt["first_day"]:
        days = receipt["first_day"], receipt["last_day"] or date.max
        scope = event_condition(table, *days, in_raw=True, by_parent=receipt["file_name"] is None)
    parts = {
        "raw": sql.SQL(table.raw_name),
        "late": load_id,
        "late_day": business_date,
        "later": receipt["load_id"],
        "first": receipt["duplicate_of"],
        "day": receipt["business_date"],
        "complete": receipt["is_complete"],
        "channel": receipt["channel"],
        "scope": sql.SQL(scope),
    }
    connection.execute("drop table if exists said_again")
    connection.execute(
        sql.SQL("""
        create temp table said_again on commit drop as
        with rejected as (
            select _key from quality.rejected_rows where load_id in ({later}, {first})
        ),
        made as (
            select distinct on (_key) _raw_id, _key, _channel, _is_tombstone, {complete} and ({scope}) as is_in_scope
            from {raw} as raw
            where _load_id = {late}
                and not exists (select 1 from rejected where rejected._key = raw._key)
                and not exists (
                    select 1 from {raw} as next
                    where next._key = raw._key and next._business_date > {late_day} and next._business_date <= {day}
                )
            order by _key, _raw_id
        ),
        before as (
            select
                raw._raw_id, raw._key, raw._channel, raw._is_tombstone,
                rank() over (partition by raw._key order by quality.version_order(raw._business_date, raw._load_id) desc) as place
            from {raw} as raw inner join made on raw._key = made._key
            where quality.version_order(raw._business_date, raw._load_id) < quality.version_order({late_day}, {late})
        ),
        held as (
            select
                before._raw_id as copied_raw_id,
                made._raw_id,
                coalesce(not before._is_tombstone, false) as is_copy
            from made
            left join before on made._key = before._key and before.place = 1
            left join quality.repeated_keys as repeated on repeated.load_id = {later} and repeated._key = made._key
            where
                case
                    when before._is_tombstone is not false
                        then
                            made.is_in_scope and made._channel = {channel} and not made._is_tombstone
                            and not exists (select 1 from rejected where _key is null)
                    else
                        repeated._key is not null
                        or made.is_in_scope and {channel} in (made._channel, before._channel)
                end
        )
        select distinct case when is_copy then copied_raw_id else _raw_id end as _raw_id, is_copy from held
        """).format(**parts)
    )
    copies, withdrawn = connection.execute(
        "select count(*) filter (where is_copy), count(*) filter (where not is_copy) from said_again"
    ).fetchone()
    if not copies + withdrawn:
        return
    again = AlreadyLanded(table, None, None, receipt["channel"])
    new_load = insert_receipt(
        connection, again, receipt["business_date"], state="landed", delivered=copies, duplicate_of=receipt["load_id"]
    )
    note_counts(connection, new_load, inserted=copies, tombstones=withdrawn)
    all_names = [name for name, _ in raw_columns(table)] + technical_columns(table)
    for is_copy, columns in ((True, all_names), (False, kept_of_withdrawn(table))):
        connection.execute(
            sql.SQL("""
            insert into {raw} (_load_id, _business_date, _channel, _is_tombstone, _key, _hash, {columns})
            select {load}, {day}, _channel, {is_tombstone}, _key, {hash}, {columns}
            from {raw} inner join said_again using (_raw_id)
            where said_again.is_copy = {is_copy}
            order by _raw_id
            """).format(
                raw=sql.SQL(table.raw_name),
                columns=names(columns),
                load=new_load,
                day=receipt["business_date"],
                is_copy=is_copy,
                is_tombstone=not is_copy,
                hash=sql.SQL("_hash" if is_copy else f"'{TOMBSTONE_HASH}'::uuid"),
            )
        )
    note_load(connection, new_load)


def _answer_rejected(connection: psycopg.Connection, table: Table, load_id: int, receipt: dict) -> None:
    """Rejected rows of the late load that the later delivery of `receipt` answers: their key came well, or all came."""
    supersede(
        connection,
        receipt["load_id"],
        f"""
        earlier.load_id = %(late)s
        and (
            %(whole)s
            or earlier._key in (select _key from {table.raw_name} where _load_id = %(later)s)
            or earlier._key in (select _key from quality.repeated_keys where load_id = %(later)s)
        )
        """,
        {
            "late": load_id,
            "later": receipt["load_id"],
            "whole": receipt["is_complete"] and receipt["first_day"] is None,
        },
    )
