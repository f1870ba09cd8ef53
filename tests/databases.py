"""Databases of the tests on the session's server: copies of one another, under few names."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from include.local.postgres import Cluster
from include.local.server import Server
from include.records import identities
from include.records.warehouse import GATEKEEPER, Warehouse
from include.settings import LOGINS

MEMORY = Path("/dev/shm")
ROOM = 8 << 30  # bytes in memory: several times what the databases of three workers take
IN_MEMORY = "in_memory"
_taken: set[str] = set()


def keep_in_memory(server: Server, home: Path) -> None:
    """Where there is room, the databases of the tests are files in memory: each copy is 850 files, made and deleted at once.

    A file system without a journal (ext4) goes through what was deleted in the last minutes for each file that it makes.
    """
    place = in_memory(home)
    if not MEMORY.exists() or min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) < ROOM:
        return
    account = Cluster(home).account
    place.mkdir(mode=0o700, exist_ok=True)
    if account.uid is not None:
        os.chown(place, account.uid, account.gid)
    query = sql.SQL("create tablespace {} owner kaw location {}")
    # another worker may make it at the same moment
    made = (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation, psycopg.errors.ObjectInUse)
    with (
        contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection,
        contextlib.suppress(*made),
    ):
        connection.execute(query.format(sql.Identifier(IN_MEMORY), sql.Literal(str(place))))


def in_memory(home: Path) -> Path:
    """The folder of a session's databases in memory; whoever deletes its home deletes it too."""
    return MEMORY / home.name


@contextlib.contextmanager
def admin(server: Server) -> Iterator[psycopg.Connection]:
    """The login kaw (it owns and makes databases) outside any transaction."""
    with contextlib.closing(psycopg.connect(server.url("warehouse"), autocommit=True)) as connection:
        yield connection


def template_head(session_home: Path) -> Path:
    """The head of the ledger of the databases that are copied; its key is the session's home's."""
    return session_home / "template.head"


def give_ledger(session_home: Path, home: Path) -> None:
    """Key and head of a copied database's ledger, to a home that has none yet."""
    if not (home / "keys").exists() and (session_home / "keys").exists():
        shutil.copytree(session_home / "keys", home / "keys")
        shutil.copy(template_head(session_home), home / "ledger.head")


def drop(server: Server, name: str) -> None:
    """Drops a database whoever is in it, and its readers' logins; only a superuser may end an autovacuum worker."""
    with contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        logins = connection.execute("select rolname from pg_roles where starts_with(rolname, %s)", (f"{name}_",))
        for (login,) in logins.fetchall():
            for (owned,) in connection.execute(  # Superset's and Airflow's metadata, simulated sources
                "select datname from pg_database where datdba = %s::regrole", [f'"{login}"']
            ).fetchall():
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(owned)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def create(server: Server, name: str, template: str = "template1") -> None:
    with admin(server) as connection:
        spaces = connection.execute("select 1 from pg_tablespace where spcname = %s", (IN_MEMORY,)).fetchall()
        query = sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        query = query + sql.SQL(" tablespace {}").format(sql.Identifier(IN_MEMORY)) if spaces else query
        try:
            connection.execute(query)
        except psycopg.errors.ObjectInUse:  # workers that vacuum the template, and on a busy machine end late
            leave(server, template)
            connection.execute(query)


def leave(server: Server, name: str) -> None:
    """Ends all sessions of a database, so that it can be copied or renamed: dbt's and idle ones end late."""
    with contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection:
        connection.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,))


def with_logins(url: str) -> Warehouse:
    """A migrated warehouse by the logins of its roles, made with passwords that nobody keeps; they go with the database."""
    with psycopg.connect(url) as connection:
        wanted = identities.identities(url)
        passwords = {each.name: secrets.token_hex(8) for each in wanted}
        identities.make(connection, wanted, passwords)
    known = identities.addresses(url, passwords)
    return Warehouse(known[GATEKEEPER], logins=known)


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The settings of a test name this migrated warehouse, by its owner's address, and the logins of its roles."""
    monkeypatch.setenv("KAW_WAREHOUSE", url)
    logins = with_logins(url).logins
    for role in LOGINS:
        monkeypatch.setenv(f"KAW_LOGIN_{role.upper()}", logins[identities.group_of(role)])


@contextlib.contextmanager
def copied(server: Server, template: str, kind: str = "test") -> Iterator[str]:
    """A copy of a database under the first free name of this worker and kind, dropped afterwards."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = next(name for n in itertools.count() if (name := f"{kind}_{worker}_{n}") not in _taken)
    _taken.add(name)
    try:
        drop(server, name)
        create(server, name, template)
        yield name
        drop(server, name)
    finally:
        _taken.discard(name)


@contextlib.contextmanager
def made_once(server: Server, home: Path, name: str, template: str = "template1") -> Iterator[str | None]:
    """A copy of `template` to make the database `name` of, which all workers copy; None where one of them has made it."""
    with (home / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with admin(server) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                yield None
                return
        with copied(server, template) as unfinished:
            yield unfinished
            leave(server, unfinished)
            with contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection:
                connection.execute(
                    sql.SQL("alter database {} rename to {}").format(sql.Identifier(unfinished), sql.Identifier(name))
                )
