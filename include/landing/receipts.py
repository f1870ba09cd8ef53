"""The receipt of what a source delivered, of what had to be refused, or of what had landed before."""

from __future__ import annotations

from datetime import date

import psycopg

from include.landing.delivery import AlreadyLanded, Delivery, Ignored, Refusal
from include.records.receipts import WHOLE_TABLE, add_receipt


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
    notices: list[str] | None = None,
) -> int:
    """The receipt of a load of that date, without the counts of what became of its rows; returns the load's number."""
    return add_receipt(
        connection,
        source_name=what.table.source,
        table_name=what.table.name,
        channel=what.channel,
        business_date=business_date,
        state=state,
        file_name=what.file_name,
        content_sha256=what.content_sha256,
        window_from=getattr(what, "window_from", None),
        announced_rows=getattr(what, "announced_rows", None),
        announced_sums=getattr(what, "announced_sums", None),
        announced_withdrawals=getattr(what, "announced_withdrawals", None),
        delivered_rows=delivered,
        unknown_columns=unknown,
        duplicate_of=duplicate_of,
        problem=problem,
        is_synthetic=getattr(what, "is_synthetic", None),
        complete_for=_days(getattr(what, "complete", None)),
        notices=notices,
    )


def insert_ignored(connection: psycopg.Connection, what: Ignored, business_date: date) -> int:
    """The receipt of what is not read; returns the load's number."""
    return add_receipt(
        connection,
        source_name=what.source,
        table_name=what.table_name,
        channel=what.channel,
        business_date=business_date,
        state="ignored",
        file_name=what.file_name,
        problem=what.problem,
    )


def _days(complete: str | tuple[date, date] | None) -> str | None:
    """What a delivery is complete for, as a range of days in SQL."""
    if complete is None:
        return None
    if complete == "all":
        return WHOLE_TABLE
    first, last = complete
    return f"[{first},]" if last == date.max else f"[{first},{last}]"
