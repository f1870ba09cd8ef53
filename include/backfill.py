"""`./kaw backfill`: the history of many months in one go. What is dated up to the end of a month lands, and the month is built once, as of
its last day, instead of every night. The first day is built too.

It keeps no state of its own: a month that is published as of its last day is done, and what has landed lands as duplicates. So
the same command goes on where it was killed. What tells of nights (findings by day, results by run) is of the days that were built.
"""

from __future__ import annotations

import calendar
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import psycopg

from include.contracts import all_tables
from include.errors import KawError
from include.profiles import left_out
from include.records import ledger
from include.records.receipts import never_delivered, new_rows_since, newest_load, whole_days
from include.records.runs import published_days, published_load
from include.records.warehouse import GATEKEEPER, Warehouse


@dataclass
class Backfilled:
    """The first date, last days of months, and the last date: built now, published before, or not built for lack of the tables named."""

    built: list[date] = field(default_factory=list)
    done_before: list[date] = field(default_factory=list)
    not_built: dict[date, list[str]] = field(default_factory=dict)
    new_rows: int = 0


@dataclass(frozen=True)
class Left:
    """After a month: how many are done of how many, and the seconds that the last one took."""

    done: int
    of: int
    seconds: float

    @property
    def seconds_left(self) -> float:
        return (self.of - self.done) * self.seconds


def stages(first: date, last: date) -> list[date]:
    """`first`, the last day of each month from its own on, and `last`.

    As of `first` the months before it are built that a night of that day still builds, and one of the month's end no longer.
    """
    found, month = {first}, first.replace(day=1)
    while month <= last:
        end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        found.add(min(end, last))
        month = end + timedelta(days=1)
    return sorted(found)


def backfill(
    warehouse: Warehouse,
    first: date,
    last: date,
    *,
    land: Callable[[date], None],
    build: Callable[[date], None],
    is_by_day: bool = False,
    tell: Callable[[Left], None] = lambda _: None,
) -> Backfilled:
    """`land` lands what the sources have that is dated up to a day, `build` builds, judges and publishes as of a day.

    `is_by_day`: a source makes the delivery of one day at a time, so every day is landed. A month by whose end a daily table was
    never delivered is not built by itself, but for the last one: its rows are built with the next. Where a later day than
    `last` is published, it alone is built, anew, where rows came. What `land` and `build` raise ends it, GateBlocked too; what was
    published stays, and an entry of the ledger says how far it came.
    """
    found, published = Backfilled(), published_days(warehouse.address)
    newest, wanted = max(published, default=date.min), stages(first, last)
    found.done_before = [day for day in wanted if day in published]
    left = [day for day in wanted if day > newest]
    since = first
    try:
        for number, day in enumerate(left or [newest], start=1):
            began, before = time.monotonic(), newest_load(warehouse.address)
            until = min(day, last)
            for each in _days_to_land(warehouse, since, until) if is_by_day else [until]:
                land(each)
            since = until + timedelta(days=1)
            found.new_rows += new_rows_since(warehouse.address, before)
            lacking = _lacking(warehouse, day)
            if lacking and day != last:
                found.not_built[day] = lacking
            elif left or new_rows_since(warehouse.address, published_load(warehouse.address)):
                build(day)
                found.built.append(day)
            tell(Left(number, len(left) or 1, time.monotonic() - began))
    except BaseException as error:
        why = error.what if isinstance(error, KawError) else type(error).__name__
        with contextlib.suppress(psycopg.Error):  # a database that is gone is what is told, not that it takes no entry
            _note(warehouse, first, last, found, "stopped by hand" if isinstance(error, KeyboardInterrupt) else why)
        raise
    _note(warehouse, first, last, found)
    return found


def _days_to_land(warehouse: Warehouse, first: date, last: date) -> list[date]:
    """Those of the days of which a daily table has not landed."""
    landed = whole_days(warehouse.address, _daily())
    return [day for n in range((last - first).days + 1) if (day := first + timedelta(days=n)) not in landed]


def _lacking(warehouse: Warehouse, day: date) -> list[str]:
    return never_delivered(warehouse.address, _daily(), day)


def _daily() -> list[str]:
    return [table.name for table in all_tables().values() if table.is_daily and table.name not in left_out()]


def _note(warehouse: Warehouse, first: date, last: date, found: Backfilled, stopped: str = "") -> None:
    detail = {
        "first": first,
        "last": last,
        "built": found.built,
        "published_before": found.done_before,
        "not_built": {str(day): tables for day, tables in found.not_built.items()},
        "new_rows": found.new_rows,
    }
    with warehouse.as_role(GATEKEEPER).connect() as connection:
        ledger.append(connection, "backfill", detail | ({"stopped": stopped} if stopped else {}))
    ledger.write_head(warehouse.address)
