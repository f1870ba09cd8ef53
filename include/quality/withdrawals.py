"""Pending withdrawals: a person says whether rows that a delivery left out are withdrawn or were lost; the ledger keeps who and why."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.contracts import all_tables
from include.errors import UsageError
from include.landing.extract import LOADER
from include.landing.withdrawals import lock_table, withdraw_pending
from include.quality.waivers import check_signature
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.records.withdrawals import decide, note_decision

OPEN = "quality.open_withdrawals"


def pending(connection: psycopg.Connection, table_name: str | None = None) -> list[dict]:
    """What waits for a decision, by table, delivery and office: rows, of how many in force, and whether it stops the night."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"""
            select
                withdrawals.table_name,
                withdrawals.office,
                withdrawals.business_date,
                withdrawals.load_id,
                count(*) as rows,
                max(checks.in_force_rows) as of_rows_in_force,
                case when bool_or(withdrawals.blocks) then 'block' else 'warn' end as severity,
                (array_agg(withdrawals.record_key order by withdrawals.record_key::text))[1:3] as examples
            from {OPEN} as withdrawals
            left join quality.withdrawal_checks as checks
                on withdrawals.load_id = checks.load_id and checks.office is not distinct from withdrawals.office
            where %(table)s::text is null or withdrawals.table_name = %(table)s
            group by withdrawals.table_name, withdrawals.office, withdrawals.business_date, withdrawals.load_id
            order by 1, 3, 4, 2
            """,
            {"table": table_name},
        )
        .fetchall()
    )


def confirm(
    place: str | Warehouse,
    table_name: str,
    approver: str,
    reason: str,
    *,
    office: str | None = None,
    key: str | None = None,
    entered_by: str | None = None,
) -> int:
    """Withdraws the pending rows of a table, an office of it or one record, and returns their number.

    Raises UsageError, with nothing changed, where none is pending or a signature is missing.
    """
    check_signature(approver, reason)
    signed = {"approver": approver.strip(), "reason": reason.strip()}
    with _landing(place) as connection:
        lock_table(connection, table_name)
        ids = _chosen(connection, table_name, office, key)
        withdraw_pending(connection, ids, decided_by="person", **signed)
        _note(connection, "withdrawal_confirm", table_name, office, key, ids, signed, entered_by)
    ledger.write_head(place)
    return len(ids)


def deny(
    place: str | Warehouse,
    table_name: str,
    approver: str,
    reason: str,
    *,
    office: str | None = None,
    key: str | None = None,
    entered_by: str | None = None,
) -> int:
    """Leaves the pending rows in force: they were lost on the way. The next delivery that lacks them asks again."""
    check_signature(approver, reason)
    signed = {"approver": approver.strip(), "reason": reason.strip()}
    with _landing(place) as connection:
        lock_table(connection, table_name)
        ids = _chosen(connection, table_name, office, key)
        chosen = sql.SQL(
            "select pending_id, 'denied' as decision, 'person' as decided_by from quality.open_withdrawals"
            " where pending_id = any({})"
        ).format(ids)
        decide(connection, chosen, **signed)
        _note(connection, "withdrawal_deny", table_name, office, key, ids, signed, entered_by)
    ledger.write_head(place)
    return len(ids)


def _landing(place: str | Warehouse) -> AbstractContextManager[psycopg.Connection]:
    """By the loader's login: tombstones are landed."""
    return place.as_role(LOADER).connect() if isinstance(place, Warehouse) else connect(place)


def _chosen(connection: psycopg.Connection, table_name: str, office: str | None, key: str | None) -> list[int]:
    if table_name not in all_tables():
        raise _wrong(f"There is no table {table_name!r}.", "take it from ./kaw pending list.")
    try:
        record = json.loads(key) if key else None
    except ValueError:
        record = key
    if record is not None and not isinstance(record, dict):
        raise _wrong(
            f"--key needs a JSON object of key columns, not: {key}", """write it like --key '{"cons_no": "0001"}'."""
        )
    ids = [
        pending_id
        for (pending_id,) in connection.execute(
            f"select pending_id from {OPEN} where table_name = %(table)s and (%(office)s::text is null or office = %(office)s)"
            " and (%(key)s::jsonb is null or record_key @> %(key)s::jsonb) order by 1",
            {"table": table_name, "office": office, "key": json.dumps(record) if record else None},
        ).fetchall()
    ]
    if not ids:
        raise _wrong(f"No row of {table_name} that was asked for is pending.", "./kaw pending list shows what is.")
    return ids


def _note(
    connection: psycopg.Connection,
    event: str,
    table_name: str,
    office: str | None,
    key: str | None,
    ids: list[int],
    signed: dict,
    entered_by: str | None,
) -> None:
    scope = {name: value for name, value in (("office", office), ("key", key)) if value}
    detail = {
        "table": table_name,
        **scope,
        "rows": len(ids),
        "first_pending": ids[0],
        "last_pending": ids[-1],
        **signed,
    }
    note_decision(connection, event, detail, entered_by)


def _wrong(what: str, next_step: str) -> UsageError:
    return UsageError(what, where="pending", next_step=next_step)
