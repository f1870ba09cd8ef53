"""Logins of readers and their tools: real ones, each a member of one group role, with limits of their own.

The grants of the group are the guard. Read-only, time-out and search path are what a session starts with; whoever logs in can
set them otherwise and still may not write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from include.records.warehouse import Warehouse

SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "5min",
    "search_path": "marts",
}
LONGEST_NAME = 63  # bytes of an identifier
SET_OPTION_SINCE = 160000  # from here on a member can be kept from `set role`


@dataclass(frozen=True)
class Login:
    """A role with LOGIN in one database: whose group's rights it has, and how many connections it may hold at once."""

    name: str
    group: str
    connections: int


class NotAllowed(Exception):
    """This login of the warehouse may not make roles. `statements` are what somebody who may has to run."""

    def __init__(self, statements: list[str]) -> None:
        super().__init__("roles may not be created")
        self.statements = statements


def name_of(database: str, what: str) -> str:
    """The login's name: roles belong to the whole server, so it carries the database's. Raises ValueError where it is too long."""
    name = f"{database}_{what}"
    if len(name.encode()) > LONGEST_NAME or re.search(r"[\x00-\x1f]", name):
        raise ValueError(f"{name!r} is no name of a role")
    return name


def make(conn: psycopg.Connection, login: Login, password: str) -> None:
    """The login as it should be, whatever it was: made, or given this password and its limits anew, and able to log in.

    Raises NotAllowed where roles may not be made here; nothing was changed then.
    """
    statements = _statements(conn, login, password)
    try:
        with conn.transaction():
            for statement in statements:
                conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowed([f"{statement.as_string(conn)};" for statement in statements]) from error


def _statements(conn: psycopg.Connection, login: Login, password: str) -> list[sql.Composed]:
    """The password goes as the verifier that the server keeps, so that no log of statements has it."""
    name, group = sql.Identifier(login.name), sql.Identifier(login.group)
    verifier = conn.pgconn.encrypt_password(password.encode(), login.name.encode(), b"scram-sha-256").decode()
    made = [] if exists(conn, login.group) else [sql.SQL("create role {} nologin").format(group)]
    made.append(
        sql.SQL("{} role {} login password {} connection limit {}").format(
            sql.SQL("alter" if exists(conn, login.name) else "create"),
            name,
            sql.Literal(verifier),
            sql.Literal(login.connections),
        )
    )
    if conn.info.server_version >= SET_OPTION_SINCE:
        made.append(sql.SQL("grant {} to {} with inherit true, set false").format(group, name))
    else:
        made.append(sql.SQL("grant {} to {}").format(group, name))
    database = sql.Identifier(conn.info.dbname)
    for setting, value in SETTINGS.items():
        made.append(
            sql.SQL("alter role {} in database {} set {} = {}").format(
                name, database, sql.Identifier(setting), sql.Literal(value)
            )
        )
    return made


def exists(conn: psycopg.Connection, role: str) -> bool:
    return conn.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None


def is_as_wanted(address: str, login: Login) -> bool:
    """Whether somebody can really log in at this address, with the limits and the group that the login should have."""
    try:
        with psycopg.connect(address, connect_timeout=10) as conn:
            found = conn.execute(
                "select rolconnlimit, pg_has_role(rolname, %s, 'usage') from pg_roles where rolname = current_user",
                [login.group],
            ).fetchone()
            set_ = {name: conn.execute(f"show {name}").fetchone()[0] for name in SETTINGS}
    except psycopg.Error:
        return False
    return found == (login.connections, True) and set_ == SETTINGS


def close(conn: psycopg.Connection, names: list[str]) -> None:
    """Nobody logs in with these any more, and whoever is in is put out; `make` opens them again."""
    for name in names:
        if exists(conn, name):
            conn.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(name)))
    _put_out(conn, names)


def drop(conn: psycopg.Connection, name: str) -> None:
    """The login is gone. Raises NotAllowed where roles may not be dropped here."""
    if not exists(conn, name):
        return
    statement = sql.SQL("drop role {}").format(sql.Identifier(name))
    try:
        _put_out(conn, [name])
        with conn.transaction():
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowed([f"{statement.as_string(conn)};"]) from error


def _put_out(conn: psycopg.Connection, names: list[str]) -> None:
    conn.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = any(%s) and pg_has_role(usesysid, 'usage')",
        [names],
    )


def address_for(address: str, login: str, password: str, database: str | None = None) -> str:
    """The same database, or another of its server, for another login. What an address says of the connection (sslmode and the like) stays."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("user", "password", "options")]
    if database is not None:
        parts = parts._replace(path="/" + quote(database, safe=""))
    return urlunsplit(
        parts._replace(netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{host}", query=urlencode(query))
    )


def database_of(address: str) -> str:
    return unquote(urlsplit(address).path.lstrip("/"))


def note_manager(conn: psycopg.Connection, login: str, manager_no: str) -> None:
    """Whose rows the login sees; the policies of the published relations ask this."""
    conn.execute(
        "insert into publish.manager_logins (login, manager_no) values (%s, %s)"
        " on conflict (login) do update set manager_no = excluded.manager_no",
        [login, manager_no],
    )


def drop_manager(conn: psycopg.Connection, login: str) -> None:
    """The login sees nothing from here on, and is gone. Raises NotAllowed where it may not be dropped: it then sees nothing."""
    conn.execute("delete from publish.manager_logins where login = %s", [login])
    drop(conn, login)


def drop_who_left(warehouse: Warehouse) -> list[str]:
    """Drops the logins of managers who are not at work on the published date; what may not be dropped is returned.

    Their accounts went with the pointers' move already. Where no manager is published, nobody is taken for gone.
    """
    kept = []
    with warehouse.connect(autocommit=True) as conn:
        left = conn.execute(
            "select login from publish.manager_logins where exists (select 1 from publish.managers)"
            " and not exists (select 1 from publish.managers where managers.manager_no = manager_logins.manager_no)"
            " order by login"
        ).fetchall()
        for (login,) in left:
            try:
                drop_manager(conn, login)
            except NotAllowed:
                kept.append(login)
    return kept
