"""Connections to the warehouse and the objects in it that are not dbt's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from include.contracts import Table, all_tables

SQL_FOLDER = Path(__file__).parents[1] / "sql"
TIMEZONE = "Asia/Shanghai"
SCHEMAS = (
    "raw_metering",
    "raw_marketing",
    "raw_contract",
    "staging",
    "quality",
    "warehouse",
    "candidate",
    "publish",
    "marts",
    "vault",
)


@contextmanager
def connect(
    url: str, *, fence: str = "", role: str | None = None, autocommit: bool = False
) -> Iterator[psycopg.Connection]:
    """A connection in the time zone of the utility; commits at the end, rolls back on an error.

    `fence` (`<scope>:<number>`) goes with every write of the session; `role` is the least-privileged role to act in.
    """
    options = f"-c timezone={TIMEZONE} -c kaw.fence={fence.replace(' ', '_')}"
    with psycopg.connect(url, options=options, autocommit=autocommit, connect_timeout=10) as connection:
        if role:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        yield connection


def acting_role(url: str, role: str) -> str | None:
    """The role to act in, or None where the server lacks it or the login is no member: the login's own rights then do."""
    with connect(url) as connection:
        found = connection.execute(
            "select 1 from pg_roles where rolname = %s and pg_has_role(oid, 'member')", (role,)
        ).fetchone()
    return role if found else None


def install(url: str) -> None:
    """Creates schemas, raw tables, records and publish tables where they are missing; safe to repeat."""
    with connect(url) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('kaw install'))")
        connection.execute("set local client_min_messages = warning")
        for path in sorted(SQL_FOLDER.glob("*.sql")):
            if path.name.startswith("10_"):
                connection.execute(path.read_text())
                for table in all_tables().values():
                    connection.execute(raw_table_ddl(table))
            else:
                connection.execute(path.read_text())


def raw_columns(table: Table) -> list[tuple[str, str]]:
    """Business columns of a raw table with their types: the contract's, but a curve's slots as one array."""
    columns = [(c.name, c.physical_type) for c in table.scalar_columns]
    return columns + ([("v", "double precision[]")] if table.curve_slots else [])


def raw_table_ddl(table: Table) -> str:
    """A raw table: an append-only log. Nullable and without constraints, so that rows that break the promise are kept."""
    columns = ",\n    ".join(f"{name} {type_}" for name, type_ in raw_columns(table))
    # nobody plans on the values of a curve, and statistics on them are slow to make
    no_statistics = f"alter table {table.raw_name} alter column v set statistics 0;" if table.curve_slots else ""
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
create index if not exists {table.name}_by_key on {table.raw_name} (_key, _load_id desc);
create index if not exists {table.name}_by_load on {table.raw_name} (_load_id);
{no_statistics}
"""
