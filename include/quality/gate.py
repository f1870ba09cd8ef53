"""The two gates: gate 1 over staging decides what is admitted, gate 2 over the candidate marts decides on the publish.

A gate evaluates its rules, lets Great Expectations give the verdict over the violations, records findings and quarantine,
and writes the verdict to `quality.runs`. Exit codes come from there, never from the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from include.contracts import all_tables
from include.errors import GateBlocked
from include.profiles import digest, left_out
from include.publish.content import built_content, candidate_digests, candidate_types
from include.publish.marts import read_marts
from include.quality import conservation, findings, verdict
from include.quality.base_rules import load_base_rules
from include.quality.evaluate import Result, evaluate_all
from include.quality.rules import Rule, load_rules
from include.quality.waivers import proposed_waiver
from include.records import expected, ledger, runs
from include.records.row_counts import replace_staged_rows
from include.records.rule_book import note_passed
from include.records.runs import Run
from include.records.warehouse import Warehouse
from include.settings import settings
from include.transform.dbt import manifest_path
from include.transform.models import staging_relation

GATEKEEPER = "kaw_gatekeeper"
PENDING_RULE = "PIP-06"  # a person confirms the rows, and what was confirmed is withdrawn
LIMIT_RULE = "PIP-03"  # reads what the other rules of its gate found, so it comes last
Progress = Callable[[Result], None]


@dataclass
class GateResult:
    """Counts of one gate; `blocking` are the rules that stop the publish, each with its number of violations."""

    gate: int
    rules: int
    tested_rows: int
    failed_rows: int
    blocking: dict[str, int]
    events: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # tables that the profile leaves out, with the reason
    not_delivered: int = 0  # rules that rest on them


def rules_of(gate: int) -> list[Rule]:
    """The rules of a gate in the order of evaluation: arrivals first, the tables' limit last."""
    rules = [r for r in [*load_base_rules(left_out()), *load_rules()] if r.gate == gate]
    return sorted(rules, key=lambda r: (r.id == LIMIT_RULE, not r.id.startswith("ARR-"), r.id))


def check_staged_data(warehouse: Warehouse, run: Run, progress: Progress = lambda _: None) -> GateResult:
    """Gate 1. Afterwards the phase is `admit`. Raises GateBlocked where a violation of severity block is not waived."""
    gatekeeper = warehouse.fenced(run.fence).as_role(GATEKEEPER)
    with gatekeeper.connect() as connection:
        findings.note_rule_book(connection, [*load_base_rules(), *load_rules()], run.business_date)
        count_staged_rows(connection, run.run_id)
    result = _check(gatekeeper, run, 1, progress)
    _raise_where_blocked(gatekeeper, run, result)
    return result


def check_candidates(warehouse: Warehouse, run: Run, progress: Progress = lambda _: None) -> GateResult:
    """Gate 2: conservation and the rules over the candidate marts.

    Its verdict carries the digest of each candidate as it was before the first rule read it: a publish is held to them.
    """
    gatekeeper = warehouse.fenced(run.fence).as_role(GATEKEEPER)
    with gatekeeper.connect() as connection:
        conservation.recompute(connection, run.run_id)
        conservation.count_rows_in_force(connection, run.run_id)
        marts = read_marts(manifest_path())
        built = built_content(connection, marts, candidate_types(connection, marts), run.business_date)
    result = _check(gatekeeper, run, 2, progress, candidate_digests(built))
    _raise_where_blocked(gatekeeper, run, result)
    return result


def _check(
    gatekeeper: Warehouse, run: Run, gate: int, progress: Progress, candidates: dict[str, str] | None = None
) -> GateResult:
    rules = rules_of(gate)
    results = evaluate_all(gatekeeper, rules, run.run_id, run.business_date, progress)
    observed = verdict.great_expectations_counts(gatekeeper, run.run_id, [r.id for r in rules])
    with gatekeeper.connect() as connection:
        connection.execute("select quality.assert_fence()")
        findings.judge(connection, run.run_id, gate)
        counted = dict(connection.execute("select rule_id, count(*) from judged group by rule_id").fetchall())
        verdict.assert_agreement(rules, results, observed, counted)
        result = GateResult(
            gate,
            len(results),
            sum(r.tested_rows for r in results),
            sum(r.failed_rows for r in results),
            blocking={},
            left_out=left_out(),
            not_delivered=sum(bool(r.not_delivered) for r in results),
        )
        result.blocking = dict(
            connection.execute(
                "select rule_id, count(*) from judged where severity = 'block' and waiver_id is null"
                " and rule_id = any(%s) group by rule_id order by rule_id",
                ([r.id for r in rules],),
            ).fetchall()
        )
        result.events = findings.record_findings(connection, run.run_id, gate)
        if gate == 1:
            expected.note(connection, run.run_id)
            result.withheld = findings.quarantine(connection, run.run_id)
            runs.set_phase(connection, "admit")
        given = {r.rule_id: "not delivered" for r in results if r.not_delivered}
        note_passed(connection, run.run_id, passed_for(connection, run, gate) | given)
        record_verdict(connection, run, result, candidates)
    return result


def passed_for(connection: psycopg.Connection, run: Run, gate: int) -> dict[str, str]:
    """Rule -> passed, waived, failed or not tested."""
    rows = connection.execute(
        """
        select rule_id, case
            when tested_rows = 0 then 'not tested'
            when not exists (select 1 from judged where judged.rule_id = rule_results.rule_id) then 'passed'
            when not exists (
                select 1 from judged where judged.rule_id = rule_results.rule_id and judged.waiver_id is null
            ) then 'waived'
            else 'failed'
        end
        from quality.rule_results
        where run_id = %s and rule_id in (select rule_book.rule_id from quality.rule_book where rule_book.gate = %s)
        """,
        (run.run_id, gate),
    )
    return dict(rows.fetchall())


def record_verdict(
    connection: psycopg.Connection, run: Run, result: GateResult, candidates: dict[str, str] | None = None
) -> None:
    """The run's state and the ledger's entry of a verdict, in the caller's transaction.

    `candidates` are the digests of what gate 2 judged, by mart.
    """
    summary = {
        "rules": result.rules,
        "tested_rows": result.tested_rows,
        "failed_rows": result.failed_rows,
        "blocking": result.blocking,
        "events": result.events,
        "withheld": result.withheld,
    }
    if result.left_out:
        summary |= {"left_out": result.left_out, "not_delivered": result.not_delivered}
    if profile := digest():
        summary |= {"profile": profile, "profile_folder": str(settings().profile)}
    runs.note_verdict(connection, run.run_id, result.gate, summary)
    judged = {"findings_digest": ledger.findings_digest(connection)}
    ledger.append(
        connection,
        "verdict",
        {
            "run_id": run.run_id,
            "business_date": run.business_date.isoformat(),
            "gate": result.gate,
            "fence": run.fence,
            "verdict": "blocked" if result.blocking else "passed",
        }
        | summary
        | (judged if candidates is None else judged | {"candidates": candidates}),
    )


def count_staged_rows(connection: psycopg.Connection, run_id: int) -> None:
    """Current rows per table, the denominator of the tables' limits."""
    rows = {
        name: connection.execute(f"select count(*) from {staging_relation(name)}").fetchone()[0]
        for name in all_tables()
    }
    replace_staged_rows(connection, run_id, rows)


def _raise_where_blocked(gatekeeper: Warehouse, run: Run, result: GateResult) -> None:
    if not result.blocking:
        return
    with gatekeeper.connect() as connection:
        blocking = connection.execute(
            "select rule_id, table_name, observed from quality.violations where run_id = %s and severity = 'block'"
            " and rule_id = any(%s) order by rule_id, table_name",
            (run.run_id, list(result.blocking)),
        ).fetchall()
    raise GateBlocked(_message(result, run), where=_where(blocking), next_step=_next_step(blocking, run))


def _message(result: GateResult, run: Run) -> str:
    rules = {r.id: r for r in rules_of(result.gate)}
    shown = [
        f"  {rule_id} ({count}): {rules[rule_id].sentence_on(run.business_date)}"
        for rule_id, count in list(result.blocking.items())[:5]
    ]
    more = f"\n  and {len(result.blocking) - 5} more rules" if len(result.blocking) > 5 else ""
    return (
        f"Gate {result.gate} stopped the night of {run.business_date}; the published marts are as they were.\n"
        + "\n".join(shown)
        + more
    )


def _where(blocking: list[tuple[str, str, str]]) -> str:
    return "; ".join(f"{rule_id} {table_name}: {observed}" for rule_id, table_name, observed in blocking[:3])


def _next_step(blocking: list[tuple[str, str, str]], run: Run) -> str:
    first = blocking[0][0]
    tables = {table_name for rule_id, table_name, _ in blocking if rule_id == first}
    proposed = proposed_waiver(first, tables, run.business_date)
    if first == PENDING_RULE:
        commands = [f"./kaw pending confirm {table} --approver NAME --reason TEXT" for table in sorted(tables)]
        proposed = "\n  ".join(commands)
    return (
        "let the source deliver again (a refused file or form: corrected, under the same name) and repeat the command,"
        f" or take responsibility for this night:\n  {proposed}"
    )
