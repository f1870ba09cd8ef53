"""What the gate sees of the second hand's defects, and which of its unusual but valid data it takes for defects."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import date

from include import night
from include.errors import GateBlocked, UsageError
from include.lab.bench.sandbox import Sandbox, sandbox
from include.lab.score import Figure
from include.lab.second_planter.judge import Finding, Verdict, figures, findings_of, judge
from include.lab.second_planter.plant import kinds, plant
from include.lab.utility import generate
from include.quality.gate import LIMIT_RULE
from include.quality.waivers import waive
from include.records.warehouse import Warehouse

# Early in a month: the last month's bills are there and their days lie in the window.
BUSINESS_DATE = date(2026, 11, 3)
RECALL_BAR, CLASS_BAR, REASON_BAR, RECORDS = 0.95, 0.8, 0.95, 5


@dataclass(frozen=True)
class Plan:
    """Utilities (seeds from `first_seed` on) of a size into which the second hand plants."""

    seeds: int
    first_seed: int
    accounts: int
    days: int


@dataclass(frozen=True)
class Cell:
    """What the gate found of the second hand's records at one seed; the findings of no planted record, by rule."""

    seed: int
    figures: list[Figure]
    missed: list[tuple[str, str]]
    unexplained: list[tuple[str, str, str]]
    beside: list[tuple[str, str]]

    def shortfalls(self) -> list[str]:
        where, said = f"second hand, seed {self.seed}", []
        records, found, right = (sum(getattr(f, word) for f in self.figures) for word in ("records", "found", "right"))
        if found < RECALL_BAR * records:
            said.append(f"{where}: {found} of {records} records found; at least {RECALL_BAR:.0%} are wanted")
        if right < REASON_BAR * found:
            said.append(f"{where}: {right} of {found} records explained rightly; at least {REASON_BAR:.0%} are wanted")
        for figure in self.figures:
            if figure.records < RECORDS:
                said.append(f"{where}: class {figure.name} has {figure.records} records; at least {RECORDS} are wanted")
            if figure.recall < CLASS_BAR:
                said.append(
                    f"{where}: recall of class {figure.name} is {figure.recall:.3f}; at least {CLASS_BAR} is wanted"
                )
        return said


def measure(plan: Plan, beside: Warehouse, hear) -> list[Cell]:
    """A cell a seed. Raises UsageError where the utility is too small for the second hand."""
    return [_cell(plan, seed, beside, hear) for seed in range(plan.first_seed, plan.first_seed + plan.seeds)]


def _cell(plan: Plan, seed: int, beside: Warehouse, hear) -> Cell:
    hear.console.print(f"[bold]Second hand, seed {seed}[/bold]", highlight=False)
    with hear.step("plant"):
        simulation = generate(BUSINESS_DATE, plan.accounts, plan.days, seed)
        try:
            planted = plant(simulation, seed)
        except ValueError as error:
            raise UsageError(f"{error}.", next_step="give more with --second-accounts or --second-days.") from error
        hear(f"{len(planted):,} records of {len(kinds())} classes")
    with sandbox("second_hand", beside) as place:
        gate_one(place, simulation, hear)
        with hear.step("compare with the truth"):
            verdicts = judge(findings_of(place.url), planted)
            hear(f"{sum(v.is_found for v in verdicts):,} of {len(verdicts):,} records found")
    return cell_of(seed, verdicts)


def cell_of(seed: int, verdicts: list[Verdict]) -> Cell:
    """The figures of a seed's verdicts, and the records that fell short."""
    named = [(v, v.planted.code, str(v.planted.record_key)) for v in verdicts]
    return Cell(
        seed,
        figures(verdicts),
        [(code, key) for v, code, key in named if not v.is_found],
        [(code, key, " ".join(v.rules)) for v, code, key in named if v.is_found and not v.is_right],
        [(code, rule) for v, code, _ in named for rule in v.beside],
    )


def gate_one(place: Sandbox, simulation, hear) -> None:
    """Land a whole delivery and let gate 1 judge it; the tables' limits, which would stop such a night, are waived."""
    with hear.step("land"):
        place.land(simulation, hear, full=True)
    run = night.begin_run(place.warehouse, simulation.business_date)
    waive(place.url, LIMIT_RULE, "all", "quality bench", "the tables' limits are tested on their own", BUSINESS_DATE)
    with hear.step("build staging"):
        night.build_staging(place.warehouse, run, hear)
    # what stopped the gate stands among the findings
    with hear.step("check staged"), contextlib.suppress(GateBlocked):
        night.check_staged(place.warehouse, run, hear)


def by_severity(findings: list[Finding]) -> Counter:
    return Counter(finding.severity for finding in findings)
