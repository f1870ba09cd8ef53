"""The run at work: its business date, its fence, and what earlier runs left."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date

from include.errors import InfrastructureError
from include.records.database import connect
from include.records.fence import take_fence
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
def alone(url: str, patience_s: float = 0) -> Iterator[None]:
    """Nothing else of any night works in this warehouse meanwhile, whoever started it; the server lets go of who was killed.

    Raises InfrastructureError where something still does after `patience_s` seconds. Between two steps a night holds nothing: one that starts there takes
    the fence, and the next step of the former is refused.
    """
    with connect(url, autocommit=True) as connection:
        until = time.monotonic() + patience_s
        while not connection.execute("select pg_try_advisory_lock(hashtext('kaw night'))").fetchone()[0]:
            if time.monotonic() < until:
                time.sleep(0.5)
                continue
            last = connection.execute(
                "select 'run ' || run_id || ', business date ' || business_date from quality.runs order by run_id desc limit 1"
            ).fetchone()
            raise InfrastructureError(
                "Another night is at work in this warehouse.",
                where=last[0] if last else "quality.runs",
                next_step="wait until it ends and repeat the command.",
            )
        yield


def begin(url: str, business_date: date) -> Run:
    """Starts a build of the business date: takes the fence, closes what a killed run left, and sets the current run."""
    fence = take_fence(url, BUILD_SCOPE)
    with connect(url, fence=fence) as connection:
        connection.execute(
            "update quality.runs set state = 'failed', finished_at = now() where state in ('running', 'passed')"
        )
        run_id = connection.execute(
            "insert into quality.runs (business_date, last_load_id, code_version)"
            " select %s, coalesce(max(load_id), 0), %s from quality.receipts where business_date <= %s returning run_id",
            (business_date, code_version(), business_date),
        ).fetchone()[0]
        connection.execute(
            """
            insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)
            values (
                %(run)s, %(day)s, 'gate',
                (select coalesce(max(last_load_id), 0) from quality.runs where state = 'published' and business_date <= %(day)s),
                coalesce(
                    nullif(current_setting('kaw.collection_start', true), '')::date,
                    (
                        select min(data_date) from (
                            select data_date, count(*) as rows, max(count(*)) over () as most
                            from raw_metering.met_interval_96
                            where data_date <= %(day)s and not _is_tombstone
                            group by data_date
                        ) as days where rows * 2 >= most
                    ),
                    %(day)s
                )
            )
            on conflict (only_row) do update set
                run_id = excluded.run_id, business_date = excluded.business_date, phase = excluded.phase,
                last_passed_load_id = excluded.last_passed_load_id, collection_start = excluded.collection_start
            """,
            {"run": run_id, "day": business_date},
        )
    return Run(run_id, business_date, fence)


def state_of(url: str, business_date: date) -> str | None:
    """State of the newest run of a business date; None where there is none."""
    with connect(url) as connection:
        row = connection.execute(
            "select state from quality.runs where business_date = %s order by run_id desc limit 1", (business_date,)
        ).fetchone()
    return row[0] if row else None


def code_version() -> str:
    """The commit of the code, with `-dirty` where files were changed since; `unknown` outside a clone."""
    try:
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"
