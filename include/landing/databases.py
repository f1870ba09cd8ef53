"""Deliveries from a PostgreSQL source, read as Arrow through ADBC in one snapshot a table."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

import pyarrow as pa

from include.contracts import Table, all_tables
from include.errors import InfrastructureError
from include.landing.delivery import LINE, Delivery, Refusal, header_problem
from include.progress import say
from include.settings import settings

T = TypeVar("T")

COMPARED_DAYS = (
    35  # the marketing cursor misses bulk changes; event tables are compared over these days (contracts/README)
)
OVERLAP = timedelta(hours=1)
_FAMILIES = {
    "text": "text",
    "character varying": "text",
    "character": "text",
    "uuid": "text",
    "numeric": "number",
    "double precision": "number",
    "real": "number",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "date": "date",
    "timestamp with time zone": "timestamp",
    "timestamp without time zone": "timestamp",
    "boolean": "boolean",
}
_ACCEPTED = {
    "text": {"text"},
    "char": {"text"},
    "varchar": {"text"},
    "numeric": {"number", "integer"},
    "smallint": {"integer"},
    "integer": {"integer"},
    "bigint": {"integer"},
    "date": {"date"},
    "timestamptz": {"timestamp"},
    "boolean": {"boolean"},
}


def is_database(address: str) -> bool:
    """True for a PostgreSQL address, False for a folder (a path or file://)."""
    return "://" in address and not address.startswith("file://")


class SourceFailed(InfrastructureError):
    """A source that did not answer, or broke off: it may answer when it is asked again."""


def again(name: str, read: Callable[[], Iterator[T]]) -> Iterator[T]:
    """What `read` yields; from its beginning anew, after a pause that triples each time, where the source `name` fails in it.

    So tables that came before the failure come twice, all of the last try from one snapshot. Raises SourceFailed after
    KAW_SOURCE_TRIES tries, and at once what another try does not change (a wrong password, say).
    """
    given = settings()
    for number in range(1, given.source_tries + 1):
        try:
            yield from read()
            return
        except SourceFailed as failure:
            if number == given.source_tries:
                failure.what = f"{failure.what.rstrip('.')} in {number} tries."
                raise
            pause = given.source_pause_s * 3 ** (number - 1)
            say(f"{failure.what} Where: {failure.where}. Try {number + 1} of {given.source_tries} in {pause:g} s")
        time.sleep(pause)


class Source:
    """A connection to a source database: read-only, one transaction, and what its tables look like.

    Every wait has an end. The driver waits in threads of its own, because a server that accepts and then keeps silent holds
    libpq for good: connect_timeout ends with the start-up, and statement_timeout is the server's to keep.
    """

    def __init__(self, address: str, name: str) -> None:
        given = settings()
        self._name = name
        self._connect_s, self._statement_s = given.source_connect_timeout_s, given.source_statement_timeout_s
        self._connection = self._cursor = None
        hosts = address.rpartition("@")[2].partition("/")[0].count(",") + 1
        try:
            # each host has its time, and the driver's reading of the types has it once more
            self._connection = _within(self._connect_s * (hosts + 1), lambda: self._connect(address))
            self._cursor = self._connection.cursor()
            for setting in (
                "transaction isolation level repeatable read, read only",
                f"local statement_timeout = {self._statement_s * 1000:.0f}",
                "local timezone = 'Asia/Shanghai'",
                "local extra_float_digits = 1",
                "local datestyle = 'ISO'",
            ):
                _within(self._connect_s, lambda setting=setting: self._cursor.execute(f"set {setting}"))
        except Exception as error:  # the driver's own, and what it makes of a malformed address
            raise self._failure(
                error,
                f"The source {name} cannot be reached.",
                self._connect_s,
                "see that the source is up (its start-up has KAW_SOURCE_CONNECT_TIMEOUT seconds), check address, user and"
                " password; nothing was landed from this source.",
            ) from None
        self._synthetic: set[str] = set()  # tables whose comment is that word
        self._types = self._read_types()

    def _connect(self, address: str):
        import adbc_driver_postgresql.dbapi as adbc

        return adbc.connect(with_timeouts(address, self._connect_s))

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for opened in (self._cursor, self._connection):
            if opened is not None:
                opened.close()
        self._connection = self._cursor = None

    def fetch(self, query: str, what: str) -> pa.Table:
        """The answer to a query; `what` it is about is told where it fails. Raises SourceFailed, InfrastructureError."""

        def ask() -> pa.Table:
            self._cursor.execute(query)
            return self._cursor.fetch_arrow_table()

        try:  # the source ends a statement that lasts too long, and is given up where it does not
            return _within(self._statement_s + self._connect_s, ask)
        except Exception as error:
            raise self._failure(
                error,
                f"The source {self._name} stopped answering.",
                self._statement_s,
                "see whether the source is up and the table is locked, and repeat the command; a longer time is set with"
                " KAW_SOURCE_STATEMENT_TIMEOUT (seconds). Tables that landed before are kept.",
                what,
            ) from None

    def _failure(
        self, error: Exception, message: str, seconds: float, next_step: str, what: str = ""
    ) -> InfrastructureError:
        """The error for the reader. A connection that is still waiting is left to its thread: to close it would wait too."""
        if isinstance(error, TimeoutError):
            self._connection = self._cursor = None
        self._close()
        kind = SourceFailed if _is_passing(error) else InfrastructureError
        place = f"KAW_SOURCE_{self._name.upper()} ({f'{what}: ' if what else ''}{_reason(error, seconds)})"
        return kind(message, where=place, next_step=next_step)

    def _read_types(self) -> dict[str, dict[str, str]]:
        found = self.fetch(
            "select table_name::text as t, column_name::text as c, data_type::text as d,"
            " obj_description(format('%I.%I', table_schema, table_name)::regclass, 'pg_class') = 'synthetic' as is_synthetic"
            " from information_schema.columns where table_schema = any (current_schemas(false)) order by table_name, ordinal_position",
            "catalogue",
        ).to_pylist()
        types: dict[str, dict[str, str]] = {}
        for row in found:
            types.setdefault(row["t"], {})[row["c"]] = row["d"]
            if row["is_synthetic"]:
                self._synthetic.add(row["t"])
        return types

    def problem(self, table: Table) -> str | None:
        """Why the table cannot be taken, as one sentence; None where its columns are the contract's."""
        types = self._types.get(table.name)
        if types is None:
            return "the source has no such table, or its login may not read it"
        if problem := header_problem([column.name for column in table.columns], list(types)):
            return problem
        for column in table.columns:
            accepted = _ACCEPTED[column.physical_type.split("(")[0]]
            if _FAMILIES.get(types[column.name], "other") not in accepted:
                return f"column {column.name} is {types[column.name]}, the contract says {column.physical_type}"
        return None

    def unknown_columns(self, table: Table) -> list[str]:
        known = {c.name for c in table.columns}
        return [name for name in self._types.get(table.name, {}) if name not in known]

    def read(self, table: Table, business_date: date, last_cursor: datetime | None) -> Delivery | Refusal:
        """The whole table where it is compared whole, else the rows changed since the cursor and the last 35 days of events.

        `last_cursor` is the latest cursor value landed so far, None on the first night (then everything is taken).
        """
        if problem := self.problem(table):
            return Refusal(table, problem)
        where, window_from, complete = "true", None, "all"
        if last_cursor is not None and not compared_whole(table):
            first_day = business_date - timedelta(days=COMPARED_DAYS)
            window_from = last_cursor - OVERLAP
            where = (
                f"{table.cursor_column} >= '{window_from.isoformat()}' or {event_condition(table, first_day, date.max)}"
            )
            complete = (first_day, date.max)
        counted = f"select count(*) as rows{_sums(table)} from {table.name} where {where}"
        announced = self.fetch(counted, table.name).to_pylist()[0]
        rows = self._as_text(table, f"where {where}")
        count = announced.pop("rows")
        return Delivery(
            table=table,
            rows=rows,
            announced_rows=count,
            announced_sums={name: value for name, value in announced.items() if value is not None},
            unknown_columns=self.unknown_columns(table),
            window_from=window_from,
            complete=complete,
            is_synthetic=table.name in self._synthetic,
        )

    def _as_text(self, table: Table, clauses: str) -> pa.Table:
        columns = ", ".join(f'"{c.name}"::text as "{c.name}"' for c in table.columns)
        rows = self.fetch(f"select {columns} from {table.name} {clauses}", table.name)
        text = pa.schema([pa.field(name, pa.string()) for name in rows.column_names])
        return rows.cast(text).append_column(LINE, pa.array(range(1, rows.num_rows + 1), pa.int64()))

    def newest(self, table: Table, limit: int | None) -> pa.Table:
        """The rows that changed last, as text, numbered; all of them where there is no limit."""
        return self._as_text(table, f"order by {table.cursor_column} desc nulls last limit {limit}" if limit else "")

    def distinct(self, table: Table, columns: tuple[str, ...]) -> pa.Table:
        named = ", ".join(f'"{name}"::text as "{name}"' for name in columns)
        return self.fetch(f"select distinct {named} from {table.name}", table.name)

    def count(self, table: Table) -> int:
        return self.fetch(f"select count(*) as n from {table.name}", table.name).to_pylist()[0]["n"]


def compared_whole(table: Table) -> bool:
    """In-place and validity tables, and event tables whose rows carry no date of their event and have no late rows."""
    return table.is_full_compared or (table.update_pattern == "append" and table.event_column is None)


def comes_every_night(table: Table) -> bool:
    """Tables of which a night's number of rows can be compared with other nights': not those of months and of their parts."""
    column = table.event_column
    return compared_whole(table) or (column is not None and table.column(column).physical_type != "char(6)")


def event_condition(table: Table, first_day: date, last_day: date, in_raw: bool = False, by_parent: bool = True) -> str:
    """SQL condition: the row's event lies between two days, both inclusive; a month is an event of its last day.

    A row without a date of its own (a bill's line) has that of the row it belongs to, found in the source or in raw; without
    `by_parent`, as in the manifest of a file, that of its cursor.
    """
    column = table.event_column
    parent = _dated_parent(table) if column is None and by_parent else None
    if parent:
        (own,), (theirs,), target = parent
        there = target.raw_name if in_raw else target.name
        return f"{own} in (select {theirs} from {there} where {event_condition(target, first_day, last_day)})"
    column = column or table.cursor_column
    kind = table.column(column).physical_type
    if kind == "char(6)":
        end = "" if last_day == date.max else f" and {column} < '{last_day + timedelta(days=1):%Y%m}'"
        return f"{column} >= '{first_day:%Y%m}'{end}"
    if kind == "date":
        return f"{column} between '{first_day}' and '{last_day}'"
    end = "" if last_day == date.max else f" and {column} < '{last_day + timedelta(days=1)} 00:00+08'"
    return f"{column} >= '{first_day} 00:00+08'{end}"


def _dated_parent(table: Table) -> tuple[tuple[str, ...], tuple[str, ...], Table] | None:
    """Own column, its column, and the event table that a row of this table is a part of."""
    for reference in table.references:
        if not reference.is_cross_system and reference.match == "whole" and len(reference.columns) == 1:
            target = all_tables()[reference.target_table]
            if not target.is_full_compared and target.event_column:
                return reference.columns, reference.target_columns, target
    return None


def _sums(table: Table) -> str:
    return "".join(f", sum({c.name})::text as {c.name}" for c in table.columns if c.is_amount)


def with_timeouts(address: str, seconds: float) -> str:
    """The address with libpq's own limits for the start-up and for a network that is gone; what it says itself stays."""
    given = address.rpartition("@")[2].partition("?")[2]
    limits = {
        "connect_timeout": math.ceil(seconds),
        "tcp_user_timeout": math.ceil(seconds * 1000),
        "keepalives_idle": math.ceil(seconds),
    }
    added = "&".join(f"{name}={value}" for name, value in limits.items() if f"{name}=" not in given)
    return f"{address}{'&' if given else '?'}{added}" if added else address


def _within(seconds: float, call: Callable[[], T]) -> T:
    """What a call returns or raises; raises TimeoutError after `seconds`, and leaves the call to a thread of its own."""
    answer = queue.SimpleQueue()

    def run() -> None:
        try:
            answer.put((call(), None))
        except BaseException as error:
            answer.put((None, error))

    threading.Thread(target=run, name="source", daemon=True).start()
    try:
        result, error = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("no answer") from None
    if error is not None:
        raise error
    return result


# The server's and libpq's words, and ours for them. Those of the second list may be others when they are asked again.
_LASTING = {
    "password authentication failed": "",
    "does not exist": "",
    "permission denied": "",
    "no pg_hba.conf entry": "",
}
_PASSING = {
    "statement timeout": "statement timeout after {seconds:g} s",
    "timeout expired": "timeout after {seconds:g} s",
    "no answer": "no answer within {seconds:g} s",
    "closed the connection": "the connection was closed",
    "terminating connection": "the connection was closed",
    "reset by peer": "the connection was closed",
    "Connection timed out": "the connection was closed",
    "Connection refused": "",
    "could not translate host name": "",
    "No route to host": "",
    "is unreachable": "",
    "starting up": "",
    "shutting down": "",
    "too many clients": "",
    "too many connections": "",
    "lock timeout": "",
    "deadlock detected": "",
}


def _word(error: Exception) -> str | None:
    """Which of the known words stand in an error; its own words may hold address or login and are not shown."""
    text = " ".join(str(error).split()).lower()
    return next((word for word in (_LASTING | _PASSING) if word.lower() in text), None)


def _is_passing(error: Exception) -> bool:
    return _word(error) in _PASSING


def _reason(error: Exception, seconds: float) -> str:
    word = _word(error)
    if word is None:
        return type(error).__name__
    return (_LASTING | _PASSING)[word].format(seconds=seconds) or word
