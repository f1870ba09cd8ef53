"""The raw tables, which follow the contracts: one that gains a column gets it here, one that loses a column keeps what it has."""

from __future__ import annotations

import psycopg

from include.contracts import Table, all_tables
from include.errors import InfrastructureError
from include.records.database import raw_columns


def all_ddl() -> str:
    """The statements that make every raw table where it is missing: what the contracts ask of the database."""
    return "\n".join(_ddl(table) for table in all_tables().values())


def follow_contracts(connection: psycopg.Connection) -> None:
    """Makes missing raw tables and adds missing columns. Raises InfrastructureError where a contract gives a column another type."""
    connection.execute(all_ddl())
    for table in all_tables().values():
        present = _present_types(connection, table)
        for name, type_, wanted in _wanted_types(connection, table):
            if name not in present:
                connection.execute(f"alter table {table.raw_name} add column {name} {type_}")
            elif present[name] != wanted:
                raise InfrastructureError(
                    f"The contract gives {table.raw_name}.{name} the type {type_}; the warehouse has another.",
                    where=f"contract of {table.name}",
                    next_step="change the type back, or change the column with a migration in include/sql/migrations.",
                )


def _ddl(table: Table) -> str:
    """An append-only log. Nullable and without constraints, so that rows that break the promise are kept."""
    columns = ",\n    ".join(f"{name} {type_}" for name, type_ in raw_columns(table))
    # Minutes of a curve's slots, and which slots came where its day was merged (null: a whole row). Nobody plans on the values
    # of a curve, and statistics on them are slow to make.
    of_curves = f"""
alter table {table.raw_name} add column if not exists _slot_minutes smallint not null default 15;
alter table {table.raw_name} add column if not exists _delivered_slots bit(96);
alter table {table.raw_name} alter column v set statistics 0;
"""
    # What a delivery holds of some days, and how many rows each day has, without reading the rows of all others.
    of_events = f"""
create index if not exists {table.name}_by_event on {table.raw_name} ({table.event_column}, _is_tombstone);
"""
    return f"""
create table if not exists {table.raw_name} (
    _raw_id bigint generated always as identity primary key,
    _load_id bigint not null,
    _business_date date not null,
    _channel text not null,
    _file_line bigint,
    _is_tombstone boolean not null default false,
    _key uuid not null,
    _hash uuid not null,
    {columns}
);
create index if not exists {table.name}_by_version on {table.raw_name} (_key, _business_date desc, _load_id desc);
drop index if exists {table.raw_name}_by_key; -- of before files could arrive late
create index if not exists {table.name}_by_load on {table.raw_name} (_load_id);
{of_curves if table.curve_slots else ""}
{of_events if table.event_column and not table.is_full_compared else ""}
"""


def _present_types(connection: psycopg.Connection, table: Table) -> dict[str, tuple[int, int]]:
    """Column -> type and its modifier (length, or precision and scale), as the server numbers them."""
    rows = connection.execute(
        "select attname, atttypid::bigint, atttypmod from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        (table.raw_name,),
    ).fetchall()
    return {name: (type_, modifier) for name, type_, modifier in rows}


def _wanted_types(connection: psycopg.Connection, table: Table) -> list[tuple[str, str, tuple[int, int]]]:
    columns = raw_columns(table)
    cursor = connection.execute("select " + ", ".join(f"null::{type_}" for _, type_ in columns))
    return [
        (name, type_, (cursor.pgresult.ftype(n), cursor.pgresult.fmod(n))) for n, (name, type_) in enumerate(columns)
    ]
