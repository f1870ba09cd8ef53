"""What the run concluded, in words: its verdict, its rules, its waivers, and what to do next."""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg.rows import dict_row

from include.quality.waivers import proposed_waiver

VERDICTS = ("failed", "waived", "not tested", "not evaluated", "passed")  # in the order of a reader's interest
SEVERITIES = ("block", "quarantine", "warn")


def run(conn: psycopg.Connection, run_id: int | None) -> dict | None:
    """One row of quality.runs, the newest without a number; with the blocking rules of its gates and their violations.

    `ledger_entry` is the entry that the report is as of, written at `as_of`: the last one of the run itself, or, where it
    ended before its first verdict, the last one before that end. What comes later is none of this report's business.
    """
    found = (
        conn.cursor(row_factory=dict_row)
        .execute(
            "select * from quality.runs where %(run)s::bigint is null or run_id = %(run)s order by run_id desc limit 1",
            {"run": run_id},
        )
        .fetchone()
    )
    if found:
        found["ledger_entry"], found["as_of"] = conn.execute(
            """
            select entry_no, at from quality.ledger
            where
                (event in ('verdict', 'publish') and detail ->> 'run_id' = %(run)s::text)
                or at <= coalesce(%(ended)s::timestamptz, 'infinity')
            order by event in ('verdict', 'publish') and detail ->> 'run_id' = %(run)s::text desc, entry_no desc
            limit 1
            """,
            {"run": found["run_id"], "ended": found["finished_at"]},
        ).fetchone() or (0, None)
        gates = found["verdict"] or {}
        found["gates"] = sorted(gates)
        found["blocking"] = {
            rule: count for gate in sorted(gates) for rule, count in gates[gate].get("blocking", {}).items()
        }
    return found


def nights(conn: psycopg.Connection, run: dict) -> dict:
    """First and last business date of the runs so far: what a warehouse knows of the past begins with its first night."""
    return (
        conn.cursor(row_factory=dict_row)
        .execute(
            "select min(business_date) as first, max(business_date) as last from quality.runs where run_id <= %s",
            [run["run_id"]],
        )
        .fetchone()
    )


def rules(conn: psycopg.Connection, run: dict) -> list[dict]:
    """Every rule of the book with what this run found of it; a rule that the run did not reach is *not evaluated*."""
    from include.quality.base_rules import load_base_rules
    from include.quality.rules import load_rules

    book = {rule.id: rule for rule in (*load_base_rules(), *load_rules())}
    results = {
        row["rule_id"]: row
        for row in conn.cursor(row_factory=dict_row).execute(
            "select * from quality.rule_results where run_id = %s", [run["run_id"]]
        )
    }
    failing = _failing_records(conn, run)
    repairs = {
        row["rule_id"]: row
        for row in conn.cursor(row_factory=dict_row).execute(
            "select * from quality.rule_repairs_of(%s)", [run["run_id"]]
        )
    }
    listed = []
    for rule_id in sorted({*book, *results}):
        rule, result, repaired = book.get(rule_id), results.get(rule_id, {}), repairs.get(rule_id, {})
        tested, failed = result.get("tested_rows"), result.get("failed_rows")
        records = failing.get(rule_id, 0) if failed else 0
        listed.append(
            {
                "id": rule_id,
                "sentence": rule.sentence_on(run["business_date"]) if rule else "No longer in the rule book.",
                "population": getattr(rule, "population", ""),
                "reason": getattr(rule, "reason", ""),
                "source": getattr(rule, "source", ""),
                "at_stake": getattr(rule, "at_stake", ""),
                "likely_wrong": getattr(rule, "likely_wrong", ""),
                "path": getattr(rule, "path", ""),
                "axis": getattr(rule, "axis", ""),
                "dimension": getattr(rule, "dimension", ""),
                "sides": getattr(rule, "sides", ()),
                "area": getattr(rule, "area", ""),
                "owner": getattr(rule, "owner", ""),
                "severity": result.get("severity") or getattr(rule, "severity", ""),
                "gate": getattr(rule, "gate", 1),
                "tested": tested,
                "failed": failed,
                "failing": None if tested is None else records,
                "passed": None if tested is None else max(tested - records, 0),
                "balances": tested is None or (records <= tested and bool(failed) == bool(records)),
                "seconds": result.get("seconds"),
                "found": repaired.get("found_findings", 0),
                "answered": repaired.get("answered_findings", 0),
                "days_to_answer": repaired.get("median_days_to_answer"),
                "fixed": repaired.get("fixed_findings", 0),
                "days_to_fix": repaired.get("median_days_to_fix"),
                "not_tested_reason": result.get("not_tested_reason") or "",
                "verdict": result.get("verdict") or _verdict(tested, failed),
            }
        )
    return sorted(listed, key=lambda r: (VERDICTS.index(r["verdict"]), _severity_rank(r["severity"]), r["id"]))


def _failing_records(conn: psycopg.Connection, run: dict) -> dict[str, int]:
    """Records that broke each rule in this run: a record with two wrong columns is two violations of one record."""
    return dict(
        conn.execute(
            "select rule_id, count(*) from ("
            " select distinct rule_id, source_name, table_name, record_key from quality.finding_events"
            " where run_id = %s and event <> 'fixed') as records group by rule_id",
            [run["run_id"]],
        ).fetchall()
    )


def _verdict(tested: int | None, failed: int | None) -> str:
    if tested is None:
        return "not evaluated"
    return "failed" if failed else "passed" if tested else "not tested"


def _severity_rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def counts(rules: list[dict]) -> dict[str, int]:
    return {verdict: sum(rule["verdict"] == verdict for rule in rules) for verdict in VERDICTS}


def waivers(conn: psycopg.Connection, run: dict) -> list[dict]:
    """Every waiver so far with its state on the run's business date and the findings that it let through in this run.

    One without such an entry in the ledger was not entered by a command: it has no effect, and is listed from its own date on.
    """
    return (
        conn.cursor(row_factory=dict_row)
        .execute(
            """
        select
            waivers.*,
            case
                when not exists (
                    select 1 from quality.signed_waivers as signed where signed.waiver_id = waivers.waiver_id
                ) then 'without effect: not as the ledger has it'
                when exists (
                    select 1 from quality.signed_waivers as signed
                    where signed.waiver_id = waivers.waiver_id and signed.end_entry <= %(entry)s
                ) then 'ended'
                when waivers.valid_until < %(day)s then 'expired'
                else 'in force'
            end as state,
            (
                select count(*) from quality.finding_events as event
                where event.run_id = %(run)s and event.waiver_id = waivers.waiver_id
            ) as findings
        from quality.waivers
        where
            coalesce(
                (
                    select min(entry_no) <= %(entry)s from quality.ledger
                    where event = 'waiver' and detail ->> 'waiver_id' = waivers.waiver_id::text
                ),
                waivers.entered_at <= coalesce(%(as_of)s::timestamptz, 'infinity')
            )
        order by waivers.waiver_id
        """,
            {"day": run["business_date"], "run": run["run_id"], "entry": run["ledger_entry"], "as_of": run["as_of"]},
        )
        .fetchall()
    )


def summary(content: dict) -> dict:
    """The verdict in one sentence, what it means, and the commands that come next.

    `{tone: good|attention|bad, title, meaning, steps: [{text, command}]}`.
    """
    run, day = content["run"], content["run"]["business_date"]
    readers = content["published"]["business_date"]
    still = f"Readers still see the business date {readers}." if readers else "Nothing has been published so far."
    kept = content["withheld"]["total"]
    failed = content["counts"]["failed"]
    if run["state"] == "blocked":
        names = _listed(sorted(run["blocking"]))
        return {
            "tone": "bad",
            "title": f"Blocked: the night of {day} was stopped by {names}, and nothing was published.",
            "meaning": f"The rules named are ones that the marts cannot be trusted without. {still}",
            "steps": _steps_when_blocked(run, content["rules"], content["findings"]),
        }
    if run["state"] == "failed":
        return {
            "tone": "bad",
            "title": f"Ended early: the run of {day} was stopped before it had a verdict, and published nothing.",
            "meaning": f"What follows is as far as it came. {still}",
            "steps": [{"text": "Run the night again; what was done already is not done twice.", "command": _run(day)}],
        }
    if run["state"] == "running":
        return {
            "tone": "attention",
            "title": f"Under way: the run of {day} has no verdict yet.",
            "meaning": f"What follows is as far as it has come. {still}",
            "steps": [],
        }
    evaluated = len(content["rules"]) - content["counts"]["not evaluated"]
    what = f"The night of {day} passed its gates"
    outcome = "and is published" if run["state"] == "published" else "and is not published yet"
    waived = content["counts"]["waived"]
    if kept or failed or waived:
        amounts = (
            (kept, "withheld row", "withheld rows"),
            (failed, "rule with findings", "rules with findings"),
            (waived, "rule waived", "rules waived"),
        )
        details = _listed([f"{number:,} {one if number == 1 else many}" for number, one, many in amounts if number])
        withheld = (
            "Withheld rows are kept with their reason, are missing from the marts, and are admitted by themselves"
        )
        return {
            "tone": "attention" if kept or waived else "good",
            "title": f"Passed with findings: {what[0].lower()}{what[1:]} {outcome}, with {details}.",
            "meaning": f"{withheld} when a corrected delivery clears their finding."
            if kept
            else "No row is withheld: what was found is of the kind that warns, or was waived.",
            "steps": [
                {
                    "text": "See each finding; a corrected delivery needs no command but the next run.",
                    "command": "./kaw findings",
                }
            ],
        }
    return {
        "tone": "good",
        "title": f"Passed: {what[0].lower()}{what[1:]} without a finding, {outcome}.",
        "meaning": f"{evaluated:,} rules were evaluated; {content['counts']['not tested']:,} of them had nothing to test."
        " Every delivered row is accounted for below.",
        "steps": [],
    }


def _steps_when_blocked(run: dict, rules: list[dict], findings) -> list[dict]:
    """Per blocking rule the two ways on: a corrected delivery, or a waiver of the narrowest scope that lifts the block."""
    day, book, steps = run["business_date"], {rule["id"]: rule for rule in rules}, []
    for rule_id, count in sorted(run["blocking"].items()):
        rule = book.get(rule_id, {})
        tables = sorted({finding["table_name"] for finding in findings.by_rule.get(rule_id, [])})
        is_complete = findings.total_of(rule_id) <= len(findings.by_rule.get(rule_id, []))
        violations = f"{count:,} {'violation' if count == 1 else 'violations'}"
        which = f" ({', '.join(tables[:5])})" if tables else ""
        steps.append(
            {
                "text": f"{rule_id} ({violations}): {rule.get('sentence', '')} Owner: {rule.get('owner') or 'unknown'}."
                f" Have it delivered again{which}; or, to take responsibility for this night, enter a waiver:",
                "command": proposed_waiver(rule_id, set(tables) if is_complete else set(), day),
            }
        )
    steps.append({"text": "Then run the night again, after either of them:", "command": _run(day)})
    return steps


def _run(day: date) -> str:
    return f"./kaw run --date {day}"


def _listed(words: list[str]) -> str:
    if len(words) > 4:
        return f"{', '.join(words[:3])} and {len(words) - 3} more"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "a gate"
