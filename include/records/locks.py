"""One process at a time: locks that only the product's roles can take, let go by the server when their holder dies.

Advisory locks would not do: anybody who may connect takes them, a reader's login too, and so stops the nights.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
from psycopg import sql

from include.records.database import connect
from include.records.warehouse import Warehouse

NIGHT, RUN = "night_lock", "run_lock"  # views of schema quality
TRANSACTION_TIMEOUT_SINCE = 170000
SILENCE_S = 20  # a process that says nothing for so long has stopped, and loses what it holds
BEAT_S = 4
TABLE_PATIENCE = "20s"  # between two looks at whether the one that lands a table is still at work


def hold(conn: psycopg.Connection, name: str) -> None:
    """Waits for the lock of that name and keeps it until the caller's transaction ends."""
    asked = "select name from quality.locks where name = %s for update"
    if conn.execute(asked, [name]).fetchone() is None:
        conn.execute("insert into quality.locks (name) values (%s) on conflict do nothing", [name])
        conn.execute(asked, [name])


def hold_table(conn: psycopg.Connection, name: str) -> None:
    """The same for a table that lands: one whose process has stopped is put out, one at work is waited for."""
    (before,) = conn.execute("show lock_timeout").fetchone()
    while True:
        try:
            with conn.transaction():
                conn.execute(f"set local lock_timeout = '{TABLE_PATIENCE}'")
                hold(conn, name)
                conn.execute(f"set local lock_timeout = '{before}'")
                return
        except psycopg.errors.LockNotAvailable:
            conn.execute("select quality.put_out_silent()")


@contextmanager
def held(place: str | Warehouse, view: str) -> Iterator[psycopg.Connection | None]:
    """The connection that holds the lock, None where it was not free; kept meanwhile, in a transaction that reads and writes nothing.

    Such a transaction has neither number nor snapshot, so it holds no vacuum back however long it is open. The server ends it
    where this process says nothing for SILENCE_S: whoever stopped and wakes up finds it gone.
    """
    with connect(place) as conn:
        conn.execute(f"set local idle_in_transaction_session_timeout = '{SILENCE_S}s'")
        if conn.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
            conn.execute("set local transaction_timeout = 0")
        try:
            with conn.transaction():
                conn.execute(sql.SQL("lock table {} in exclusive mode nowait").format(sql.Identifier("quality", view)))
            is_free = True
        except psycopg.errors.LockNotAvailable:
            is_free = False
        with _beating(conn):
            yield conn if is_free else None


@contextmanager
def alive(warehouse: Warehouse) -> Iterator[None]:
    """A second session, `kaw-alive/<fence>`, shows as long as this process works; quality.put_out_silent looks for it."""
    named = replace(warehouse, fence="")
    with named.connect() as conn:
        conn.execute("select set_config('application_name', %s, false)", [f"kaw-alive/{warehouse.fence}"])
        conn.commit()
        conn.execute(f"set local idle_in_transaction_session_timeout = '{SILENCE_S}s'")
        with _beating(conn):
            yield


@contextmanager
def _beating(conn: psycopg.Connection) -> Iterator[None]:
    done = threading.Event()

    def beat() -> None:
        with suppress(psycopg.Error):  # the server ended it, or its holder did: whoever uses it is told
            while not done.wait(BEAT_S):
                conn.execute("select 1")

    thread = threading.Thread(target=beat, name="kaw heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def is_held(conn: psycopg.Connection, *views: str) -> bool:
    """Whether somebody holds one of these; takes none."""
    return conn.execute(
        "select exists (select 1 from pg_locks where granted and mode = 'ExclusiveLock'"
        " and database = (select oid from pg_database where datname = current_database())"
        " and relation in (select oid from pg_class where relnamespace = to_regnamespace('quality') and relname = any(%s)))",
        [list(views)],
    ).fetchone()[0]
