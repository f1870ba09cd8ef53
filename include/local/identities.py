"""The logins of this home: made at set-up with generated secrets, kept in KAW_HOME/logins.json (mode 0600), handed to what works.

On another machine they come from the environment instead: KAW_LOGIN_LOADER and so on, or Airflow's connections of these names.
Where the owner of a warehouse may not make roles, its administrator runs what the message has, once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg

from include.errors import InfrastructureError
from include.landing.moving_in import move_in
from include.local import server
from include.records import identities, ledger
from include.records.identities import Identity, group_of
from include.records.logins import NotAllowed, address_for, database_of
from include.records.migrations import migrate, require_current
from include.records.warehouse import GATEKEEPER, Warehouse
from include.settings import LOGINS, Settings, mask_secrets, settings

FILE = "logins.json"
EMBEDDED = "embedded"


def opened(given: Settings | None = None) -> Warehouse:
    """The warehouse by the logins of its roles; its owner brings it to the state of this code first, and makes them."""
    given = given or settings()
    address = server.warehouse_url(given)
    try:
        migrate(Warehouse(address))
    except psycopg.errors.InsufficientPrivilege as error:
        raise InfrastructureError(
            f"The warehouse is older than this code, and this login may not migrate it: {error.diag.message_primary}.",
            where=mask_secrets(address),
            next_step="run ./kaw run or ./kaw up once with KAW_WAREHOUSE=postgresql://owner:... of the owner's login.",
        ) from error
    move_in(address)  # as the key of the vault is not the database's, no migration can do it
    ledger.write_head(address)  # who migrates announces the key; no role of a night may
    return _by_logins(address, given, may_make=True)


def looked_at(given: Settings | None = None) -> Warehouse:
    """The same for who only reads: nothing is migrated or made. Raises UsageError where there is no warehouse yet."""
    given = given or settings()
    address = server.warehouse_url(given)
    require_current(Warehouse(address))
    return _by_logins(address, given, may_make=False)


def _by_logins(address: str, given: Settings, *, may_make: bool) -> Warehouse:
    known = {group_of(role): login for role, login in given.logins.items()}
    if len(known) < len(LOGINS):
        known = identities.addresses(address, _passwords(address, given, may_make=may_make)) | known
    return Warehouse(known[GATEKEEPER], logins=known)


def _passwords(address: str, given: Settings, *, may_make: bool = True, anew: bool = False) -> dict[str, str]:
    """Login -> password, of all logins of the warehouse; what is missing of them is made where `may_make`."""
    wanted = identities.identities(address)
    with _state(given) as kept, psycopg.connect(address, connect_timeout=server.CONNECT_TIMEOUT_S) as conn:
        passwords = kept.setdefault(place(given), {})
        lacking = wanted if anew else identities.missing(conn, address)
        strange = [each for each in wanted if each.name not in passwords and each not in lacking]
        if strange and not anew:
            raise _another_home(strange, address)
        if lacking and not may_make:
            raise InfrastructureError(
                f"The warehouse lacks the login {lacking[0].name} of this home.",
                where=mask_secrets(address),
                next_step="./kaw run or ./kaw logins makes it.",
            )
        for each in lacking if anew else [each for each in wanted if each.name not in passwords]:
            passwords[each.name] = secrets.token_hex(24)
        if lacking:
            _make(conn, lacking, passwords, address, lambda: _write(given, kept))
        elif may_make:
            identities.grant_where_missing(conn)
        return dict(passwords)


def _make(conn: psycopg.Connection, lacking: list[Identity], passwords: dict[str, str], address: str, keep) -> None:
    """Passwords are on disk before anybody can log in with them."""
    keep()
    conn.rollback()
    try:
        identities.make(conn, lacking, passwords)
    except NotAllowed as refused:
        raise InfrastructureError(
            f"The logins of the roles are missing, and this login of the warehouse may not make them ({refused.why})."
            " Statements for somebody who may:\n" + "\n".join(f"  {statement}" for statement in refused.statements),
            where=mask_secrets(address),
            next_step=f"have them run in this database, then repeat the command; the passwords are in KAW_HOME/{FILE}."
            " docs/how-to/own-postgresql-logins.md has the whole way.",
        ) from refused


def _another_home(strange: list[Identity], address: str) -> InfrastructureError:
    return InfrastructureError(
        f"The login {strange[0].name} is there, and this home does not have its password: another home made it.",
        where=mask_secrets(address),
        next_step=f"copy {FILE} of that home here, or give all logins of this warehouse other passwords: ./kaw logins --new-passwords.",
    )


def renew(given: Settings) -> list[str]:
    """All logins with new passwords; returns their names. Whoever has the old ones is locked out."""
    address = server.warehouse_url(given)
    migrate(Warehouse(address))
    _passwords(address, given, anew=True)
    return [each.name for each in identities.identities(address)]


def own_database(given: Settings, role: str, name: str) -> str:
    """Address of a database that a login of its own owns: Airflow's metadata, a simulated source. Made where it is missing.

    Beside a warehouse on a server of one's own its name begins with the warehouse's, for others may be there.
    """
    address = server.warehouse_url(given)
    passwords = _passwords(address, given)
    login = next(each.name for each in identities.identities(address) if each.role == role)
    database = name if given.warehouse is None else f"{database_of(address)}_{name}"
    with psycopg.connect(address, autocommit=True, connect_timeout=server.CONNECT_TIMEOUT_S) as conn:
        try:
            is_anothers = identities.hand_over(conn, database, login)
        except psycopg.errors.InsufficientPrivilege as error:
            raise InfrastructureError(
                f"The database {database} does not exist and cannot be created, or is another's: {error.diag.message_primary}.",
                where=mask_secrets(address),
                next_step=f'have it made: create database "{database}" owner "{login}".',
            ) from error
    if is_anothers:
        former = address_for(address, *identities.user_of(address), database=database)
        with psycopg.connect(former, connect_timeout=server.CONNECT_TIMEOUT_S) as conn:
            identities.hand_over_relations(conn, login)
    return address_for(address, login, passwords[login], database=database)


def environment_of(warehouse: Warehouse) -> dict[str, str]:
    """What a process that works for the nights is given: no address of the owner."""
    told = {f"KAW_LOGIN_{role.upper()}": warehouse.logins[group_of(role)] for role in LOGINS}
    return told | {"KAW_WAREHOUSE": warehouse.address}


def airflow_environment(given: Settings) -> dict[str, str]:
    """The variables that tell Airflow its metadata database.

    Airflow asks for a second, asynchronous driver; the one it would choose (asyncpg) is not installed, psycopg serves both.
    """
    rest = own_database(given, "airflow", "airflow").removeprefix("postgresql://")
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{rest}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg://{rest}",
    }


def simulation_url(source: str, given: Settings) -> str:
    """Address of the database in which the simulated source (`marketing`, `contract`) lives."""
    return own_database(given, "simulation", f"sim_{source}")


def place(given: Settings) -> str:
    """Which database a password is for: an embedded server may come up on another port."""
    if given.warehouse is None:
        return EMBEDDED
    parts = urlsplit(given.warehouse)
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


@contextlib.contextmanager
def _state(given: Settings) -> Iterator[dict]:
    """What the file holds, to be changed; one process at a time."""
    descriptor = server.acquire(given.home / "logins.lock", fcntl.LOCK_EX)
    try:
        try:
            kept = json.loads((given.home / FILE).read_text())
        except (OSError, ValueError):
            kept = {}
        before = json.dumps(kept)
        yield kept
        if json.dumps(kept) != before:
            _write(given, kept)
    finally:
        os.close(descriptor)


def _write(given: Settings, kept: dict) -> None:
    server.write_private(given.home / FILE, kept)
