"""Metering, marketing and contract against each other: what was compared, what differs, what one side lacks, what it costs."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

AREA = "reconciliation"
SIDES = ("metering", "marketing", "contract")
ABSENCE = ("completeness", "referential")  # dimensions of rules that look for the record on the other side


def matrix(conn: psycopg.Connection, run: dict, rules: list[dict]) -> dict:
    """`{lines, pairs, suspects}`: a line per rule of the reconciliation, and their sums per pair of systems.

    Compared, equal, different and absent are those of this run; findings and their error are all that are open or waived
    as of it, because a run compares again only what changed. A record with two differing columns differs once.
    """
    own = [rule for rule in rules if rule["area"] == AREA and rule["gate"] == 1 and rule["sides"]]
    at_stake = {
        row["rule_id"]: row
        for row in conn.cursor(row_factory=dict_row).execute(
            """
            with latest as (
                select distinct on (rule_id, finding_id) *
                from quality.finding_events
                where run_id <= %(run)s and rule_id = any(%(rules)s)
                order by rule_id, finding_id, event_id desc
            ),

            suspected as (
                select rule_id, coalesce(suspect_side, 'undetermined') as side, count(*) as findings
                from latest
                where event not in ('fixed', 'dependant')
                group by rule_id, side
            )

            select
                rule_id, count(*) as findings, sum(energy_at_stake_kwh) as kwh, sum(amount_at_stake_cny) as cny,
                (
                    select jsonb_object_agg(suspected.side, suspected.findings)
                    from suspected where suspected.rule_id = latest.rule_id
                ) as suspects
            from latest
            where event not in ('fixed', 'dependant')
            group by rule_id
            """,
            {"run": run["run_id"], "rules": [rule["id"] for rule in own]},
        )
    }
    lines = [_line(rule, at_stake.get(rule["id"], {})) for rule in sorted(own, key=lambda rule: rule["id"])]
    groups = sorted({line["sides"] for line in lines}, key=lambda sides: (len(sides), [SIDES.index(s) for s in sides]))
    return {
        "lines": lines,
        "pairs": [_sum(sides, [line for line in lines if line["sides"] == sides]) for sides in groups],
    }


def _line(rule: dict, at_stake: dict) -> dict:
    is_absence = rule["dimension"] in ABSENCE
    failing = rule["failing"]
    return {
        "id": rule["id"],
        "sentence": rule["sentence"],
        "sides": rule["sides"],
        "compared": rule["tested"],
        "equal": rule["passed"],
        "different": None if is_absence or rule["tested"] is None else failing,
        "absent": failing if is_absence and rule["tested"] is not None else None,
        "not_tested_reason": rule["not_tested_reason"],
        "findings": at_stake.get("findings", 0),
        "kwh": at_stake.get("kwh"),
        "cny": at_stake.get("cny"),
        "at_stake": rule["at_stake"],
        "likely_wrong": rule["likely_wrong"],
        "suspects": sorted((at_stake.get("suspects") or {}).items()),
    }


def _sum(sides: tuple[str, ...], lines: list[dict]) -> dict:
    def total(name: str):
        known = [line[name] for line in lines if line[name] is not None]
        return sum(known) if known else None

    names = ("compared", "equal", "different", "absent", "findings", "kwh", "cny")
    return {"sides": sides, "rules": len(lines), **{name: total(name) for name in names}}
