"""`./kaw replay`: quarantined rows are judged again without landing anything, and those whose rules pass now are admitted.

A correction that has landed, a threshold that was changed, or a waiver takes effect at the next night; a replay is that
night's build for the date of the last run, right now. It judges the whole book, as every night does, and tells what became
of the findings that were asked for. Repeated, it finds nothing left to change.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date

import psycopg

from include import night
from include.errors import UsageError
from include.quality import findings, gate
from include.quality.evaluate import evaluate
from include.quality.findings import Selection
from include.records import runs
from include.records.fence import take_fence
from include.records.runs import BUILD_SCOPE, Run
from include.records.warehouse import GATEKEEPER, Warehouse
from include.transform.dbt import run_dbt

Step = Callable[[str], AbstractContextManager]


@dataclass(frozen=True)
class Replayed:
    """What became of the selected findings, by finding id, and how many rows came back; `run_id` is None for a dry run."""

    business_date: date
    run_id: int | None = None
    fixed: tuple[int, ...] = ()
    waived: tuple[int, ...] = ()
    open: tuple[int, ...] = ()
    not_judged: tuple[int, ...] = ()
    quarantined_admitted: int = 0
    blocked_admitted: int = 0

    @property
    def selected(self) -> int:
        return len(self.fixed) + len(self.waived) + len(self.open) + len(self.not_judged)


def replay(
    warehouse: Warehouse, selection: Selection, step: Step = lambda _: nullcontext(), say=lambda _: None
) -> Replayed:
    """Builds the date of the last run again from what has landed. Nothing is run where no open finding is selected.

    Raises GateBlocked as a night does: the published marts are then as they were.
    """
    day, selected, kept = _before(warehouse, selection)
    if not selected:
        return Replayed(day)
    run = night.begin_run(warehouse, day)
    for name in night.STEPS:
        with step(name.replace("_", " ")):
            getattr(night, name)(warehouse, run, progress=say)
    with warehouse.connect() as connection:
        return Replayed(day, run["run_id"], **_after(connection, selected, kept))


def dry_run(
    warehouse: Warehouse, selection: Selection, step: Step = lambda _: nullcontext(), say=lambda _: None
) -> Replayed:
    """What a replay would do, judged in a transaction that is rolled back: no finding, quarantine, ledger or mart changes.

    Staging is built as delivered for it and afterwards as admitted again. Judged are the rules of gate 1 that found the
    selection or hold a row back: a row not judged would count as passed where a finding stands for several copies of a key.
    What counts other rules' findings, or reads marts, is only known from a replay.
    """
    day, selected, kept = _before(warehouse, selection)
    if not selected:
        return Replayed(day)
    with warehouse.connect() as connection:
        (last_run,) = connection.execute("select run_id from quality.current_run").fetchone()
    with runs.alone(warehouse.address):  # whatever holds the fence's name then is left from an attempt that ended
        run = Run(last_run, day, take_fence(warehouse.as_role(GATEKEEPER), BUILD_SCOPE))
    own = warehouse.fenced(run.fence)
    try:
        _set_phase(own, "gate")
        with step("build staging as delivered"):
            night.build_staging(warehouse, run.as_dict(), say)
        with step("judge"):
            return Replayed(day, **_judged(own, run, selected, kept, say))
    finally:
        _set_phase(own, "admit")
        if models := night.staging_with_withheld_rows(own):
            with step("build staging as admitted"):
                run_dbt(["run", "--select", *models, "--exclude", "tag:as_delivered"], own, progress=say)


def _before(warehouse: Warehouse, selection: Selection) -> tuple[date, list[tuple], list[tuple]]:
    """D of the last run, the selected open findings (id, rule, table, raw id), and the withheld rows (table, raw id, state)."""
    with warehouse.connect() as connection:
        last = connection.execute("select business_date from quality.runs order by run_id desc limit 1").fetchone()
        if last is None:
            raise UsageError("No night has run yet.", where="quality.runs", next_step="make one with ./kaw run.")
        condition, values = selection.condition("open")
        selected = connection.execute(
            f"select finding_id, rule_id, table_name, raw_id from quality.findings where {condition} order by finding_id",
            values,
        ).fetchall()
        kept = connection.execute("select table_name, raw_id, state from quality.withheld").fetchall()
    return last[0], selected, kept


def _after(connection: psycopg.Connection, selected: list[tuple], kept: list[tuple]) -> dict:
    ids: dict[str, list[int]] = {"fixed": [], "waived": [], "open": []}
    for finding_id, state in connection.execute(
        "select finding_id, state from quality.findings where finding_id = any(%s) order by finding_id",
        ([finding_id for finding_id, *_ in selected],),
    ):
        ids["open" if state == "dependant" else state].append(finding_id)
    named = {(table_name, raw_id) for _, _, table_name, raw_id in selected}
    released = set(
        connection.execute(
            "select rows.table_name, rows.raw_id from quality.quarantined_rows as rows"
            " inner join unnest(%s::text[], %s::bigint[]) as kept (table_name, raw_id)"
            " on rows.table_name = kept.table_name and rows.raw_id = kept.raw_id where rows.released_run is not null",
            ([table_name for table_name, *_ in kept], [raw_id for _, raw_id, _ in kept]),
        ).fetchall()
    )
    states = {(table_name, raw_id): state for table_name, raw_id, state in kept}
    return {name: tuple(found) for name, found in ids.items()} | {
        "quarantined_admitted": sum(states[row] == "quarantined" and row in named for row in released),
        "blocked_admitted": sum(states[row] == "blocked_by_parent" for row in released),
    }


def _judged(warehouse: Warehouse, run: Run, selected: list[tuple], kept: list[tuple], say) -> dict:
    judgeable = {rule.id: rule for rule in gate.rules_of(1) if rule.id != gate.LIMIT_RULE}
    asked = [row for row in selected if row[1] in judgeable]
    with warehouse.connect() as connection, connection.transaction(force_rollback=True):
        trial = runs.begin_trial(connection, run.run_id)
        for (rule_id,) in connection.execute(
            "select rule_id from quality.open_findings where finding_id = any(%s)"
            " union select unnest(rule_ids) from quality.withheld where state = 'quarantined' order by 1",
            ([finding_id for finding_id, *_ in asked],),
        ).fetchall():
            if rule_id in judgeable:
                say(evaluate(connection, judgeable[rule_id], trial, run.business_date))
        findings.judge(connection, trial, 1)
        findings.record_findings(connection, trial, 1)
        findings.quarantine(connection, trial)
        left = tuple(row[0] for row in selected if row[1] not in judgeable)
        return _after(connection, asked, kept) | {"not_judged": left}


def _set_phase(warehouse: Warehouse, phase: str) -> None:
    with warehouse.connect() as connection:
        connection.execute("select quality.assert_fence()")
        runs.set_phase(connection, phase)
