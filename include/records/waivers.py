"""Waivers: what was signed is a row and an entry of the ledger, and an end before its date is an entry of the ledger alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import psycopg

from include.records import ledger


def add_waiver(
    connection: psycopg.Connection,
    *,
    rule_id: str,
    scope: str,
    approver: str,
    reason: str,
    valid_until: date,
    entered_by: str,
    second_needed: Decimal | None = None,
) -> int:
    """Enters a waiver and returns its number; one that lets through so many yuan is not in force before a second person signs."""
    signed = {"rule_id": rule_id, "scope": scope, "approver": approver, "reason": reason, "valid_until": valid_until}
    (waiver_id,) = connection.execute(
        "insert into quality.waivers (rule_id, scope, approver, reason, valid_until, entered_by)"
        " values (%(rule_id)s, %(scope)s, %(approver)s, %(reason)s, %(valid_until)s, %(entered_by)s) returning waiver_id",
        signed | {"entered_by": entered_by},
    ).fetchone()
    needed = {} if second_needed is None else {"second_needed": second_needed}
    ledger.append(connection, "waiver", {"waiver_id": waiver_id} | signed | needed, entered_by=entered_by)
    return waiver_id


def add_waiver_second(
    connection: psycopg.Connection, *, waiver_id: int, approver: str, reason: str, entered_by: str
) -> None:
    """The second signature of a waiver; its row stays as the first one signed it."""
    detail = {"waiver_id": waiver_id, "approver": approver, "reason": reason}
    ledger.append(connection, "waiver_second", detail, entered_by=entered_by)


def add_waiver_end(
    connection: psycopg.Connection,
    *,
    waiver_id: int,
    rule_id: str,
    scope: str,
    approver: str,
    reason: str,
    entered_by: str | None,
) -> None:
    """Ends a waiver; its row stays as it was signed."""
    detail = {"waiver_id": waiver_id, "rule_id": rule_id, "scope": scope, "approver": approver, "reason": reason}
    ledger.append(connection, "waiver_end", detail, entered_by=entered_by)
