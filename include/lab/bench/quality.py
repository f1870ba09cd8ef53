"""`./kaw bench quality`: how many planted defects of two hands the gate finds, and how quiet it is on clean days.

A cell is a seed and a share: a clean utility of that seed with the share of every class planted, landed and judged by
gate 1. The tables' limits would stop such a night, as they should; the bench waives them. The classes and the figures seen
are in docs/appendix/quality-bench.md.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta

from include import night
from include.errors import GateBlocked, UsageError
from include.lab.bench import second_hand
from include.lab.bench.sandbox import sandbox
from include.lab.defects.plant import classes
from include.lab.defects.scene import PlantingRate
from include.lab.score import STOPPING, Figure, score
from include.lab.utility import generate
from include.quality.gate import LIMIT_RULE
from include.quality.waivers import waive
from include.records import runs
from include.records.database import connect
from include.records.warehouse import Warehouse

# Early in a month: the last bills are new enough to be compared again, and days of their month lie in the window.
BUSINESS_DATE = date(2026, 11, 3)
CLEAN_ACCOUNTS, CLEAN_CURVES = 40, 7
FIRST_CLEAN_DATE = date(2026, 10, 20)
STATISTICAL_BAR, REASON_BAR = 0.95, 0.99


@dataclass(frozen=True)
class Plan:
    """What is measured: cells (seeds x shares) of a size, what the second hand planted, then clean days."""

    seeds: int
    first_seed: int
    shares: list[float]
    accounts: int
    days: int
    least: int
    clean_days: int
    second: second_hand.Plan


@dataclass(frozen=True)
class Cell:
    """What the gate found of a seed and a share. `stray` are findings (rule, record key, severity) that nobody planted."""

    seed: int
    share: float
    figures: list[Figure]
    missed: list[tuple[str, str, str]]
    misnamed: list[tuple[str, str, str]]
    stray: list[tuple[str, str, str]]

    def shortfalls(self, least: int) -> list[str]:
        """Every figure below its bar, as a sentence."""
        where, said = f"seed {self.seed}, {self.share:.1%}", []
        statistical = {d.code for d in classes() if d.is_statistical}
        measured = {figure.name: figure for figure in self.figures}
        for name in sorted(d.code for d in classes()):
            figure = measured.get(name)
            if figure is None or figure.records < least:
                said.append(
                    f"{where}: class {name} has {figure.records if figure else 0} records; at least {least} are wanted"
                )
                continue
            bar = STATISTICAL_BAR if name in statistical else 1
            for word in ("recall", "precision"):
                if getattr(figure, word) < bar:
                    said.append(
                        f"{where}: {word} of class {name} is {getattr(figure, word):.3f}; at least {bar:.3f} is wanted"
                    )
        right, found = sum(f.right for f in self.figures), sum(f.found for f in self.figures)
        if right < REASON_BAR * found:
            said.append(
                f"{where}: {right} of {found} findings name the planted column; at least {REASON_BAR:.0%} are wanted"
            )
        if stopping := [finding for finding in self.stray if finding[2] in STOPPING]:
            said.append(
                f"{where}: {len(stopping)} findings of severity block or quarantine were not planted, first {stopping[0]}"
            )
        return said


@dataclass(frozen=True)
class CleanDay:
    """Findings that a clean day opened, by severity, and by which rules."""

    business_date: date
    severities: dict[str, int]
    rules: dict[str, int]

    def shortfalls(self) -> list[str]:
        bad = self.severities.get("block", 0) + self.severities.get("quarantine", 0)
        warnings = self.severities.get("warn", 0)
        said = (
            [f"{self.business_date}: {bad} findings of severity block or quarantine on a clean day: {self.rules}"]
            if bad
            else []
        )
        return said + (
            [f"{self.business_date}: {warnings} warnings on a clean day; at most one is wanted: {self.rules}"]
            if warnings > 1
            else []
        )


@dataclass(frozen=True)
class Outcome:
    """Everything measured, and what fell short of its bar."""

    plan: Plan
    cells: list[Cell]
    clean_days: list[CleanDay]
    second: list[second_hand.Cell] = field(default_factory=list)

    @property
    def shortfalls(self) -> list[str]:
        said = [sentence for cell in self.cells for sentence in cell.shortfalls(self.plan.least)]
        said += [sentence for cell in self.second for sentence in cell.shortfalls()]
        return said + [sentence for day in self.clean_days for sentence in day.shortfalls()]

    def as_dict(self) -> dict:
        measured = asdict(self) | {"business_date": BUSINESS_DATE.isoformat(), "shortfalls": self.shortfalls}
        for cell, made in zip([*self.cells, *self.second], [*measured["cells"], *measured["second"]], strict=True):
            for figure, shown in zip(cell.figures, made["figures"], strict=True):
                shown |= {word: round(getattr(figure, word), 4) for word in ("recall", "precision", "reason")}
        return measured


def measure(plan: Plan, beside: Warehouse, hear, keep: Callable[[Outcome], None] = lambda outcome: None) -> Outcome:
    """Measures cell by cell, then day by day; `hear` is told each step, `keep` given what was measured so far, after each.

    Raises UsageError where the utility is too small; what was kept is then what was measured before.
    """
    outcome = Outcome(plan, [], [], [])
    keep(outcome)
    for seed in range(plan.first_seed, plan.first_seed + plan.seeds):
        for share in plan.shares:
            outcome.cells.append(_cell(plan, seed, share, beside, hear))
            keep(outcome)
    for cell in second_hand.measure(plan.second, beside, hear):
        outcome.second.append(cell)
        keep(outcome)
    for day in _clean_days(plan.clean_days, beside, hear):
        outcome.clean_days.append(day)
        keep(outcome)
    return outcome


def _cell(plan: Plan, seed: int, share: float, beside: Warehouse, hear) -> Cell:
    hear.console.print(f"[bold]Seed {seed}, {share:.1%} of every class[/bold]", highlight=False)
    with hear.step("plant"):
        try:
            simulation = generate(
                BUSINESS_DATE,
                plan.accounts,
                plan.days,
                seed,
                defects_seed=seed,
                planting_rate=PlantingRate(share, plan.least),
            )
        except ValueError as error:
            raise UsageError(
                f"{error}, seed {seed}, share {share:.1%}.", next_step="give more with --accounts or --days."
            ) from error
        hear(f"{len(simulation.truth):,} records")
    with sandbox("quality", beside) as place:
        with hear.step("land"):
            place.land(simulation, hear, full=True)
        run = night.begin_run(place.warehouse, BUSINESS_DATE)
        waive(
            place.url, LIMIT_RULE, "all", "quality bench", "the tables' limits are tested on their own", BUSINESS_DATE
        )
        with hear.step("build staging"):
            night.build_staging(place.warehouse, run, hear)
        # what stopped the gate stands among the findings
        with hear.step("check staged"), contextlib.suppress(GateBlocked):
            night.check_staged(place.warehouse, run, hear)
        with hear.step("compare with the truth"):
            scored = score(place.url, simulation.truth)
            found, planted = (sum(getattr(f, word) for f in scored.figures) for word in ("found", "planted"))
            hear(f"{found:,} of {planted:,} pairs found, {len(scored.stray)} findings not planted")
    cell = Cell(seed, share, scored.figures, scored.missed, scored.misnamed, scored.stray)
    # a cell may take half an hour: what it shows is said at once
    for sentence in cell.shortfalls(plan.least) or ["every figure reaches its bar"]:
        hear.console.print(f"  {sentence}", highlight=False, soft_wrap=True)
    return cell


def _clean_days(count: int, beside: Warehouse, hear) -> Iterator[CleanDay]:
    """Successive nights of one small utility, from landing to gate 2; each counts as published, so that the next compares with it."""
    if not count:
        return
    hear.console.print(f"[bold]{count} clean days of {CLEAN_ACCOUNTS} accounts[/bold]", highlight=False)
    with sandbox("clean_days", beside) as place:
        for n in range(count):
            day = FIRST_CLEAN_DATE + timedelta(days=n)
            with hear.step(f"night of {day}"):
                place.land(generate(day, CLEAN_ACCOUNTS, CLEAN_CURVES, seed=1), hear, full=False)
                run = night.begin_run(place.warehouse, day)
                with contextlib.suppress(GateBlocked):
                    for step in ("build_staging", "check_staged", "build_warehouse_and_marts", "check_marts"):
                        getattr(night, step)(place.warehouse, run, hear)
                with connect(place.url) as connection:
                    runs.count_as_published(connection, run["run_id"])
            yield _opened(place.url, run["run_id"], day)


def _opened(url: str, run_id: int, day: date) -> CleanDay:
    with connect(url) as connection:
        rows = connection.execute(
            "select severity, rule_id from quality.finding_events where run_id = %s and event = 'opened'", (run_id,)
        ).fetchall()
    return CleanDay(day, dict(Counter(severity for severity, _ in rows)), dict(Counter(rule_id for _, rule_id in rows)))


def print_outcome(outcome: Outcome, console) -> None:
    """One line a class over all cells, then the clean days, then what fell short."""
    statistical = {d.code for d in classes() if d.is_statistical}
    by_class: dict[str, list[Figure]] = defaultdict(list)
    for cell in outcome.cells:
        for figure in cell.figures:
            by_class[figure.name].append(figure)
    if by_class:
        console.print(
            f"\nDefects of the first hand in {len(outcome.cells)} cells; the lowest of the cells where they differ:"
        )
        console.print(
            f"  {'class':<15}{'kind':<15}{'records':>9}{'pairs':>8}{'found':>8}{'recall':>9}{'precision':>11}{'reason':>9}",
            highlight=False,
        )
    for name, figures in sorted(by_class.items()):
        kind = "statistical" if name in statistical else "deterministic"
        counts = [sum(getattr(f, word) for f in figures) for word in ("records", "planted", "found")]
        lowest = [min(getattr(f, word) for f in figures) for word in ("recall", "precision", "reason")]
        console.print(
            f"  {name:<15}{kind:<15}{counts[0]:>9,}{counts[1]:>8,}{counts[2]:>8,}{lowest[0]:>9.3f}{lowest[1]:>11.3f}{lowest[2]:>9.3f}",
            highlight=False,
        )
    for cell in outcome.cells:
        for title, pairs in (("missed", cell.missed), ("another column", cell.misnamed), ("not planted", cell.stray)):
            for pair in pairs[:10]:
                console.print(
                    f"    {title}, seed {cell.seed}, {cell.share:.1%}: {' '.join(pair)}",
                    highlight=False,
                    soft_wrap=True,
                )
    if outcome.second:
        second_hand.print_cells(outcome.second, console)
    if outcome.clean_days:
        total = sum((Counter(day.severities) for day in outcome.clean_days), Counter())
        most = max(day.severities.get("warn", 0) for day in outcome.clean_days)
        console.print(
            f"\n{len(outcome.clean_days)} clean days: {total['block']} block, {total['quarantine']} quarantine,"
            f" {total['warn']} warn, at most {most} on a day",
            highlight=False,
        )
    short = outcome.shortfalls
    console.print(
        f"\n{len(short)} figures miss their bar" if short else "\nEvery figure reaches its bar", highlight=False
    )
    for sentence in short[:40]:
        console.print(f"  {sentence}", highlight=False, soft_wrap=True)
