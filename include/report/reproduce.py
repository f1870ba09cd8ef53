"""The commands that make a run again in an empty home, and the deliveries that they need."""

from __future__ import annotations

import hashlib
import shlex
from datetime import timedelta

import psycopg
from psycopg.rows import dict_row

SIMULATED = "python:include.lab.source:deliver "  # what its receipts begin with; the rest are arguments of ./kaw run
EMPTY_HOME = 'unset KAW_WAREHOUSE; export KAW_HOME="$(mktemp -d)"'
# Loads of the nights of the warehouse so far, each with the night that it came in. A run that was killed is made by its repetition.
_LOADS = """
    with runs as (
        select
            run_id, business_date, state, started_at, last_load_id,
            coalesce(max(last_load_id) over (
                order by run_id rows between unbounded preceding and 1 preceding
            ), 0) as loads_before
        from quality.runs
        where run_id <= %(run)s and (state <> 'failed' or run_id = %(run)s)
    ),

    profiles as (
        select (detail ->> 'run_id')::bigint as run_id, min(detail ->> 'profile_folder') as profile
        from quality.ledger
        where event = 'verdict' and detail ? 'profile_folder'
        group by 1
    )

    select
        runs.run_id, runs.business_date, runs.started_at, profiles.profile, receipts.source_name, receipts.channel, receipts.delivered_by,
        min(receipts.load_id) as first_load, max(receipts.load_id) as last_load, count(*) as loads
    from runs
    inner join quality.receipts as receipts
        on receipts.load_id > runs.loads_before and receipts.load_id <= runs.last_load_id
            and receipts.business_date <= runs.business_date
    left join profiles on runs.run_id = profiles.run_id
    group by 1, 2, 3, 4, 5, 6, 7
    order by 1, 5, 6, min(receipts.load_id)
"""


def content(conn: psycopg.Connection, run: dict, published: dict) -> dict:
    """`{commands, deliverers, deliveries, has_simulator, has_database, is_unknown, not_whole}`.

    `commands` are lines for a shell; the last ends with the expected hash. `deliveries` names the loads by number, and all of
    them by one digest: SHA-256 over table, date and content of each, a line each, in order of load.
    """
    cursor = conn.cursor(row_factory=dict_row)
    loads = cursor.execute(_LOADS, {"run": run["run_id"]}).fetchall()
    decisions = cursor.execute(
        "select entry_no, at, event, detail from quality.ledger where entry_no <= %s and event in"
        " ('waiver', 'waiver_end', 'withdrawal_confirm', 'withdrawal_deny', 'roll_back', 'release') order by entry_no",
        [run["ledger_entry"]],
    ).fetchall()
    nights = _nights(loads)
    lines = _lines(nights, decisions)
    if lines and published["hash"] and run["state"] == "published":
        lines[-1] += f" --expect {published['hash']}"
    deliverers = sorted({load["delivered_by"] for load in loads if load["delivered_by"]})
    return {
        "commands": [EMPTY_HOME, *lines],
        "deliverers": deliverers,
        "deliveries": _deliveries(cursor, run),
        "has_simulator": any(by.startswith(SIMULATED) for by in deliverers),
        "has_database": any(by.startswith("postgres") for by in deliverers),
        "is_unknown": any(load["delivered_by"] is None for load in loads),
        "not_whole": _not_whole(cursor, run),
    }


def _not_whole(cursor: psycopg.Cursor, run: dict) -> list[str]:
    """Deliveries that brought a value which was erased since: file or table, and the date."""
    rows = cursor.execute(
        "select distinct coalesce(receipts.file_name, receipts.table_name) || ' of ' || receipts.business_date as told"
        " from quality.ledger as erased cross join jsonb_array_elements_text(erased.detail -> 'loads') as load (no)"
        " inner join quality.receipts as receipts on receipts.load_id = load.no::bigint"
        " where erased.event = 'erasure' and erased.entry_no <= %s and receipts.load_id <= %s order by 1",
        [run["ledger_entry"], run["last_load_id"]],
    )
    return [row["told"] for row in rows]


def _nights(loads: list[dict]) -> list[dict]:
    """Each run with what its deliveries came from: `{day, at, variables, arguments}`."""
    found: dict[int, dict] = {}
    for load in loads:
        night = found.setdefault(
            load["run_id"], {"day": load["business_date"], "at": load["started_at"], "variables": {}, "arguments": ""}
        )
        by = load["delivered_by"] or ""
        if load["profile"]:
            night["variables"]["KAW_PROFILE"] = load["profile"]
        if by.startswith(SIMULATED):
            night["arguments"] = by.removeprefix(SIMULATED)
        elif by:
            name = "forms" if load["channel"] == "form" else load["source_name"]
            night["variables"][f"KAW_SOURCE_{name.upper()}"] = by
    return list(found.values())


def _lines(nights: list[dict], decisions: list[dict]) -> list[str]:
    """One command for nights in a row that are delivered alike, and what people decided between them."""
    lines: list[str] = []
    row: list[dict] = []

    def end_row() -> None:
        if row:
            lines.append(_command(row))
            row.clear()

    waiting = list(decisions)
    for night in nights:
        if waiting and waiting[0]["at"] < night["at"]:
            end_row()
        while waiting and waiting[0]["at"] < night["at"]:
            lines.append(_decision(waiting.pop(0)))
        same = row and all(row[-1][name] == night[name] for name in ("variables", "arguments"))
        if row and not (same and night["day"] == row[-1]["day"] + timedelta(days=1)):
            end_row()
        row.append(night)
    end_row()
    return lines


def _command(nights: list[dict]) -> str:
    first, last = nights[0]["day"], nights[-1]["day"]
    days = f"--date {first}" if first == last else f"--from {first} --to {last}"
    variables = [f"{name}={shlex.quote(by)}" for name, by in sorted(nights[0]["variables"].items())]
    return " ".join(filter(None, [*variables, f"./kaw run {days}", nights[0]["arguments"]]))


def _decision(entry: dict) -> str:
    """A waiver as it was entered; of other decisions a comment, for they name what is not there in an empty home."""
    signed = entry["detail"]
    by = " ".join(f"--{name} {shlex.quote(str(signed.get(name, '')))}" for name in ("approver", "reason"))
    if entry["event"] == "waiver":
        scope = shlex.quote(signed["scope"])
        return f"./kaw waive {signed['rule_id']} --scope {scope} {by} --until {signed['valid_until']}"
    if entry["event"] == "waiver_end":
        return f"./kaw waive --end {signed['waiver_id']} {by}"
    return f"# here: {entry['event'].replace('_', ' ')}, ledger entry {entry['entry_no']}"


def _deliveries(cursor: psycopg.Cursor, run: dict) -> dict:
    """Loads that the run could read, first and last number, and one digest of all."""
    digest, numbers = hashlib.sha256(), []
    for load in cursor.execute(
        "select load_id, table_name, business_date, content_sha256 from quality.receipts where load_id <= %s order by load_id",
        [run["last_load_id"]],
    ):
        numbers.append(load["load_id"])
        digest.update(f"{load['table_name']} {load['business_date']} {load['content_sha256'] or '-'}\n".encode())
    return {
        "loads": len(numbers),
        "first": numbers[0] if numbers else None,
        "last": numbers[-1] if numbers else None,
        "sha256": digest.hexdigest(),
    }
