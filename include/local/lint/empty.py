"""The empty warehouse that SQL is tried against: a database in which every relation exists and holds no row.

It is kept under one name with the checksum of all that it was made of. Where nothing of that has changed, nothing is
made; else it is made anew with the SQL that dbt compiles. Seeds hold their rows: a rule's parameters are looked up.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from include.local.lint.models import compile_models, make_models
from include.local.lint.problem import Problem
from include.local.lint.seeds import load_seeds
from include.local.server import Server
from include.records.database import connect
from include.records.migrations import migrate
from include.records.warehouse import Warehouse
from include.settings import settings

DATABASE = "lint"
MADE_OF = (
    "include/contracts",
    "include/records",
    "include/sql",
    "include/local/lint",
    "dbt_project/dbt_project.yml",
    "dbt_project/macros",
    "dbt_project/models",
    "dbt_project/seeds",
)
SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".py"}


def checksum(root: Path) -> str:
    """Digest of every file that decides what the empty warehouse looks like."""
    digest = hashlib.sha256()
    for part in MADE_OF:
        place = root / part
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix in SUFFIXES:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@contextlib.contextmanager
def empty_warehouse(server: Server, root: Path) -> Iterator[tuple[str, list[Problem]]]:
    """Address of the empty warehouse of this tree, and the problems that making it met; nobody makes it meanwhile."""
    wanted = checksum(root)
    home = settings().home
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lint.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        problems = [] if _checksum_of(server) == wanted else _make(server, root, wanted)
        yield server.url(DATABASE), problems


def _checksum_of(server: Server) -> str | None:
    """What the database on this server was made of, None where it is missing or unfinished."""
    with _admin(server) as connection:
        found = connection.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (DATABASE,)
        ).fetchone()
    return found[0] if found else None


def _make(server: Server, root: Path, wanted: str) -> list[Problem]:
    """Makes the database anew. With problems it stays without a checksum, so that the next call makes it again."""
    name = sql.Identifier(DATABASE)
    with _admin(server) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        connection.execute(sql.SQL("create database {}").format(name))
    url = server.url(DATABASE)
    migrate(Warehouse(url))
    compiled, problems = compile_models(url, root)
    with connect(url) as connection:
        load_seeds(connection, root)
        problems += make_models(connection, compiled)
        _let_the_planner_look_up_parameters(connection)
    if not problems:
        with _admin(server) as connection:
            connection.execute(sql.SQL("comment on database {} is {}").format(name, sql.Literal(wanted)))
    return problems


def _let_the_planner_look_up_parameters(connection: psycopg.Connection) -> None:
    """A function that counts as immutable is called while a query is planned: a threshold that is in no seed shows at once."""
    found = connection.execute(
        "select oid::regprocedure::text from pg_proc where proname = 'parameter' and pronamespace = 'quality'::regnamespace"
    ).fetchall()
    for (function,) in found:
        connection.execute(f"alter function {function} immutable")


@contextlib.contextmanager
def _admin(server: Server) -> Iterator[psycopg.Connection]:
    with contextlib.closing(psycopg.connect(server.url("warehouse"), autocommit=True)) as connection:
        yield connection
