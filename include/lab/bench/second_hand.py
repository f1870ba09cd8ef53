"""What the gate sees of the second hand's defects, and which of its unusual but valid data it takes for defects.

A seed is three utilities: one with every class of defects planted into it, one with every kind of unusual data, and a
clean one whose second night lacks what the first held, or writes it anew.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from include import night
from include.errors import GateBlocked, UsageError
from include.lab.bench.sandbox import Sandbox, sandbox
from include.lab.score import Figure
from include.lab.second_planter.judge import Alarm, Verdict, alarms, figures, findings_of, judge
from include.lab.second_planter.manifests import spoil_manifests
from include.lab.second_planter.next_night import NEXT_NIGHT, plant_next_night
from include.lab.second_planter.plant import kinds, plant
from include.lab.second_planter.unusual import plant_unusual, unusual_kinds
from include.lab.utility import generate
from include.quality.gate import LIMIT_RULE
from include.quality.waivers import waive
from include.records import runs
from include.records.database import connect
from include.records.warehouse import Warehouse

# Early in a month: the last month's bills are there and their days are in the window.
BUSINESS_DATE = date(2026, 11, 3)
NEXT_NIGHT_CURVES = 7
RECALL_BAR, CLASS_BAR, REASON_BAR, RECORDS = 0.95, 0.8, 0.95, 5


@dataclass(frozen=True)
class Plan:
    """Utilities of a size, seeds from `first_seed` on."""

    seeds: int
    first_seed: int
    accounts: int
    days: int


@dataclass(frozen=True)
class Cell:
    """Of one seed: a figure a class; the records (class, key) that were missed, and those (class, key, rules) found
    for another reason; the neighbours (class, rule and column) wrongly named; and the false alarms of the unusual
    data, whose records by kind are in `unusual`.
    """

    seed: int
    figures: list[Figure]
    missed: list[tuple[str, str]]
    misnamed: list[tuple[str, str, str]]
    beside: list[tuple[str, str]]
    unusual: dict[str, int]
    alarms: list[Alarm]

    def shortfalls(self) -> list[str]:
        """Every figure below its bar, as a sentence."""
        where, said = f"second hand, seed {self.seed}", []
        records, found, right = (sum(getattr(f, word) for f in self.figures) for word in ("records", "found", "right"))
        if found < RECALL_BAR * records:
            said.append(f"{where}: {found} of {records} records found; at least {RECALL_BAR:.0%} are wanted")
        if right < REASON_BAR * found:
            said.append(
                f"{where}: {right} of {found} records are explained rightly; at least {REASON_BAR:.0%} are wanted"
            )
        for figure in self.figures:
            if figure.records < RECORDS:
                said.append(f"{where}: class {figure.name} has {figure.records} records; at least {RECORDS} are wanted")
            if figure.recall < CLASS_BAR:
                said.append(
                    f"{where}: recall of class {figure.name} is {figure.recall:.3f}; at least {CLASS_BAR} is wanted"
                )
        said += [f"{where}: class {code}: {rule} names a neighbour of a planted record" for code, rule in self.beside]
        loud = Counter((alarm.kind, alarm.rule_id, alarm.severity) for alarm in self.alarms)
        return said + [
            f"{where}: {count} of {severity} by {rule_id} on unusual but valid data, kind {kind or 'unknown'}"
            for (kind, rule_id, severity), count in sorted(loud.items(), key=str)
        ]


def measure(plan: Plan, beside: Warehouse, hear) -> Iterator[Cell]:
    """A cell a seed. Raises UsageError where the utility is too small for the second hand."""
    for seed in range(plan.first_seed, plan.first_seed + plan.seeds):
        yield _cell(plan, seed, beside, hear)


def _cell(plan: Plan, seed: int, beside: Warehouse, hear) -> Cell:
    planted, found = _judged(plan, seed, plant, f"{len(kinds())} classes of defects", beside, hear)
    verdicts = judge(found, planted)
    unusual, loud = _judged(plan, seed, plant_unusual, f"{len(unusual_kinds())} kinds of unusual data", beside, hear)
    planted, found = _second_night(plan, seed, beside, hear)
    verdicts += judge(found, planted)
    cell = cell_of(seed, verdicts, dict(Counter(u.code for u in unusual)), alarms(loud, unusual))
    for sentence in cell.shortfalls()[:40] or ["every figure reaches its bar"]:
        hear.console.print(f"  {sentence}", highlight=False, soft_wrap=True)
    return cell


def _judged(plan: Plan, seed: int, put_in, what: str, beside: Warehouse, hear) -> tuple[list, list]:
    """What was put into a utility of a seed, and the findings of gate 1 there."""
    hear.console.print(f"[bold]Second hand, seed {seed}: {what}[/bold]", highlight=False)
    with hear.step("plant"):
        simulation = generate(BUSINESS_DATE, plan.accounts, plan.days, seed)
        try:
            planted = put_in(simulation, seed)
        except ValueError as error:
            raise UsageError(f"{error}.", next_step="give more with --second-accounts or --second-days.") from error
        hear(f"{len(planted):,} records")
    with sandbox("second_hand", beside) as place:
        _gate_one(place, simulation, hear)
        return planted, findings_of(place.url)


def _second_night(plan: Plan, seed: int, beside: Warehouse, hear) -> tuple[list, list]:
    """A clean night, and after it one with the defects of deliveries; the findings that the second one opened."""
    hear.console.print(f"[bold]Second hand, seed {seed}: a second night[/bold]", highlight=False)
    with sandbox("second_hand", beside) as place:
        run = _gate_one(place, generate(BUSINESS_DATE, plan.accounts, NEXT_NIGHT_CURVES, seed), hear)
        with connect(place.url) as connection:
            runs.count_as_published(connection, run["run_id"])
        before = set(findings_of(place.url))
        simulation = generate(BUSINESS_DATE + timedelta(days=1), plan.accounts, NEXT_NIGHT_CURVES, seed)
        planted = plant_next_night(simulation, seed)
        _gate_one(place, simulation, hear, full=False, spoil=spoil_manifests)
        return planted, [finding for finding in findings_of(place.url) if finding not in before]


def _gate_one(place: Sandbox, simulation, hear, full: bool = True, **more) -> dict:
    """Land a delivery and let gate 1 judge it; the tables' limits, which would stop such a night, are waived."""
    with hear.step("land"):
        place.land(simulation, hear, full=full, **more)
    run = night.begin_run(place.warehouse, simulation.business_date)
    if full:
        reason = "the tables' limits are tested on their own"
        waive(place.url, LIMIT_RULE, "all", "quality bench", reason, BUSINESS_DATE + timedelta(days=1))
    with hear.step("build staging"):
        night.build_staging(place.warehouse, run, hear)
    # what stopped the gate is among the findings
    with hear.step("check staged"), contextlib.suppress(GateBlocked):
        night.check_staged(place.warehouse, run, hear)
    return run


def cell_of(seed: int, verdicts: list[Verdict], unusual: dict[str, int], false_alarms: list[Alarm]) -> Cell:
    """The figures of a seed's verdicts, and the records that fell short."""
    named = [(verdict, verdict.planted.code, str(verdict.planted.record_key)) for verdict in verdicts]
    return Cell(
        seed,
        figures(verdicts),
        [(code, key) for verdict, code, key in named if not verdict.is_found],
        [(code, key, " ".join(v.rules)) for v, code, key in named if v.is_found and not v.is_right],
        [(code, rule) for verdict, code, _ in named for rule in verdict.beside],
        unusual,
        false_alarms,
    )


def print_cells(cells: list[Cell], console) -> None:
    """One line a class over all seeds, the lowest recall first; then the mechanisms and the false alarms by kind."""
    by_class: dict[str, list[Figure]] = defaultdict(list)
    for cell in cells:
        for figure in cell.figures:
            by_class[figure.name].append(figure)
    mechanism = {kind.code: kind.mechanism for kind in (*kinds(), *NEXT_NIGHT)}
    console.print(f"\nDefects of the second hand, {len(cells)} seeds:")
    console.print(
        f"  {'class':<48}{'mechanism':<11}{'records':>8}{'found':>7}{'recall':>8}{'right':>7}", highlight=False
    )
    totals: dict[str, Counter] = defaultdict(Counter)
    for code, of_class in sorted(by_class.items(), key=lambda item: (min(f.recall for f in item[1]), item[0])):
        records, found, right = (sum(getattr(f, word) for f in of_class) for word in ("records", "found", "right"))
        for name in (mechanism[code], "all"):
            totals[name].update(classes=1, records=records, found=found, right=right)
        lowest = min(f.recall for f in of_class)
        console.print(
            f"  {code:<48}{mechanism[code]:<11}{records:>8}{found:>7}{lowest:>8.3f}{right:>7}", highlight=False
        )
    for name, total in sorted(totals.items(), key=lambda item: (len(item[0]), item[0])):
        recall = total["found"] / total["records"]
        console.print(
            f"  {name}: {total['classes']} classes, {total['found']} of {total['records']} records found ({recall:.3f}),"
            f" {total['right']} explained rightly",
            highlight=False,
        )
    records = Counter()
    for cell in cells:
        records.update(cell.unusual)
    loud = Counter((alarm.kind or "unknown", alarm.rule_id, alarm.severity) for cell in cells for alarm in cell.alarms)
    console.print(
        f"\nUnusual but valid data: {len(records)} kinds, {records.total()} records, {loud.total()} false alarms"
    )
    for (kind, rule_id, severity), count in sorted(loud.items()):
        console.print(f"  {kind}: {count} of {severity} by {rule_id} ({records[kind]} records)", highlight=False)
