"""One process at a time: locks that only the product's roles can take, let go by the server when their holder dies.

Advisory locks would not do: anybody who may connect takes them, a reader's login too, and so stops the nights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from include.records.database import connect

NIGHT, RUN = "night_lock", "run_lock"  # views of schema quality
TRANSACTION_TIMEOUT_SINCE = 170000


def hold(conn: psycopg.Connection, name: str) -> None:
    """Waits for the lock of that name and keeps it until the caller's transaction ends."""
    asked = "select name from quality.locks where name = %s for update"
    if conn.execute(asked, [name]).fetchone() is None:
        conn.execute("insert into quality.locks (name) values (%s) on conflict do nothing", [name])
        conn.execute(asked, [name])


@contextmanager
def held(url: str, view: str) -> Iterator[bool]:
    """Whether the lock was free; it is kept meanwhile, in a transaction of its own that reads and writes nothing.

    Such a transaction has neither number nor snapshot, so it holds no vacuum back however long it is open; a server that ends
    idle transactions is asked to leave it.
    """
    with connect(url) as conn:
        conn.execute("set local idle_in_transaction_session_timeout = 0")
        if conn.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
            conn.execute("set local transaction_timeout = 0")
        try:
            with conn.transaction():
                conn.execute(sql.SQL("lock table {} in exclusive mode nowait").format(sql.Identifier("quality", view)))
            is_free = True
        except psycopg.errors.LockNotAvailable:
            is_free = False
        yield is_free


def is_held(conn: psycopg.Connection, *views: str) -> bool:
    """Whether somebody holds one of these; takes none."""
    return conn.execute(
        "select exists (select 1 from pg_locks where granted and mode = 'ExclusiveLock'"
        " and database = (select oid from pg_database where datname = current_database())"
        " and relation in (select oid from pg_class where relnamespace = to_regnamespace('quality') and relname = any(%s)))",
        [list(views)],
    ).fetchone()[0]
