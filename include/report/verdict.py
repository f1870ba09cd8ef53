"""What the run concluded, in words: its verdict, its rules, its waivers, and what to do next."""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg.rows import dict_row

from include.quality.waivers import proposed_waiver
from include.report.text import Text, plural

VERDICTS = (
    "failed",
    "waived",
    "not tested",
    "not delivered",
    "not evaluated",
    "passed",
)  # in the order of a reader's interest
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
        found["left_out"] = gates.get("gate_1", {}).get("left_out", {})
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
                when exists (
                    select 1 from quality.ledger as first
                    where first.event = 'waiver' and first.detail ->> 'waiver_id' = waivers.waiver_id::text
                        and first.detail ->> 'second_needed' is not null
                ) and not exists (
                    select 1 from quality.ledger as second
                    where second.event = 'waiver_second' and second.detail ->> 'waiver_id' = waivers.waiver_id::text
                        and second.entry_no <= coalesce(%(entry)s, 9223372036854775807)
                ) then 'waits for a second approver'
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
    still = Text("Nothing has been published so far.", "至今尚未发布。")
    if readers:
        still = Text(f"Readers still see the business date {readers}.", f"读者仍看到业务日期 {readers}。")
    kept, failed, waived = content["withheld"]["total"], content["counts"]["failed"], content["counts"]["waived"]
    if run["state"] == "blocked":
        rules = sorted(run["blocking"])
        return _summary(
            "bad",
            Text(
                f"Blocked: the night of {day} was stopped by {_listed(rules)}, and nothing was published.",
                f"已阻断：{day} 的运行被 {_listed(rules, zh=True)} 停止，未发布任何内容。",
            ),
            Text(
                f"The rules named are ones that the marts cannot be trusted without. {still}",
                f"这些规则不成立时集市不可信。{still.zh}",
            ),
            _steps_when_blocked(content),
        )
    if run["state"] == "failed":
        again = Text(
            "Run the night again; what was done already is not done twice.", "重新运行；已完成的部分不会重复执行。"
        )
        return _summary(
            "bad",
            Text(
                f"Ended early: the run of {day} was stopped before it had a verdict, and published nothing.",
                f"提前结束：{day} 的运行在裁决之前停止，未发布任何内容。",
            ),
            Text(f"What follows is as far as it came. {still}", f"以下为停止前的结果。{still.zh}"),
            [{"text": again, "command": _run(day)}],
        )
    if run["state"] == "running":
        return _summary(
            "attention",
            Text(f"Under way: the run of {day} has no verdict yet.", f"进行中：{day} 的运行尚无裁决。"),
            Text(f"What follows is as far as it has come. {still}", f"以下为目前的结果。{still.zh}"),
        )
    is_shown = run["state"] == "published"
    what = f"he night of {day} passed its gates"
    outcome = Text("and is published", "并已发布") if is_shown else Text("and is not published yet", "尚未发布")
    if kept or failed or waived:
        amounts = (
            (kept, "withheld row", "withheld rows", "行数据被隔离"),
            (failed, "rule with findings", "rules with findings", "条规则有问题"),
            (waived, "rule waived", "rules waived", "条规则被豁免"),
        )
        details = _listed([f"{number:,} {one if number == 1 else many}" for number, one, many, _ in amounts if number])
        details_zh = "、".join(f"{number:,} {zh}" for number, _, _, zh in amounts if number)
        meaning = Text(
            "No row is withheld: what was found is of the kind that warns, or was waived.",
            "没有数据被隔离：发现的问题仅为警告，或已被豁免。",
        )
        if kept:
            meaning = Text(
                "Withheld rows are kept with their reason, are missing from the marts, and are admitted by themselves"
                " when a corrected delivery clears their finding.",
                "被隔离的行连同原因保留，不进入集市；更正后的交付消除问题时自动准入。",
            )
        see = Text(
            "See each finding; a corrected delivery needs no command but the next run.",
            "逐一查看问题；更正后的交付只需下一次运行。",
        )
        return _summary(
            "attention" if kept or waived else "good",
            Text(
                f"Passed with findings: t{what} {outcome}, with {details}.",
                f"通过但有问题：{day} 的运行通过闸门，{outcome.zh}；{details_zh}。",
            ),
            meaning,
            [{"text": see, "command": "./kaw findings"}],
        )
    evaluated = len(content["rules"]) - content["counts"]["not evaluated"] - content["counts"]["not delivered"]
    silent = content["counts"]["not tested"]
    return _summary(
        "good",
        Text(f"Passed: t{what} without a finding, {outcome}.", f"通过：{day} 的运行通过闸门，没有问题，{outcome.zh}。"),
        Text(
            f"{evaluated:,} rules were evaluated; {silent:,} of them had nothing to test."
            " Every delivered row is accounted for below.",
            f"执行规则 {evaluated:,} 条，其中 {silent:,} 条无可检验。下文说明每一行交付数据的去向。",
        ),
    )


def _summary(tone: str, title: Text, meaning: Text, steps: list[dict] | None = None) -> dict:
    return {"tone": tone, "title": title, "meaning": meaning, "steps": steps or []}


def _steps_when_blocked(content: dict) -> list[dict]:
    """Per blocking rule the two ways on: a corrected delivery, or a waiver of the narrowest scope that lifts the block."""
    run, findings = content["run"], content["findings"]
    day, book, steps = run["business_date"], {rule["id"]: rule for rule in content["rules"]}, []
    for rule_id, count in sorted(run["blocking"].items()):
        rule = book.get(rule_id, {})
        tables = sorted({finding["table_name"] for finding in findings.by_rule.get(rule_id, [])})
        is_complete = findings.total_of(rule_id) <= len(findings.by_rule.get(rule_id, []))
        named = tables if content["edition"] == 1 else [*filter(None, tables)]  # a mart's own rule names no table
        which = f" ({', '.join(named[:5])})" if named else ""
        sentence, owner = rule.get("sentence", ""), rule.get("owner")
        steps.append(
            {
                "text": Text(
                    f"{rule_id} ({plural(count, 'violation')}): {sentence} Owner: {owner or 'unknown'}."
                    f" Have it delivered again{which}; or, to take responsibility for this night, enter a waiver:",
                    f"{rule_id}（{count:,} 处违反）：{sentence} 责任单位：{owner or '未知'}。"
                    f"请重新交付{which}；或由署名人承担本次责任，登记豁免：",
                ),
                "command": proposed_waiver(rule_id, set(tables) if is_complete else set(), day),
            }
        )
    again = Text("Then run the night again, after either of them:", "之后重新运行：")
    return [*steps, {"text": again, "command": _run(day)}]


def _run(day: date) -> str:
    return f"./kaw run --date {day}"


def _listed(words: list[str], *, zh: bool = False) -> str:
    if len(words) > 4:
        return (
            f"{'、'.join(words[:3])} 等 {len(words)} 条" if zh else f"{', '.join(words[:3])} and {len(words) - 3} more"
        )
    if zh:
        return "、".join(words) or "闸门"
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "a gate"
