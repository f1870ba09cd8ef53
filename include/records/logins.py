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
READ_SCHEMAS = ("marts", "publish")
LONGEST_NAME = 63  # bytes of an identifier
SET_OPTION_SINCE = 160000  # from here on a member can be kept from `set role`


@dataclass(frozen=True)
class Login:
    """A role with LOGIN in one database: whose group's rights it has, and how many connections it may hold at once."""

    name: str
    group: str
    connections: int


class NotAllowed(Exception):
    """This login of the warehouse may not do it. `statements` are what somebody who may has to run; `why` is PostgreSQL's word for it."""

    def __init__(self, statements: list[str], why: str = "") -> None:
        super().__init__("roles may not be changed")
        self.statements = statements
        self.why = why


def name_of(database: str, what: str) -> str:
    """The login's name: roles belong to the whole server, so it carries the database's.

    In a database `kaw` it says `kaw_login_loader`, for `kaw_loader` is the group. Raises ValueError where it is too long.
    """
    name = f"{database}_login_{what}" if database == "kaw" else f"{database}_{what}"
    if len(name.encode()) > LONGEST_NAME or re.search(r"[\x00-\x1f]", name):
        raise ValueError(f"{name!r} is no name of a role")
    return name


def make(conn: psycopg.Connection, login: Login, password: str | None) -> None:
    """The login as it should be, whatever it was: made, or given its limits anew, and able to log in.

    A password of None leaves the one that the login has. Raises NotAllowed where roles may not be made here; nothing was
    changed then.
    """
    statements = _statements(conn, login, password)
    try:
        with conn.transaction():
            for statement in statements:
                conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise _not_allowed(conn, statements, error) from error


def let_in(conn: psycopg.Connection, login: str) -> None:
    """The login may use the schemas that readers read, of this database alone: its group is shared by all of the server."""
    for schema in READ_SCHEMAS:
        conn.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), sql.Identifier(login)))


def _statements(conn: psycopg.Connection, login: Login, password: str | None) -> list[sql.Composed]:
    """The password goes as the verifier that the server keeps, so that no log of statements has it."""
    name, group = sql.Identifier(login.name), sql.Identifier(login.group)
    made = [] if exists(conn, login.group) else [sql.SQL("create role {} nologin").format(group)]
    secret = sql.SQL("")
    if password is not None:
        verifier = conn.pgconn.encrypt_password(password.encode(), login.name.encode(), b"scram-sha-256").decode()
        secret = sql.SQL(" password {}").format(sql.Literal(verifier))
    made.append(
        sql.SQL("{} role {} login{} connection limit {}").format(
            sql.SQL("alter" if exists(conn, login.name) else "create"), name, secret, sql.Literal(login.connections)
        )
    )
    owner = sql.Identifier(conn.execute("select session_user").fetchone()[0])
    how = sql.SQL(" with inherit true, set false" if conn.info.server_version >= SET_OPTION_SINCE else "")
    made.append(sql.SQL("grant {} to {}{}").format(group, name, how))
    made.append(sql.SQL("grant {} to {}{}").format(name, owner, how))  # who may end its sessions and drop what it owns
    database = sql.Identifier(conn.info.dbname)
    for setting, value in SETTINGS.items():
        made.append(
            sql.SQL("alter role {} in database {} set {} = {}").format(
                name, database, sql.Identifier(setting), sql.Literal(value)
            )
        )
    return made


def _not_allowed(conn: psycopg.Connection, statements: list[sql.Composed], error: psycopg.Error) -> NotAllowed:
    why = ": ".join(filter(None, [error.diag.message_primary, error.diag.message_detail]))
    return NotAllowed([f"{statement.as_string(conn)};" for statement in statements], " ".join(why.split()))


def exists(conn: psycopg.Connection, role: str) -> bool:
    return conn.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None


def is_as_wanted(conn: psycopg.Connection, address: str, login: Login) -> bool:
    """Whether the login has the limits and the group that it should have, and somebody can really log in with it.

    Where as many are in as its limit allows, the server takes the password and then refuses: that is as wanted.
    """
    found = conn.execute(
        "select rolcanlogin, rolconnlimit, pg_has_role(oid, %s, 'usage'),"
        " coalesce((select setconfig from pg_db_role_setting where setrole = pg_roles.oid and setdatabase ="
        " (select oid from pg_database where datname = current_database())), '{}')"
        " from pg_roles where rolname = %s and exists (select 1 from pg_roles where rolname = %s)",
        [login.group, login.name, login.group],
    ).fetchone()
    wanted = {f"{name}={value}" for name, value in SETTINGS.items()}
    if found is None or found[:3] != (True, login.connections, True) or set(found[3]) != wanted:
        return False
    try:
        psycopg.connect(address, connect_timeout=10).close()
    except psycopg.Error:
        (now,) = conn.execute("select count(*) from pg_stat_activity where usename = %s", [login.name]).fetchone()
        return now >= login.connections
    return True


def close(conn: psycopg.Connection, names: list[str]) -> int:
    """Nobody logs in with these any more, and whoever is in is put out; `make` opens them again. Returns how many may not be put out."""
    for name in names:
        if exists(conn, name):
            conn.execute(sql.SQL("alter role {} nologin").format(sql.Identifier(name)))
    conn.commit()
    return _put_out(conn, names)


def drop(conn: psycopg.Connection, name: str) -> None:
    """Nobody logs in with it any more, what it owns in this database is dropped, and it is gone.

    Raises NotAllowed where roles may not be dropped here, or where it owns something in another database: it then cannot log
    in any more, where that at least is allowed.
    """
    if not exists(conn, name):
        return
    role = sql.Identifier(name)
    nologin = sql.SQL("alter role {} nologin").format(role)
    gone = [sql.SQL("drop owned by {}").format(role), sql.SQL("drop role {}").format(role)]
    try:
        with conn.transaction():
            conn.execute(nologin)
        _put_out(conn, [name])
        with conn.transaction():
            for statement in gone:
                conn.execute(statement)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.DependentObjectsStillExist) as error:
        raise _not_allowed(conn, [nologin, *gone], error) from error


def _put_out(conn: psycopg.Connection, names: list[str]) -> int:
    conn.execute(
        "select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = any(%s) and pg_has_role(usesysid, 'usage')",
        [names],
    )
    return conn.execute(
        "select count(*) from pg_stat_activity where usename = any(%s) and not pg_has_role(usesysid, 'usage')", [names]
    ).fetchone()[0]


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
    """The login is gone. Raises NotAllowed where it may not be dropped: it then sees nothing, and `drop_who_left` tries again."""
    try:
        drop(conn, login)
    finally:
        conn.execute("delete from publish.manager_logins where login = %s", [login])


def drop_who_left(warehouse: Warehouse) -> dict[str, str]:
    """Drops the logins of managers who are not at work on the published date, and those that are nobody's any more.

    Returns those that could not be dropped, with the reason. Their accounts went with the pointers' move already. Where no
    manager is published, nobody is taken for gone.
    """
    with warehouse.connect(autocommit=True) as conn:
        return dict(conn.execute("select login, why from publish.drop_logins_of_who_left()").fetchall())
