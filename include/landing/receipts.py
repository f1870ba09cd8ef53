"""Receipts: one row per load, and its entry in the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import psycopg

from include.landing.delivery import AlreadyLanded, Delivery, Refusal
from include.records import ledger


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
    problem: str | None = None
    file_name: str | None = None
    unknown_columns: tuple[str, ...] = ()


def insert_receipt(
    connection: psycopg.Connection,
    what: Delivery | Refusal | AlreadyLanded,
    business_date: date,
    *,
    state: str,
    delivered: int = 0,
    unknown: list[str] | None = None,
    problem: str | None = None,
    duplicate_of: int | None = None,
) -> int:
    """The receipt of a load of that date, without the counts of what became of its rows; returns the load's number."""
    sums = getattr(what, "announced_sums", None)
    return connection.execute(
        "insert into quality.receipts (source_name, table_name, channel, business_date, window_from, announced_rows,"
        " announced_sums, delivered_rows, unknown_columns, content_sha256, file_name, duplicate_of, state, problem, complete_for)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::daterange) returning load_id",
        (
            what.table.source,
            what.table.name,
            what.channel,
            business_date,
            getattr(what, "window_from", None),
            getattr(what, "announced_rows", None),
            json.dumps(sums) if sums else None,
            delivered,
            unknown or [],
            what.content_sha256,
            what.file_name,
            duplicate_of,
            state,
            problem,
            _days(getattr(what, "complete", None)),
        ),
    ).fetchone()[0]


def _days(complete: str | tuple[date, date] | None) -> str | None:
    """What a delivery is complete for, as a range of days in SQL; (,) is the whole table."""
    if complete is None or complete == "all":
        return complete and "(,)"
    first, last = complete
    return f"[{first},]" if last == date.max else f"[{first},{last}]"


def note_load(connection: psycopg.Connection, load_id: int) -> None:
    """The load as a ledger entry, late in its transaction because the chain is locked until it ends."""
    row = connection.execute(
        "select jsonb_build_object('load_id', load_id, 'table', table_name, 'file', file_name, 'state', state, 'business_date',"
        " business_date, 'delivered', delivered_rows, 'inserted', inserted_rows, 'duplicate', duplicate_rows, 'rejected',"
        " rejected_rows, 'tombstones', tombstone_rows, 'sha256', content_sha256, 'problem', problem)"
        " from quality.receipts where load_id = %s",
        (load_id,),
    ).fetchone()
    ledger.append(connection, "load", row[0])
