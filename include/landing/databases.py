"""Deliveries from a PostgreSQL source, read as Arrow through ADBC in one snapshot a table."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa

from include.contracts import Table, all_tables
from include.errors import InfrastructureError
from include.landing.delivery import LINE, Delivery, Refusal, event_column, header_problem

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


class Source:
    """A connection to a source database: read-only, one transaction, and what its tables look like."""

    def __init__(self, address: str, name: str) -> None:
        import adbc_driver_postgresql.dbapi as adbc

        try:
            self._connection = adbc.connect(address)
            self._cursor = self._connection.cursor()
            self._cursor.execute("set transaction isolation level repeatable read, read only")
            self._cursor.execute("set local timezone = 'Asia/Shanghai'")
            self._cursor.execute("set local extra_float_digits = 1")
            self._cursor.execute("set local datestyle = 'ISO'")
        except Exception as error:  # the driver's own, and what it makes of a malformed address
            raise InfrastructureError(
                f"The source {name} cannot be reached.",
                where=f"KAW_SOURCE_{name.upper()} ({_reason(error)})",
                next_step="check address, user and password; nothing was landed from this source.",
            ) from None
        self._name = name
        self._types = self._read_types()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()
        self._connection.close()

    def fetch(self, query: str) -> pa.Table:
        from adbc_driver_manager import Error

        try:
            self._cursor.execute(query)
            return self._cursor.fetch_arrow_table()
        except Error as error:
            raise InfrastructureError(
                f"The source {self._name} stopped answering.",
                where=f"KAW_SOURCE_{self._name.upper()} ({_reason(error)})",
                next_step="repeat the command; tables that landed before are kept.",
            ) from None

    def _read_types(self) -> dict[str, dict[str, str]]:
        found = self.fetch(
            "select table_name::text as t, column_name::text as c, data_type::text as d from information_schema.columns"
            " where table_schema = any (current_schemas(false)) order by table_name, ordinal_position"
        ).to_pylist()
        types: dict[str, dict[str, str]] = {}
        for row in found:
            types.setdefault(row["t"], {})[row["c"]] = row["d"]
        return types

    def problem(self, table: Table) -> str | None:
        """Why the table cannot be taken, as one sentence; None where its columns are the contract's."""
        types = self._types.get(table.name)
        if types is None:
            return "the source has no such table, or its login may not read it"
        if problem := header_problem(table, list(types)):
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
        columns = ", ".join(f'"{c.name}"::text as "{c.name}"' for c in table.columns)
        announced = self.fetch(f"select count(*) as rows{_sums(table)} from {table.name} where {where}").to_pylist()[0]
        rows = self.fetch(f"select {columns} from {table.name} where {where}")
        text = pa.schema([pa.field(name, pa.string()) for name in rows.column_names])
        rows = rows.cast(text).append_column(LINE, pa.array(range(1, rows.num_rows + 1), pa.int64()))
        count = announced.pop("rows")
        return Delivery(
            table=table,
            rows=rows,
            announced_rows=count,
            announced_sums={name: value for name, value in announced.items() if value is not None},
            unknown_columns=self.unknown_columns(table),
            window_from=window_from,
            complete=complete,
        )

    def count(self, table: Table) -> int:
        return self.fetch(f"select count(*) as n from {table.name}").to_pylist()[0]["n"]


def compared_whole(table: Table) -> bool:
    """In-place and validity tables, and event tables whose rows carry no date of their event and have no late rows."""
    return table.is_full_compared or (table.update_pattern == "append" and event_column(table) is None)


def event_condition(table: Table, first_day: date, last_day: date, in_raw: bool = False, by_parent: bool = True) -> str:
    """SQL condition: the row's event lies between two days, both inclusive; a month is an event of its last day.

    A row without a date of its own (a bill's line) has that of the row it belongs to, found in the source or in raw; without
    `by_parent`, as in the manifest of a file, that of its cursor.
    """
    column = event_column(table)
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
            if not target.is_full_compared and event_column(target):
                return reference.columns, reference.target_columns, target
    return None


def _sums(table: Table) -> str:
    return "".join(f", sum({c.name})::text as {c.name}" for c in table.columns if c.is_amount)


def _reason(error: Exception) -> str:
    """The server's words without address or login."""
    text = " ".join(str(error).split())
    known = (
        "password authentication failed",
        "does not exist",
        "Connection refused",
        "could not translate host name",
        "timeout",
    )
    for word in known:
        if word.lower() in text.lower():
            return word
    return type(error).__name__
