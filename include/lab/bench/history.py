"""`./kaw bench history`: what a night costs beside little and much history, step by step.

The same utility with so many days of curves runs a night and two more, whose deliveries are alike whatever is stored. The third is
measured: the first lists what is expected of all stored days, and the second takes that list away again.
Blocks and rows are those of the database's own statistics and the same on any machine; seconds are this machine's.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from include import night
from include.errors import UsageError
from include.lab.bench.sandbox import Sandbox, sandbox
from include.lab.utility import generate
from include.records.database import connect
from include.records.warehouse import Warehouse

BUSINESS_DATE = date(2026, 11, 3)
STATISTICS_S = 1.5  # a session tells its statistics a second after it did something, at the latest


@dataclass(frozen=True)
class Cost:
    """One step of the third night: blocks read from cache or disk, rows written, seconds."""

    days: int
    step: str
    blocks: int
    rows_written: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """Costs of all steps beside each number of stored days, in their order."""

    accounts: int
    costs: list[Cost]

    @property
    def days(self) -> list[int]:
        return sorted({cost.days for cost in self.costs})

    def total(self, days: int) -> Cost:
        own = [cost for cost in self.costs if cost.days == days]
        return Cost(
            days,
            "all",
            sum(cost.blocks for cost in own),
            sum(cost.rows_written for cost in own),
            sum(cost.seconds for cost in own),
        )

    def ratio(self, step: str) -> float:
        """Blocks of a step (`all`: of the night) beside the longest history against those beside the shortest."""
        shortest, longest = (
            sum(cost.blocks for cost in [*self.costs, self.total(days)] if cost.days == days and cost.step == step)
            for days in (self.days[0], self.days[-1])
        )
        return longest / shortest

    def as_dict(self) -> dict:
        return {
            "accounts": self.accounts,
            "costs": [asdict(cost) for cost in [*self.costs, *map(self.total, self.days)]],
            "ratios": {step: round(self.ratio(step), 3) for step in ["land", *night.STEPS[:-1], "all"]},
        }


def measure(accounts: int, stored_days: list[int], beside: Warehouse, hear) -> Outcome:
    """Three nights beside each number of stored days, from the fewest on."""
    costs = []
    for days in sorted(stored_days):
        with sandbox("history", beside) as place:
            hear.console.print(f"[bold]{accounts} accounts, {days} stored days[/bold]", highlight=False)
            for later in (0, 1):
                _night(place, days, later, accounts, hear)
            costs += _night(place, days, 2, accounts, hear)
    return Outcome(accounts, costs)


def _night(place: Sandbox, days: int, later: int, accounts: int, hear) -> list[Cost]:
    day = BUSINESS_DATE + timedelta(days=later)
    with hear.step(f"simulate {day}"):
        try:
            simulation = generate(day, accounts, days + later, seed=1)
        except ValueError as error:
            raise UsageError(f"{error}.", next_step="give more with --accounts or fewer with --days.") from error
    run: dict = {}
    costs = []
    for step in ("land", *night.STEPS[:-1]):
        with hear.step(step.replace("_", " ")):
            before, started = _counted(place.url), time.perf_counter()
            if step == "land":
                place.land(simulation, hear, full=not later)
            else:
                run = run or night.begin_run(place.warehouse, day)
                getattr(night, step)(place.warehouse, run, hear)
            seconds = time.perf_counter() - started
            blocks, rows = (after - earlier for after, earlier in zip(_counted(place.url), before, strict=True))
        costs.append(Cost(days, step, blocks, rows, round(seconds, 2)))
    return costs


def _counted(url: str) -> tuple[int, int]:
    """Blocks of all sessions and written rows of the database up to now; what the server vacuums meanwhile is no cost of a step.

    Before PostgreSQL 16 no view tells them apart: there the blocks are those of the whole database.
    """
    time.sleep(STATISTICS_S)
    with connect(url) as connection:
        version = connection.info.server_version // 10_000
        blocks = (
            f"(select sum(hits + {'read_bytes / 8192' if version > 17 else 'reads'})::bigint from pg_stat_io"
            " where backend_type in ('client backend', 'background worker') and object = 'relation')"
        )
        return connection.execute(
            f"select {blocks if version > 15 else 'blks_hit + blks_read'}, tup_inserted + tup_updated + tup_deleted"
            " from pg_stat_database where datname = current_database()"
        ).fetchone()


def print_outcome(outcome: Outcome, console) -> None:
    """One line a step, with its costs beside each number of stored days, and the ratio of the longest to the shortest in blocks."""
    console.print(f"\nThe third night of a synthetic utility of {outcome.accounts:,} accounts", highlight=False)
    head = "".join(f"{f'{days} days: blocks':>22}{'rows':>12}{'s':>8}" for days in outcome.days)
    console.print(f"  {'step':<28}{head}{'ratio':>8}", highlight=False)
    totals = [outcome.total(days) for days in outcome.days]
    for step in ["land", *night.STEPS[:-1], "all"]:
        own = [cost for cost in [*outcome.costs, *totals] if cost.step == step]
        cells = "".join(f"{cost.blocks:>22,}{cost.rows_written:>12,}{cost.seconds:>8.1f}" for cost in own)
        console.print(f"  {step.replace('_', ' '):<28}{cells}{outcome.ratio(step):>8.2f}", highlight=False)
