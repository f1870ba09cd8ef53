"""The database server: the embedded PostgreSQL of KAW_HOME, or the one that KAW_WAREHOUSE names.

The embedded server outlives the process that started it, until `stop()`. Two processes that ask for it at once get one
server: whoever holds the lock of the home starts it, the other finds it running.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from include.errors import InfrastructureError, UsageError
from include.local.postgres import START_TIMEOUT_S, Cluster
from include.settings import ROOT, Settings, mask_secrets, settings

HOST = "127.0.0.1"
ADMIN = "kaw_admin"  # superuser; makes roles and databases at the first start, and is not used afterwards
LOGIN = "kaw"  # owns the warehouse: migrates it and makes the logins of the roles, and does none of a night's work
DATABASES = ("warehouse", "airflow", "sim_marketing", "sim_contract")
OLDEST_VERSION = 15
PORTS = range(
    20000, 32000
)  # below the ports that systems hand to outgoing connections, so a restart finds its port free
CONNECT_TIMEOUT_S = 10
# all that the project writes into KAW_HOME; where anything else lies there, the folder is not deleted
OWN_ENTRIES = {
    *("airflow", "bench", "dbt", "docs", "evidence", "lint", "logs", "postgres", "reports", "sources", "superset"),
    *("alerts.json", "alerts.json.partial", "alerts.lock", "bi.json", "bi.json.partial", "bi.lock"),
    *("clean_sql.json", "lint.lock", "simulation.json"),
    *("heads", "keys", "ledger.head", "ledger.head.lock", "ledger.head.partial"),
    *("logins.json", "logins.json.partial", "logins.lock"),
    *("server.json", "server.json.partial", "server.lock", "server.users"),
}


@dataclass(frozen=True)
class Server:
    """A running embedded server. `url(database)` is the address for the login `kaw`."""

    host: str
    port: int
    password: str = field(repr=False)
    admin_password: str = field(repr=False)

    def url(self, database: str) -> str:
        return f"postgresql://{LOGIN}:{self.password}@{self.host}:{self.port}/{quote(database, safe='')}"

    def admin_url(self, database: str = "postgres") -> str:
        """Address for the superuser: for tests of the server itself."""
        return f"postgresql://{ADMIN}:{self.admin_password}@{self.host}:{self.port}/{quote(database, safe='')}"


def ensure(given: Settings | None = None) -> Server:
    """The embedded server, running and answering; created at the first call, started where it is not running."""
    home = (given or settings()).home
    with _locked(home):
        cluster = Cluster(home)
        state = _read_state(home)
        if not state.get("is_ready") or not cluster.exists():
            state = _create(cluster, home)
        elif not _answers(cluster, _server(state)):
            state = _start(cluster, home, state)
        return _server(state)


def is_running(given: Settings | None = None) -> bool:
    """Whether the embedded server of this home is alive. Starts nothing."""
    home = (given or settings()).home
    return home.exists() and Cluster(home).postmaster() is not None


def exists(given: Settings | None = None) -> bool:
    """True where this home has an embedded server, running or not."""
    return bool(_read_state((given or settings()).home))


def port(given: Settings | None = None) -> int:
    """The port of the embedded server of this home, 0 where none was chosen yet."""
    return _read_state((given or settings()).home).get("port", 0)


def stop(given: Settings | None = None) -> None:
    """Stop the embedded server; no process of it is left. Quiet where none runs."""
    home = (given or settings()).home
    if home.exists():
        with _locked(home):
            Cluster(home).stop()


def purge(given: Settings | None = None) -> None:
    """Stop the embedded server and delete its data, wherever they are, and the whole KAW_HOME."""
    home = (given or settings()).home
    if not home.exists():
        Cluster(home).remove()
        return
    _refuse_to_delete_what_is_not_ours(home)
    with _locked(home):
        Cluster(home).remove()
        shutil.rmtree(home, ignore_errors=True)


def url(database: str, given: Settings | None = None) -> str:
    """Address of a database of the embedded server, which is started if need be."""
    return ensure(given).url(database)


def warehouse_url(given: Settings | None = None) -> str:
    """Address of the warehouse: KAW_WAREHOUSE, checked to answer and to be PostgreSQL 15 or newer, or the embedded one."""
    given = given or settings()
    if given.warehouse is None:
        return url("warehouse", given)
    _check_version(given.warehouse)
    return given.warehouse


# -- the embedded server


def _create(cluster: Cluster, home: Path) -> dict:
    """A new cluster with roles and databases. Also taken where an earlier creation was cut short: nothing was in it yet."""
    state = {"password": secrets.token_hex(24), "admin_password": secrets.token_hex(24), "port": 0, "is_ready": False}
    _write_state(home, state)
    cluster.initialise(ADMIN, state["admin_password"])
    state = _start(cluster, home, state, user=ADMIN)
    with psycopg.connect(_server(state).admin_url(), autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        login = sql.Identifier(LOGIN)
        if connection.info.server_version >= 160000:
            # repetitions make a guess of a weak password dear; this one is 24 random bytes, and each log-in would pay for them
            connection.execute("set scram_iterations = 1")
        connection.execute(
            sql.SQL("create role {} login nosuperuser createrole createdb password {}").format(
                login, sql.Literal(state["password"])
            )
        )
        connection.execute(sql.SQL("alter role {} set statement_timeout = '20min'").format(login))
        connection.execute(sql.SQL("alter role {} set idle_in_transaction_session_timeout = '30min'").format(login))
        if connection.info.server_version >= 160000:  # from 16 on, who makes a role may grant it but not yet take it on
            connection.execute(sql.SQL("alter role {} set createrole_self_grant = 'set, inherit'").format(login))
        for database in DATABASES:
            connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(database), login))
            connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)))
    state["is_ready"] = True
    _write_state(home, state)
    return state


def _start(cluster: Cluster, home: Path, state: dict, user: str = LOGIN) -> dict:
    cluster.stop()
    for _ in range(20):
        if not (state["port"] and is_free(state["port"])):
            state = {**state, "port": _free_port()}
            _write_state(home, state)
        if cluster.start(state["port"]):
            break
        state = {**state, "port": 0}
    server = _server(state)
    try:
        psycopg.connect(
            server.admin_url() if user == ADMIN else server.url("warehouse"), connect_timeout=CONNECT_TIMEOUT_S
        ).close()
    except psycopg.Error as error:
        raise InfrastructureError(
            f"The embedded PostgreSQL runs but cannot be used: {mask_secrets(str(error)).strip()}",
            where=f"{HOST}:{state['port']}, log {cluster.log}",
            next_step="read the log; ./kaw down --purge begins anew.",
        ) from error
    return state


def _answers(cluster: Cluster, server: Server) -> bool:
    """Whether a live server takes our log-in; one that is still recovering or already shutting down is waited for."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while cluster.postmaster() is not None:
        try:
            psycopg.connect(server.url("warehouse"), connect_timeout=CONNECT_TIMEOUT_S).close()
            return True
        except psycopg.Error as error:
            message = str(error)
        # both are told before log-in, as text only: a server without a free slot is busy, not broken
        if "too many clients" in message or "connection slots" in message:
            return True
        if "the database system is" not in message or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return False


def _server(state: dict) -> Server:
    return Server(HOST, state["port"], state["password"], state["admin_password"])


def _free_port() -> int:
    for port in random.SystemRandom().sample(PORTS, 200):
        if is_free(port):
            return port
    raise InfrastructureError(
        "No free port for the embedded PostgreSQL.",
        where=f"{HOST}, ports {PORTS.start} to {PORTS.stop}",
        next_step="end what listens there, or use a server of your own with KAW_WAREHOUSE.",
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


# -- state of a home


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Exclusive for all processes of this home; the system releases it when its holder dies."""
    descriptor = acquire(home / "server.lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def acquire(path: Path, lock: int) -> int:
    """Descriptor of a lock file of the home, locked (`fcntl.LOCK_EX`, `LOCK_SH`); to be closed by the caller."""
    try:
        return _acquire(path, lock)
    except OSError as error:
        raise InfrastructureError(
            f"The state of the warehouse cannot be written: {error.strerror}.",
            where=str(path.parent),
            next_step="make the folder writable, or set KAW_HOME to one that is.",
        ) from error


def _acquire(path: Path, lock: int) -> int:
    """Hold the lock file that lies in the home now; one that a purge deleted while we waited for it guards nothing."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, lock)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
            os.close(descriptor)


def make_private(home: Path) -> None:
    """Takes a home of before from everybody but its owner, files and folders alike; once, for what is made later is private."""
    try:
        if not home.is_dir() or home.stat().st_mode & 0o077 == 0 or home.stat().st_uid != os.geteuid():
            return
        if not (home.iterdir() and all(entry.name in OWN_ENTRIES for entry in home.iterdir())):
            return  # somebody's folder, named by mistake
        for folder, _, files in os.walk(home):
            for path in (Path(folder, name) for name in files):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode & 0o700)
            if folder != str(home):
                Path(folder).chmod(Path(folder).stat().st_mode & 0o700)
        home.chmod(0o700)
    except FileNotFoundError:  # another process changes it at the same moment: the next command ends it
        return
    except OSError as error:
        raise InfrastructureError(
            f"The home cannot be made private: {error.strerror}.",
            where=str(home),
            next_step="make its owner the user that runs ./kaw, or set KAW_HOME to another folder.",
        ) from error


def _read_state(home: Path) -> dict:
    try:
        return json.loads((home / "server.json").read_text())
    except (OSError, ValueError):
        return {}


def _write_state(home: Path, state: dict) -> None:
    write_private(home / "server.json", state)


def write_private(path: Path, state: dict) -> None:
    """Replace a file of the home in one step; it holds passwords, so only its owner may read it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _refuse_to_delete_what_is_not_ours(home: Path) -> None:
    """A KAW_HOME that was set to somebody's folder, by mistake or by an empty variable, holds more than our state."""
    precious = [ROOT.resolve(), Path.home().resolve(), Path.cwd().resolve()]
    around = any(place == home.resolve() or home.resolve() in place.parents for place in precious)
    foreign = sorted(entry.name for entry in home.iterdir() if entry.name not in OWN_ENTRIES)
    if around or foreign:
        raise UsageError(
            "KAW_HOME holds more than the state of the warehouse, so nothing is deleted.",
            where=f"{home}: {', '.join(foreign[:5])}" if foreign else str(home),
            next_step="run ./kaw down, then delete by hand what you do not need.",
        )


# -- a server of one's own


def _check_version(address: str) -> None:
    with _connected(address) as connection:
        version = connection.info.server_version // 10000
    if version < OLDEST_VERSION:
        raise InfrastructureError(
            f"The warehouse needs PostgreSQL {OLDEST_VERSION} or newer; this server is {version}.",
            where=mask_secrets(address),
            next_step="use a newer server, or unset KAW_WAREHOUSE to use the embedded one.",
        )


@contextlib.contextmanager
def _connected(address: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error as error:
        raise InfrastructureError(
            f"The database does not answer: {mask_secrets(str(error)).strip()}",
            where=mask_secrets(address),
            next_step="check host, port, user and password in KAW_WAREHOUSE.",
        ) from error
    with contextlib.closing(connection):
        yield connection
