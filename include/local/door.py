"""The door: the login with which dashboards and notebooks read the published marts, open until `./kaw down`.

KAW_HOME/bi.json (mode 0600) holds the passwords, database by database, and which doors are open: an embedded server is not
stopped behind an open one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psycopg

from include.errors import InfrastructureError, KawError, UsageError
from include.local import server
from include.records import logins
from include.records.logins import Login, NotAllowed
from include.records.migrations import grant_again
from include.records.warehouse import Warehouse
from include.settings import Settings, mask_secrets

FILE = "bi.json"
READERS = "kaw_bi_reader"
READER_CONNECTIONS = 20
MANAGERS = "kaw_account_manager"
MANAGER_CONNECTIONS = 5
EMBEDDED = "embedded"


@dataclass(frozen=True)
class Opened:
    """A login that works, and where."""

    host: str
    port: int
    database: str
    login: str
    password: str = field(repr=False)
    url: str = field(repr=False)

    def as_dict(self) -> dict:
        return {name: getattr(self, name) for name in ("host", "port", "database", "login", "password", "url")}


def open_for_readers(warehouse: Warehouse, given: Settings, *, new_password: bool = False) -> Opened:
    """The readers' login of this database, able to log in; the same name and password as the last time.

    Raises InfrastructureError where roles may not be made here: its message has the statements for somebody who may; and where
    another home made the login, unless a new password is asked for.
    """
    return open_login(
        warehouse, given, _login(warehouse, "bi_reader", READERS, READER_CONNECTIONS), new_password=new_password
    )


def open_for_manager(
    warehouse: Warehouse, given: Settings, manager_no: str, *, new_password: bool = False
) -> tuple[Opened, int]:
    """The login of an account manager, who sees the rows of the own accounts; and how many accounts these are.

    Raises UsageError where no such manager is at work on the published date, InfrastructureError where a relation would show
    more than it should, or where roles may not be made here.
    """
    with warehouse.connect() as conn:
        accounts = _accounts_of(conn, manager_no)
        if unprotected := conn.execute("select relation, reason from publish.unprotected order by 1").fetchall():
            raise InfrastructureError(
                "A manager could be shown the rows of others: "
                + ", ".join(f"{relation} is {reason}" for relation, reason in unprotected)
                + ".",
                where="publish.unprotected",
                next_step="drop it, or make it a view with (security_invoker = true); then repeat the command.",
            )
    login = _login(warehouse, f"manager_{manager_no}", MANAGERS, MANAGER_CONNECTIONS)
    with warehouse.connect() as conn:  # before it is made: a publish drops a login that is nobody's
        logins.note_manager(conn, login.name, manager_no)
    return open_login(warehouse, given, login, new_password=new_password), accounts


def revoke_manager(warehouse: Warehouse, given: Settings, manager_no: str) -> str:
    """Drops the login of a manager and returns its name. Raises UsageError where there is none."""
    with warehouse.connect(autocommit=True) as conn:
        found = conn.execute("select login from publish.manager_logins where manager_no = %s", [manager_no]).fetchone()
        if found is None:
            raise UsageError(
                f"The manager {manager_no} has no login.",
                where="publish.manager_logins",
                next_step=f"./kaw bi manager {manager_no} makes one.",
            )
        try:
            logins.drop_manager(conn, found[0])
        except NotAllowed as refused:
            raise _have_it_run(refused, warehouse, "It sees nothing any more, and its role is still there") from refused
    forget(given, found[0])
    return found[0]


def _accounts_of(conn: psycopg.Connection, manager_no: str) -> int:
    if not conn.execute("select exists (select 1 from publish.scopes)").fetchone()[0]:
        raise UsageError(
            "What is published does not say yet what an account manager may see.",
            where="publish.scopes",
            next_step="./kaw run publishes a night, then repeat the command.",
        )
    known = dict(
        conn.execute(
            "select managers.manager_no, count(accounts.account_no) from publish.managers"
            " left join publish.manager_accounts as accounts on managers.manager_no = accounts.manager_no group by 1 order by 1"
        ).fetchall()
    )
    if manager_no not in known:
        listed = ", ".join(f"{number} ({count})" for number, count in list(known.items())[:12])
        raise UsageError(
            f"No manager {manager_no} is at work on the published date.",
            where="publish.managers",
            next_step=f"give one of these (accounts): {listed or 'none is published'}{', ...' if len(known) > 12 else ''}.",
        )
    return known[manager_no]


def _login(warehouse: Warehouse, what: str, group: str, connections: int) -> Login:
    database = logins.database_of(warehouse.address)
    try:
        return Login(logins.name_of(database, what), group, connections)
    except ValueError as error:
        raise InfrastructureError(
            f"No login can be made: {error}.", where=database, next_step="use a database with a shorter name."
        ) from error


def open_login(warehouse: Warehouse, given: Settings, login: Login, *, new_password: bool = False) -> Opened:
    """The door is noted open before anybody can log in: whoever is killed in between leaves one that `down` closes."""
    with warehouse.connect() as conn:
        is_there = logins.exists(conn, login.name)
    with _state(given) as doors:
        door = doors.setdefault(place_of(given), {"is_open": False, "logins": {}})
        if is_there and login.name not in door["logins"] and not new_password:
            raise _another_password(login, warehouse)
        was_open, door["is_open"] = door["is_open"], True
        if new_password or login.name not in door["logins"]:
            door["logins"][login.name] = secrets.token_hex(24)
        password = door["logins"][login.name]
    address = logins.address_for(warehouse.address, login.name, password)
    with warehouse.connect() as conn:
        if new_password or not logins.is_as_wanted(conn, address, login):
            try:
                logins.make(conn, login, password if new_password or not is_there else None)
            except NotAllowed as refused:
                with _state(given) as doors:
                    doors[place_of(given)]["is_open"] = was_open
                raise _have_it_run(
                    refused, warehouse, "This login of the warehouse may not make or change roles"
                ) from refused
        if not conn.execute("select has_table_privilege(%s, 'marts.publication', 'select')", [login.group]).fetchone()[
            0
        ]:
            grant_again(conn)
        logins.let_in(conn, login.name)
        conn.commit()
        if not logins.is_as_wanted(conn, address, login):
            raise _another_password(login, warehouse)
    parts = urlsplit(address)
    return Opened(
        parts.hostname or "localhost",
        parts.port or 5432,
        logins.database_of(warehouse.address),
        login.name,
        password,
        address,
    )


def _another_password(login: Login, warehouse: Warehouse) -> KawError:
    """Its readers would be locked out by a new password that nobody told them."""
    return InfrastructureError(
        f"The login {login.name} is there, and this home cannot log in with it: another home made it, or the server does not let"
        " it in (pg_hba.conf).",
        where=mask_secrets(warehouse.address),
        next_step=f"use {FILE} of the home that made it, or give the login another password for everybody: --new-password.",
    )


def _have_it_run(refused: NotAllowed, warehouse: Warehouse, what: str) -> KawError:
    return InfrastructureError(
        f"{what} ({refused.why or 'refused'}). Statements for somebody who may:\n"
        + "\n".join(f"  {statement}" for statement in refused.statements),
        where=mask_secrets(warehouse.address),
        next_step=f"have them run in this database, then repeat the command: a password is in KAW_HOME/{FILE}.",
    )


def is_open(given: Settings) -> bool:
    """Whether somebody reads, or may at any moment, through the door of this home's warehouse."""
    return bool(_read(given).get(place_of(given), {}).get("is_open"))


def close(given: Settings) -> bool:
    """Nobody logs in any more and whoever is in is put out; whether it was open. Passwords stay for the next time.

    Raises InfrastructureError where the warehouse does not answer, or this login of it may not do all of that: its message
    has the statements for somebody who may.
    """
    if not is_open(given):
        return False
    names = list(_read(given)[place_of(given)]["logins"])
    try:
        with psycopg.connect(server.warehouse_url(given), connect_timeout=server.CONNECT_TIMEOUT_S) as conn:
            still_in = logins.close(conn, names)
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege, InfrastructureError) as error:
        why = error.what if isinstance(error, KawError) else mask_secrets(" ".join(str(error).split()))
        raise InfrastructureError(
            f"The door for readers is not closed: {why}",
            where=", ".join(names),
            next_step="have somebody who may run: " + " ".join(f'alter role "{name}" nologin;' for name in names),
        ) from error
    with _state(given) as doors:
        doors[place_of(given)]["is_open"] = False
    if still_in:
        listed = ", ".join(f"'{name}'" for name in names)
        raise InfrastructureError(
            f"Nobody logs in through the door any more; {still_in} that came in before may not be put out by the login of the"
            " warehouse.",
            where=", ".join(names),
            next_step="have somebody who may run: select pg_terminate_backend(pid) from pg_stat_activity"
            f" where usename in ({listed});",
        )
    return True


def forget(given: Settings, login: str) -> None:
    """The password of a login that is gone."""
    with _state(given) as doors:
        doors.get(place_of(given), {}).get("logins", {}).pop(login, None)


def place_of(given: Settings) -> str:
    """Which database a password is for: an embedded server may come up on another port."""
    if given.warehouse is None:
        return EMBEDDED
    parts = urlsplit(given.warehouse)
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


def _read(given: Settings) -> dict:
    try:
        return json.loads((given.home / FILE).read_text())
    except (OSError, ValueError):
        return {}


@contextlib.contextmanager
def _state(given: Settings) -> Iterator[dict]:
    """What the file holds, to be changed; one process at a time."""
    descriptor = server.acquire(given.home / "bi.lock", fcntl.LOCK_EX)
    try:
        doors = _read(given)
        before = json.dumps(doors)
        yield doors
        if json.dumps(doors) != before:
            server.write_private(given.home / FILE, doors)
    finally:
        os.close(descriptor)


def snippets(opened: Opened) -> dict[str, str]:
    """How each tool is connected, as lines to copy."""
    rest = opened.url.removeprefix("postgresql://")
    place = f"host={opened.host} port={opened.port} dbname={opened.database} user={opened.login}"
    fields = f"host {opened.host}, port {opened.port}, database {opened.database}, user {opened.login}"
    return {
        "psql": f'psql "{opened.url}"',
        "Superset": f"Settings, Database connections, + Database, SQLAlchemy URI:\npostgresql+psycopg2://{rest}",
        "Metabase": f"Admin, Databases, Add, PostgreSQL: {fields}, schemas: only marts",
        "Power BI": f"Get data, PostgreSQL database: server {opened.host}:{opened.port}, database {opened.database}, Import;"
        f"\nuser {opened.login} under Database, without an encrypted connection where the server has none",
        "DuckDB": "install postgres; load postgres;\n"
        f"attach '{place} password={opened.password}' as kaw (type postgres, read_only, schema 'marts');\n"
        "select * from kaw.marts.publication;",
        "notebook": "import pandas, sqlalchemy\n"
        f'engine = sqlalchemy.create_engine("postgresql+psycopg://{rest}")\n'
        'pandas.read_sql("select * from marts.publication", engine)',
    }
