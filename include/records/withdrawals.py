"""Pending withdrawals: keys that a delivery left out and that stay in force, and what was decided of them."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql

from include.records import ledger

COLUMNS = (
    "load_id, source_name, table_name, channel, business_date, _key, record_key, office, account_no, event_date, blocks,"
    " decision, decided_by, decided_load_id, waiver_id, decided_at"
)


def add_pending(connection: psycopg.Connection, keys: sql.Composable) -> None:
    """Keys that a load left out, open or decided at once; `keys` is a query of `COLUMNS`."""
    connection.execute(
        sql.SQL("insert into quality.pending_withdrawals ({}) select * from ({}) as left_out").format(
            sql.SQL(COLUMNS), keys
        )
    )


def add_checks(connection: psycopg.Connection, load_id: int, groups: Iterable[tuple]) -> None:
    """Of the whole table (office None) and its offices: office, rows in force, absent rows, is pending, blocks."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.withdrawal_checks (load_id, office, in_force_rows, absent_rows, is_pending, blocks)"
            " values (%s, %s, %s, %s, %s, %s)",
            [(load_id, *group) for group in groups],
        )


def decide(
    connection: psycopg.Connection,
    chosen: sql.Composable,
    *,
    load_id: int | None = None,
    waiver_id: int | None = None,
    approver: str | None = None,
    reason: str | None = None,
) -> int:
    """Closes open withdrawals; `chosen` is a query of pending_id, decision and decided_by. Returns how many were open."""
    return connection.execute(
        sql.SQL("""
        update quality.pending_withdrawals as pending set
            decision = chosen.decision, decided_by = chosen.decided_by, decided_load_id = {load}, waiver_id = {waiver},
            approver = {approver}, reason = {reason}, decided_at = clock_timestamp()
        from ({chosen}) as chosen
        where pending.pending_id = chosen.pending_id and pending.decision is null
        """).format(chosen=chosen, load=load_id, waiver=waiver_id, approver=approver, reason=reason)
    ).rowcount


def note_decision(connection: psycopg.Connection, event: str, detail: dict, entered_by: str | None) -> None:
    """A person's decision as an entry of the ledger: withdrawal_confirm or withdrawal_deny."""
    ledger.append(connection, event, detail, entered_by=entered_by)
