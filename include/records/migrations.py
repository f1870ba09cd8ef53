"""The schema of the warehouse: steps that are applied where a database does not have them, and the record of those it has.

`include/sql/migrations/NNN_name.sql` is applied once, in order of its number, and never edited afterwards: a change of a table
is the next number. The raw tables follow the contracts. `include/sql/repeatable/` holds what can be made anew at any time
(functions, views, grants); a file of it is applied again where it changed, or where a step before it was applied since. A
migration that renames or drops columns which a view shows drops the view first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg

from include.errors import InfrastructureError, UsageError
from include.records import grants, personal_views, raw_tables
from include.records.runs import code_version
from include.records.warehouse import Warehouse
from include.settings import mask_secrets

SQL_FOLDER = Path(__file__).parent.parent / "sql"
WAITING = "the lock that lets one process at a time migrate"
LOCK_TIMEOUT = "10s"  # a step waits this long for those who use the tables, and readers behind it no longer


@dataclass(frozen=True)
class Step:
    """`version` is the number of a migration, None for what is applied again whenever its `checksum` changes."""

    name: str
    version: int | None
    checksum: str
    apply: Callable[[psycopg.Connection], None]


def steps() -> list[Step]:
    """What this code asks of a database, in order."""
    numbered = [_of_file(path, int(path.name[:3])) for path in sorted((SQL_FOLDER / "migrations").glob("*.sql"))]
    raw = Step("raw tables", None, _sha256(raw_tables.all_ddl()), raw_tables.follow_contracts)
    repeatable = [_of_file(path, None) for path in sorted((SQL_FOLDER / "repeatable").glob("*.sql"))]
    names = Step("personal views", None, _sha256(personal_views.ddl()), personal_views.follow_contracts)
    return [*numbered, raw, *repeatable, names, Step("grants.yml", None, _sha256(grants.text()), grants.apply)]


def migrate(warehouse: Warehouse) -> list[str]:
    """Applies what the database lacks, one transaction a step, and returns the names; where nothing is missing it only looks.

    Raises InfrastructureError where the database is newer than this code, or where a lock is not had in time: the steps
    before are then applied, and the next call goes on from there.
    """
    with warehouse.connect(autocommit=True) as connection:
        if not _missing(connection, warehouse):
            return []
        connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
        connection.execute("set client_min_messages = warning")
        code, applied, at = code_version(), [], WAITING
        try:
            while True:
                with connection.transaction():
                    _one_at_a_time(connection)
                    missing = _missing(connection, warehouse)
                    if not missing:
                        return applied
                    step = missing[0]
                    at = f"step {step.name}"
                    step.apply(connection)
                    connection.execute(
                        "insert into quality.migrations (version, name, checksum, code_version) values (%s, %s, %s, %s)",
                        (step.version, step.name, step.checksum, code),
                    )
                applied.append(step.name)
                at = WAITING
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise InfrastructureError(
                f"The warehouse could not be brought to the state of this code: {at} waited {LOCK_TIMEOUT} for a lock.",
                where=mask_secrets(warehouse.address),
                next_step="let the run or the long query that holds it end (pg_stat_activity lists them), and repeat the command.",
            ) from error


def _one_at_a_time(connection: psycopg.Connection) -> None:
    """Until the transaction ends. A database that has no step yet has no readers either, who could take an advisory lock."""
    has_steps = "select to_regclass('quality.migrations') is not null"
    if not connection.execute(has_steps).fetchone()[0]:
        connection.execute("select pg_advisory_xact_lock(hashtext('kaw migrate'))")
    if connection.execute(has_steps).fetchone()[0]:  # made by who was waited for
        connection.execute("lock table quality.migrations in exclusive mode")


def grant_again(connection: psycopg.Connection) -> None:
    """The grants and policies once more, where a role was missing when they were first given."""
    connection.execute((SQL_FOLDER / "repeatable" / "50_roles.sql").read_text())
    grants.apply(connection)


def require_current(warehouse: Warehouse) -> None:
    """For who only reads: UsageError where there is no warehouse, InfrastructureError where it is older or newer than this code."""
    with replace(warehouse, role=None, is_read_only=True).connect() as connection:
        missing = _missing(connection, warehouse)
        is_made = connection.execute("select to_regclass('quality.runs') is not null").fetchone()[0]
    if not is_made:
        raise UsageError(
            "There is no warehouse in this database yet.",
            where=mask_secrets(warehouse.address),
            next_step="make one with ./kaw run.",
        )
    if missing:
        raise InfrastructureError(
            f"The warehouse is older than this code: it lacks {', '.join(step.name for step in missing)}.",
            where=mask_secrets(warehouse.address),
            next_step="./kaw run brings it up to date, or ./kaw up where Airflow runs the nights. Nothing was changed.",
        )


def _missing(connection: psycopg.Connection, warehouse: Warehouse) -> list[Step]:
    """The steps to apply, in order. Raises InfrastructureError where the database has what this code does not know."""
    recorded = _recorded(connection)
    wanted = steps()
    newest = max((key for key in recorded if isinstance(key, int)), default=0)
    if newest > (known := max(step.version or 0 for step in wanted)):
        raise InfrastructureError(
            f"The warehouse is newer than this code: it has migration {newest}, the code ends at {known}.",
            where=mask_secrets(warehouse.address),
            next_step="use the code that migrated it, or a newer one; there is no way back. Nothing was changed.",
        )
    missing: list[Step] = []
    last_applied = 0
    for step in wanted:
        entry_no, checksum = recorded.get(step.version or step.name, (0, None))
        if step.version and checksum and checksum != step.checksum:
            raise InfrastructureError(
                f"The migration {step.name} was edited after it was applied to this warehouse.",
                where=f"include/sql/migrations/{step.name}",
                next_step="take the edit back, and write it as the next number.",
            )
        is_behind = step.version is None and (bool(missing) or entry_no < last_applied)
        if checksum != step.checksum or is_behind:
            missing.append(step)
        last_applied = max(last_applied, entry_no)
    return missing


def _recorded(connection: psycopg.Connection) -> dict[int | str, tuple[int, str]]:
    """Number of each applied migration, and name of each other step -> its newest entry and checksum."""
    if connection.execute("select to_regclass('quality.migrations')").fetchone()[0] is None:
        return {}
    rows = connection.execute("select version, name, entry_no, checksum from quality.migrations order by entry_no")
    return {version or name: (entry_no, checksum) for version, name, entry_no, checksum in rows}


def _of_file(path: Path, version: int | None) -> Step:
    text = path.read_text()
    return Step(path.name, version, _sha256(text), partial(_execute, text))


def _execute(text: str, connection: psycopg.Connection) -> None:
    connection.execute(text)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
