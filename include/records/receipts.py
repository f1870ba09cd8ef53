"""Receipts: one row per load, the keys that it repeated, and its entry in the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg import sql

from include.records import ledger
from include.records.database import connect

WHOLE_TABLE = "(,)"  # what a delivery is complete for, where it is the whole table: every day


@dataclass
class Receipt:
    """What one load did; the columns of quality.receipts that a reader of the log wants to see."""

    table_name: str
    state: str
    delivered_rows: int = 0
    inserted_rows: int = 0
    duplicate_rows: int = 0
    rejected_rows: int = 0
    tombstone_rows: int = 0
    pending_rows: int = 0
    problem: str | None = None
    file_name: str | None = None
    unknown_columns: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = self.file_name or self.table_name
        if self.problem:
            return f"{name:<44} {self.state}: {self.problem}"
        counts = {
            "delivered": self.delivered_rows,
            "new": self.inserted_rows,
            "duplicate": self.duplicate_rows,
            "rejected": self.rejected_rows,
            "withdrawn": self.tombstone_rows,
            "missing and still in force": self.pending_rows,
        }
        told = [f"{number:,} {what}" for what, number in counts.items() if number or what in ("delivered", "new")]
        unknown = f"; not in the contract: {', '.join(self.unknown_columns)}" if self.unknown_columns else ""
        notices = "".join(f"; {notice}" for notice in self.notices)
        return f"{name:<44} {self.state:<10} {', '.join(told)}{unknown}{notices}"


def add_receipt(
    connection: psycopg.Connection,
    *,
    source_name: str,
    table_name: str,
    channel: str,
    business_date: date,
    state: str,
    file_name: str | None = None,
    content_sha256: str | None = None,
    window_from: datetime | None = None,
    announced_rows: int | None = None,
    announced_sums: dict[str, str] | None = None,
    announced_withdrawals: int | None = None,
    delivered_rows: int = 0,
    unknown_columns: list[str] | None = None,
    duplicate_of: int | None = None,
    problem: str | None = None,
    complete_for: str | None = None,
    is_synthetic: bool | None = None,
    notices: list[str] | None = None,
) -> int:
    """The receipt of a load, without the counts of what became of its rows; returns the load's number.

    `complete_for` is the range of event days, as text of a daterange, for which the delivery is the whole truth.
    """
    return connection.execute(
        "insert into quality.receipts (source_name, table_name, channel, business_date, window_from, announced_rows,"
        " announced_sums, announced_withdrawals, delivered_rows, unknown_columns, content_sha256, file_name, duplicate_of, state,"
        " problem, complete_for, is_synthetic, notices)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::daterange, %s, %s) returning load_id",
        (
            source_name,
            table_name,
            channel,
            business_date,
            window_from,
            announced_rows,
            json.dumps(announced_sums) if announced_sums else None,
            announced_withdrawals,
            delivered_rows,
            unknown_columns or [],
            content_sha256,
            file_name,
            duplicate_of,
            state,
            problem,
            complete_for,
            is_synthetic,
            notices or [],
        ),
    ).fetchone()[0]


def ignored(connection: psycopg.Connection, channel: str) -> set[tuple[str, str]]:
    """What has a receipt that says it was ignored: (file, why)."""
    query = "select file_name, problem from quality.receipts where state = 'ignored' and channel = %s"
    return set(connection.execute(query, [channel]).fetchall())


def note_counts(
    connection: psycopg.Connection,
    load_id: int,
    *,
    inserted: int = 0,
    duplicate: int = 0,
    rejected: int = 0,
    tombstones: int = 0,
    pending: int = 0,
) -> None:
    """What became of the load's rows. One that left nothing in raw names the first load of the same content."""
    connection.execute(
        "update quality.receipts as receipt set inserted_rows = %s, duplicate_rows = %s, rejected_rows = %s,"
        " tombstone_rows = %s, pending_rows = %s, duplicate_of = coalesce(duplicate_of, case when %s then (select min(load_id)"
        " from quality.receipts as earlier where earlier.table_name = receipt.table_name"
        " and earlier.content_sha256 = receipt.content_sha256 and earlier.state = 'landed'"
        " and earlier.load_id < receipt.load_id) end) where load_id = %s",
        (inserted, duplicate, rejected, tombstones, pending, inserted + tombstones == 0, load_id),
    )


def note_content(
    connection: psycopg.Connection, load_id: int, *, landed_sums: dict[str, str], latest: datetime | None
) -> None:
    """The sums of amounts that landed, and the newest moment in the rows: the next window of the table begins there.

    A time in the far future, mistyped at the source, must not end the window of the nights to come.
    """
    connection.execute(
        "update quality.receipts set landed_sums = %s, window_to = case when %s then least(%s, business_date + 1) end"
        " where load_id = %s",
        (json.dumps(landed_sums), latest is not None, latest, load_id),
    )


def add_repeated_keys(connection: psycopg.Connection, load_id: int, keys: sql.Composable) -> None:
    """Keys that the load held and that left no row in raw; `keys` is a query of their `_key`."""
    connection.execute(
        sql.SQL("insert into quality.repeated_keys (load_id, _key) select {}::bigint, _key from ({}) as held").format(
            load_id, keys
        )
    )


def add_delivered_rows(connection: psycopg.Connection, load_id: int, rows: sql.Composable) -> None:
    """What a load delivered by office; `rows` is a query of office and rows."""
    connection.execute(
        sql.SQL(
            "insert into quality.delivered_rows (load_id, office, rows) select {}, arrived.* from ({}) as arrived"
        ).format(load_id, rows)
    )


def note_load(connection: psycopg.Connection, load_id: int) -> None:
    """The load as a ledger entry, late in its transaction because the chain is locked until it ends."""
    row = connection.execute(
        "select jsonb_build_object('load_id', load_id, 'table', table_name, 'file', file_name, 'state', state, 'business_date',"
        " business_date, 'delivered', delivered_rows, 'inserted', inserted_rows, 'duplicate', duplicate_rows, 'rejected',"
        " rejected_rows, 'tombstones', tombstone_rows, 'pending', pending_rows, 'sha256', content_sha256,"
        " 'problem', problem, 'delivered_by', delivered_by)"
        " || case when notices = '{}' then '{}' else jsonb_build_object('notices', notices) end"
        " from quality.receipts where load_id = %s",
        (load_id,),
    ).fetchone()
    ledger.append(connection, "load", row[0])


def delivered_tables(connection: psycopg.Connection, tables: list[str]) -> list[str]:
    """Those of the tables of which rows ever landed."""
    rows = connection.execute(
        "select distinct table_name from quality.receipts where state = 'landed' and delivered_rows > 0"
        " and table_name = any(%s) order by 1",
        (tables,),
    )
    return [name for (name,) in rows]


def newest_load(url: str) -> int:
    """Number of the newest load; 0 where there is none."""
    with connect(url) as connection:
        return connection.execute("select coalesce(max(load_id), 0) from quality.receipts").fetchone()[0]


def new_rows_since(url: str, load_id: int) -> int:
    """Rows that landed as new ones, or were withdrawn, by later loads than this one."""
    query = "select coalesce(sum(inserted_rows + tombstone_rows), 0) from quality.receipts where load_id > %s"
    with connect(url) as connection:
        return int(connection.execute(query, (load_id,)).fetchone()[0])


def whole_days(url: str, tables: list[str]) -> set[date]:
    """Days of which each of the tables has landed from its source."""
    with connect(url) as connection:
        rows = connection.execute(
            "select business_date from quality.receipts where state = 'landed' and channel = 'auto' and table_name = any(%s)"
            " group by 1 having count(distinct table_name) = %s",
            (tables, len(tables)),
        )
        return {day for (day,) in rows}


def never_delivered(url: str, tables: list[str], day: date) -> list[str]:
    """Those of the tables of which no delivery of a source is dated that day or before."""
    with connect(url) as connection:
        landed = connection.execute(
            "select distinct table_name from quality.receipts where state = 'landed' and channel = 'auto' and business_date <= %s",
            (day,),
        ).fetchall()
    return [name for name in tables if (name,) not in landed]
