"""Databases of the tests on the session's server."""
from __future__ import annotations

import contextlib

import psycopg
from psycopg import sql

from include.server import Server


def drop(server: Server, name: str) -> None:
    """Drops a database whoever is in it; only a superuser may end an autovacuum worker."""
    with contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
