"""The run at work: its business date, its fence, and what earlier runs left."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import psycopg

from include.errors import InfrastructureError
from include.records import locks
from include.records.database import connect
from include.settings import ROOT

BUILD_SCOPE = "build_warehouse"


@dataclass(frozen=True)
class Run:
    """Identity of one build; travels between tasks as a dictionary of plain values."""

    run_id: int
    business_date: date
    fence: str

    def as_dict(self) -> dict:
        return asdict(self) | {"business_date": self.business_date.isoformat()}

    @classmethod
    def from_dict(cls, values: dict) -> Run:
        return cls(values["run_id"], date.fromisoformat(values["business_date"]), values["fence"])


@contextmanager
def alone(url: str, patience_s: float = 0) -> Iterator[psycopg.Connection]:
    """Nothing else of any night works in this warehouse meanwhile, whoever started it; the server lets go of who was killed or stopped.

    Raises InfrastructureError where something still does after `patience_s` seconds. Between two steps a night holds nothing: one that starts there takes
    the fence, and the next step of the former is refused.
    """
    until = time.monotonic() + patience_s
    while True:
        with locks.held(url, locks.NIGHT) as holder:
            if holder:
                yield holder
                return
        if time.monotonic() >= until:
            break
        time.sleep(0.5)
    newest = last(url)
    raise InfrastructureError(
        "Another night is at work in this warehouse.",
        where=f"run {newest.run_id}, business date {newest.business_date}" if newest else "quality.runs",
        next_step="wait until it ends and repeat the command.",
    )


@dataclass(frozen=True)
class Last:
    run_id: int
    business_date: date
    state: str


def last(url: str) -> Last | None:
    """The newest run, whatever became of it."""
    with connect(url) as connection:
        row = connection.execute(
            "select run_id, business_date, state from quality.runs order by run_id desc limit 1"
        ).fetchone()
    return Last(*row) if row else None


def at_work(url: str) -> str | None:
    """What of a night is at work in this warehouse now, for people; None where nothing is. Takes no lock itself."""
    with connect(url) as connection:
        is_held = locks.is_held(connection, locks.NIGHT, locks.RUN)
    newest = last(url) if is_held else None
    if newest and newest.state in ("running", "passed"):
        return f"run {newest.run_id} of {newest.business_date}"
    return "its sources are landing" if is_held else None


def begin(holder: psycopg.Connection, business_date: date) -> Run:
    """Starts a build of the business date: takes the fence, closes what a killed run left, and sets the current run.

    `holder` holds the lock of the night, and all of it is one transaction of that session: an attempt that stopped before has
    lost both when it wakes up. Raises InfrastructureError then, with nothing changed.
    """
    try:
        run_id, fence = holder.execute(
            "select run_id, fence from quality.begin_run(%s, %s)", (business_date, code_version())
        ).fetchone()
        holder.commit()
    except psycopg.errors.LockNotAvailable as error:
        raise InfrastructureError(
            "An earlier attempt holds the fence of the night and may not be put out.",
            where="pg_stat_activity, quality.fences",
            next_step="have its session ended (pg_terminate_backend), or wait five minutes, and repeat the command.",
        ) from error
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        raise InfrastructureError(
            "This attempt stopped for too long while it began: it has lost the lock of the night, and nothing was changed.",
            where=f"business date {business_date}",
            next_step="another run may be at work; when it has ended, repeat the command.",
        ) from error
    return Run(run_id, business_date, f"{BUILD_SCOPE}:{fence}")


def state_of(url: str, business_date: date) -> str | None:
    """State of the newest run of a business date; None where there is none."""
    with connect(url) as connection:
        row = connection.execute(
            "select state from quality.runs where business_date = %s order by run_id desc limit 1", (business_date,)
        ).fetchone()
    return row[0] if row else None


def published_days(url: str) -> set[date]:
    """Business dates of which a run is, or was, what readers see."""
    with connect(url) as connection:
        rows = connection.execute("select distinct business_date from quality.runs where state = 'published'")
        return {day for (day,) in rows}


def published_load(url: str) -> int:
    """The newest load that a published run has seen; 0 where there is none."""
    with connect(url) as connection:
        query = "select coalesce(max(last_load_id), 0) from quality.runs where state = 'published'"
        return connection.execute(query).fetchone()[0]


def set_phase(connection: psycopg.Connection, phase: str) -> None:
    """What staging shows: `gate` everything that was delivered, `admit` what gate 1 let through."""
    connection.execute("update quality.current_run set phase = %s", (phase,))


def note_verdict(connection: psycopg.Connection, run_id: int, gate: int, summary: dict) -> None:
    """A gate's verdict on the run, and the run's state after it.

    What one gate blocked is not passed by the other; where gate 1 judges again, what gate 2 said before is void.
    """
    connection.execute(
        """
        with gates as (
            select case when %(gate)s = 1 then %(own)s::jsonb else coalesce(verdict, '{}') || %(own)s::jsonb end as verdict
            from quality.runs
            where run_id = %(run)s
        )

        update quality.runs set
            verdict = gates.verdict,
            state = case
                when exists (
                    select 1 from jsonb_each(gates.verdict) as each_gate where each_gate.value -> 'blocking' <> '{}'
                ) then 'blocked'
                when %(gate)s = 2 then 'passed'
                else 'running'
            end
        from gates
        where run_id = %(run)s
        """,
        {"run": run_id, "gate": gate, "own": json.dumps({f"gate_{gate}": summary})},
    )


def note_published(connection: psycopg.Connection, run_id: int) -> None:
    """The run, passed by both gates, is what readers see; said again of a published one it changes nothing."""
    connection.execute(
        "update quality.runs set state = 'published', finished_at = now() where run_id = %s and state = 'passed'",
        [run_id],
    )


def count_as_published(connection: psycopg.Connection, run_id: int) -> None:
    """For a bench: the next night compares with this run, though nothing of it was published."""
    connection.execute("update quality.runs set state = 'published' where run_id = %s", (run_id,))


def begin_trial(connection: psycopg.Connection, run_id: int, *, is_next: bool = False) -> int:
    """A run over the deliveries of another, for a transaction that will be rolled back; returns its number.

    `is_next`: as the night after that one would be, in which nothing lands. Numbers of runs, findings and events that are
    drawn from here on are given back at the end of the transaction.
    """
    (trial,) = connection.execute("select quality.begin_trial(%s)", [run_id]).fetchone()
    if is_next:
        connection.execute(
            "update quality.current_run set phase = 'gate', last_passed_load_id = runs.last_load_id from quality.runs"
            " where runs.run_id = %s",
            (run_id,),
        )
    return trial


def code_version() -> str:
    """The commit of the code, with `-dirty` where files were changed since; `unknown` outside a clone.

    A container has no git and of the clone only what names its commit: whether files were changed is not known there.
    """
    try:
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except OSError:
        return _named_commit(ROOT / ".git") or "unknown"
    return found.stdout.strip() or _named_commit(ROOT / ".git") or "unknown"


def _named_commit(folder: Path) -> str | None:
    """What HEAD names, followed by hand."""
    try:
        named = (folder / "HEAD").read_text().strip()
        if not named.startswith("ref: "):
            return named or None
        ref = named.removeprefix("ref: ")
        if (folder / ref).is_file():
            return (folder / ref).read_text().strip() or None
        for line in (folder / "packed-refs").read_text().splitlines():
            if line.endswith(f" {ref}"):
                return line.split()[0]
    except OSError:
        pass
    return None
