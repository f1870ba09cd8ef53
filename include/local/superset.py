"""Superset on this machine: an environment of its own, its metadata in the warehouse's server, one worker on 127.0.0.1.

`up` brings environment, metadata, log-ins and dashboards to what this code says and may be repeated; `down` stops the worker.
All secrets of it are in KAW_HOME/superset/secrets.json (mode 0600).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from include.bi import bundle
from include.bi.provision import ROLES
from include.errors import InfrastructureError, UsageError
from include.local import door, server
from include.local.background import Background, ask, free_port
from include.local.door import Opened
from include.local.environments import environment
from include.records import logins
from include.records.warehouse import Warehouse
from include.settings import ROOT, Settings, mask_secrets

BI = ROOT / "include" / "bi"
LOCK_FILE = BI / "superset.lock"
PYTHONS = ("3.12", "3.11")  # what Superset 6.1 and its packages run on
PORT = 8088  # where one looks for Superset
CONNECTIONS = 10  # of its metadata; one worker holds eight at most
THREADS = 8
START_TIMEOUT_S = 180
PIXEL = re.compile(r"https://apachesuperset\.gateway\.scarf\.sh/pixel/")
NO_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=#"
STEPS = {
    "metadata": "metadata in the warehouse's server",
    "rights": "rights and roles",
    "bundle": "dashboards",
    "log-ins": "log-ins and row rules",
}


def home(given: Settings) -> Path:
    return given.home / "superset"


def is_up(given: Settings) -> bool:
    return bool(_background(given).running())


def address(given: Settings) -> str:
    """Where its page is, or would be."""
    return f"http://{server.HOST}:{_kept(given).get('port', PORT)}"


def is_set_up(given: Settings) -> bool:
    """Whether this home has set it up beside the warehouse that it has now."""
    return _marked(given).get("warehouse") == door.place_of(given)


def up(
    warehouse: Warehouse, given: Settings, reader: Opened, say: Callable[[str], None], *, new_password: bool = False
) -> dict:
    """Sets Superset up, imports the dashboards and starts it, reading by the login of the open door; returns address,
    dashboards and users with their passwords.

    Raises UsageError where no Python is found that it runs on, InfrastructureError where a step fails, and where another home
    set it up beside this warehouse, unless a new password of its metadata is asked for.
    """
    python = _environment()
    with _alone(given):
        _prepare(warehouse, given, new_password=new_password)
        folder = home(given) / "bundle"
        with _told(say, "bundle of dashboards"):
            bundle.write(folder, given.language, reader.url)
        _provision(python, warehouse, given, say, folder, reader.password)
        down(given)  # whoever is logged in stays so: a session is a signed cookie
        with _told(say, "start"):
            _start(python, given)
        kept = _kept(given)
    return {
        "address": address(given),
        "dashboards": {title: f"{address(given)}{path}" for title, path in bundle.addresses(given.language).items()},
        "users": kept["users"],
    }


def follow_managers(warehouse: Warehouse, given: Settings) -> dict[str, str]:
    """The users of account managers as the door has their logins: made and taken away; returns their passwords."""
    python = _environment()
    with _alone(given):
        _prepare(warehouse, given)
        _provision(python, warehouse, given, lambda _: None)
    return {user["name"]: user["password"] for user in _kept(given)["users"] if user["role"] == "manager"}


def follow_reader(warehouse: Warehouse, given: Settings, reader: Opened, say: Callable[[str], None]) -> None:
    """The login by which it reads has another password: told to it; its worker goes on."""
    python = _environment()
    with _alone(given):
        _prepare(warehouse, given)
        folder = home(given) / "bundle"
        bundle.write(folder, given.language, reader.url)
        _provision(python, warehouse, given, say, folder, reader.password)


def retire_who_left(warehouse: Warehouse, given: Settings) -> list[str]:
    """After a publish: users of managers whose login of the door is gone log in no more. Returns their names.

    Superset is neither asked nor started for it, and who is logged in is put out with the next click.
    """
    with warehouse.connect() as conn:
        stay = [number for (number,) in conn.execute("select manager_no from publish.manager_logins")]
    with psycopg.connect(_metadata_address(warehouse, given), connect_timeout=server.CONNECT_TIMEOUT_S) as conn:
        left = conn.execute(
            "update ab_user set active = false from ab_user_role inner join ab_role on ab_role.id = ab_user_role.role_id"
            " where ab_user_role.user_id = ab_user.id and ab_role.name = %s and ab_user.active"
            " and not ab_user.username = any(%s) returning ab_user.username",
            [ROLES["manager"], stay],
        ).fetchall()
    return sorted(name for (name,) in left)


def down(given: Settings) -> bool:
    """Stops the worker; True where it ran."""
    return _background(given).stop()


# -- the environment


def _environment() -> Path:
    """Superset's own Python, with the packages of its lock; made where it is missing."""
    venv = environment("superset", LOCK_FILE, _base_python)
    _without_pixel(venv)
    return venv / "bin" / "python"


def _without_pixel(venv: Path) -> None:
    """Superset's page asks its makers' server for a picture that counts visits, and no setting keeps it from that; the policy
    of its content blocks the request. Here the picture becomes one of no size that is in the address itself, so none is tried.
    """
    marker = venv / ".kaw-without-pixel"
    if marker.exists():
        return
    for path in venv.glob("lib/python*/site-packages/superset/static/assets/*.entry.js"):
        text = path.read_text("utf-8")
        if PIXEL.search(text):
            partial = path.with_suffix(
                ".partial"
            )  # a file of its own: an installer may share one with other environments
            partial.write_text(PIXEL.sub(NO_PIXEL, text), "utf-8")
            partial.replace(path)
    marker.touch()


def _base_python(kaw) -> str:
    candidates = [sys.executable, *(path for version in PYTHONS if (path := shutil.which(f"python{version}")))]
    for candidate in candidates:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if kaw.version_of(candidate) in PYTHONS:
                return candidate
    raise UsageError(
        f"Superset runs on Python {' or '.join(sorted(PYTHONS))}; here is {sys.version.split()[0]}.",
        where=", ".join(f"python{version} is not on PATH" for version in sorted(PYTHONS)),
        next_step="install Python 3.12 beside it and repeat the command; ./kaw bi --no-superset opens the door alone.",
    )


# -- metadata and secrets


@contextlib.contextmanager
def _alone(given: Settings) -> Iterator[None]:
    """One command at a time sets Superset up in a home; the system takes the lock from one that dies."""
    descriptor = server.acquire(home(given) / "lock", fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _kept(given: Settings) -> dict:
    try:
        return json.loads((home(given) / "secrets.json").read_text())
    except (OSError, ValueError):
        return {}


def _keep(given: Settings, kept: dict) -> None:
    home(given).mkdir(parents=True, exist_ok=True)
    server.write_private(home(given) / "secrets.json", kept)


def _prepare(warehouse: Warehouse, given: Settings, *, new_password: bool = False) -> None:
    """The secrets of this home, and a database with a login of its own for Superset's metadata.

    A login that works is left as it is, so that one who may not make roles can have it made once.
    """
    kept = _kept(given) or {
        "secret_key": secrets.token_urlsafe(48),
        "metadata_passwords": {},
        "port": PORT,
        "users": [_user("admin", "Admin"), _user("viewer", "viewer")],
    }
    if not is_up(given) and not server.is_free(kept["port"]):
        kept["port"] = free_port(PORT)
    kept["language"] = given.language
    place, name = door.place_of(given), _metadata_name(warehouse)
    former = kept.pop("metadata_password", None)  # a home had one, for whichever warehouse
    passwords = kept.get("metadata_passwords", {place: former} if former else {})
    is_known = place in passwords
    if new_password or not is_known:
        passwords = passwords | {place: secrets.token_hex(24)}
    metadata = logins.address_for(warehouse.address, name, passwords[place], database=name)
    kept["metadata_url"] = metadata.replace("postgresql://", "postgresql+psycopg2://", 1)
    kept["metadata_passwords"] = passwords
    with warehouse.connect() as conn:
        is_there = logins.exists(conn, name)
    if not new_password and is_there:
        if is_known and _lets_in(metadata):
            _keep(given, kept)
            return
        is_of_another = not is_known or _marked(given).get("warehouse") == place
        if is_of_another and given.warehouse is not None:
            raise _another_home(name, warehouse)
    _keep(given, kept)
    if _make_database(warehouse, name, passwords[place]):
        (home(given) / "provisioned").unlink(missing_ok=True)  # an empty one
    if not _lets_in(metadata):
        raise _another_home(name, warehouse)


def _metadata_name(warehouse: Warehouse) -> str:
    return f"{logins.database_of(warehouse.address)}_superset"


def _metadata_address(warehouse: Warehouse, given: Settings) -> str:
    """Where this home's own login reads and writes the metadata; raises KeyError where it was never set up here."""
    password, name = _kept(given)["metadata_passwords"][door.place_of(given)], _metadata_name(warehouse)
    return logins.address_for(warehouse.address, name, password, database=name)


def _lets_in(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=server.CONNECT_TIMEOUT_S).close()
    except psycopg.Error:
        return False
    return True


def _marked(given: Settings) -> dict:
    """Beside which warehouse it was set up last, and with which packages."""
    try:
        return json.loads((home(given) / "provisioned").read_text())
    except (OSError, ValueError):
        return {}


def _another_home(name: str, warehouse: Warehouse) -> InfrastructureError:
    return InfrastructureError(
        f"The login {name} of Superset's metadata is there, and this home cannot log in with it: another home set Superset up"
        " beside this warehouse, or the server does not let it in (pg_hba.conf).",
        where=mask_secrets(warehouse.address),
        next_step="use Superset from that home; or take it over, which locks that home out: ./kaw bi --new-password.",
    )


def _user(name: str, role: str) -> dict:
    return {"name": name, "role": role, "password": secrets.token_urlsafe(12)}


def _with_managers(warehouse: Warehouse, given: Settings) -> list[dict]:
    """Everybody who may log in: the administrator, the viewer, and each manager who has a login of the door."""
    with warehouse.connect() as conn:
        managers = {number for (number,) in conn.execute("select manager_no from publish.manager_logins")}
    managers = {
        number for number in managers if re.fullmatch(r"[\w.-]+", number)
    }  # it stands in the SQL of the row rules
    kept = _kept(given)
    users = [user for user in kept["users"] if user["role"] != "manager" or user["name"] in managers]
    known = {user["name"] for user in users}
    users += [_user(number, "manager") for number in sorted(managers - known)]
    if users != kept["users"]:
        _keep(given, kept | {"users": users})
    return users


def _make_database(warehouse: Warehouse, name: str, password: str) -> bool:
    """The login with this password, and its database; True where the database is new."""
    role = sql.Identifier(name)
    with warehouse.connect(autocommit=True) as conn:
        verifier = conn.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        statements = [
            sql.SQL("{} role {} login password {} connection limit {}").format(
                sql.SQL("alter" if logins.exists(conn, name) else "create"),
                role,
                sql.Literal(verifier),
                sql.Literal(CONNECTIONS),
            )
        ]
        is_new = not conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if is_new:
            statements += [
                sql.SQL("grant {} to current_user").format(role),
                sql.SQL("create database {0} owner {0}").format(role),
                sql.SQL("revoke all on database {} from public").format(role),
            ]
        try:
            for statement in statements:
                conn.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise InfrastructureError(
                "This login of the warehouse may not make the database of Superset's metadata. Statements for somebody who may:\n"
                + "\n".join(f"  {statement.as_string(conn)};" for statement in statements),
                where=mask_secrets(warehouse.address),
                next_step="have them run, then repeat the command; or ./kaw bi --no-superset.",
            ) from error
    return is_new


# -- Superset itself


def _process_environment(given: Settings) -> dict[str, str]:
    """What its processes get: not our settings, no address and no password, only where to find them."""
    passed = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR", "USER")}
    return passed | {
        "SUPERSET_CONFIG_PATH": str(BI / "superset_config.py"),
        "SUPERSET_HOME": str(home(given)),
        "KAW_SUPERSET_SECRETS": str(home(given) / "secrets.json"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _provision(
    python: Path,
    warehouse: Warehouse,
    given: Settings,
    say: Callable[[str], None],
    folder: Path | None = None,
    password: str | None = None,
) -> None:
    """Metadata, rights, the bundle of `folder` where one is given, users and row rules, by Superset's own Python."""
    state = {"warehouse": door.place_of(given), "packages": hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()}
    users = _with_managers(warehouse, given)
    wanted = {
        "is_new": _marked(given) != state,
        "bundle": folder and str(folder),
        "database_password": password,
        "users": users,
        "rules": bundle.row_rules([user["name"] for user in users if user["role"] == "manager"]),
        "shared": bundle.shared_datasets(),
    }
    log = home(given) / "provision.log"
    began, title = time.monotonic(), "Superset's own start"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [str(python), "-P", str(BI / "provision.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_process_environment(given),
            cwd=home(given),
        ) as process,
    ):
        process.stdin.write(json.dumps(wanted))
        process.stdin.close()
        for line in process.stdout:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                step = STEPS[json.loads(line)["step"]]
                say(_line(title, began))
                began, title = time.monotonic(), step
    if process.returncode:
        raise InfrastructureError(
            f"Superset could not be set up: it failed at {title}.",
            where=str(log),
            next_step="see the last lines there and repeat the command; ./kaw bi --no-superset opens the door alone.",
        )
    say(_line(title, began))
    (home(given) / "provisioned").write_text(json.dumps(state))


def _start(python: Path, given: Settings) -> None:
    background = _background(given)
    command = [str(python), "-m", "gunicorn", "--workers", "1", "--worker-class", "gthread", "--threads", str(THREADS)]
    command += ["--bind", f"{server.HOST}:{_kept(given)['port']}", "--timeout", "120", "superset.app:create_app()"]
    background.start("superset", command, _process_environment(given))
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and not background.ended():
        with contextlib.suppress(OSError), ask(f"{address(given)}/health"):
            return
        time.sleep(0.3)
    why = "it ended" if background.ended() else "it took too long"
    background.stop()
    raise InfrastructureError(
        f"Superset did not answer: {why}.",
        where=str(background.logs / "superset.log"),
        next_step="see the last lines there and repeat ./kaw bi.",
    )


def _background(given: Settings) -> Background:
    return Background(home(given))


@contextlib.contextmanager
def _told(say: Callable[[str], None], title: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(_line(title, began))


def _line(title: str, began: float) -> str:
    return f"  {title:<40} {time.monotonic() - began:6.1f} s"
