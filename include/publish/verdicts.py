"""What lets a publish happen: the verdicts of both gates as the ledger has them, never the state of a scheduler.

An Airflow user can mark a gate's task as succeeded, and a login can write a state; neither adds a verdict to the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from include.errors import GateBlocked


@dataclass(frozen=True)
class Verdicts:
    """Numbers of the ledger's entries of both verdicts, and the digest of each candidate mart that gate 2 judged."""

    gate_1: int
    gate_2: int
    candidates: dict[str, str]


def passed_both(conn: psycopg.Connection, run_id: int, fence: str) -> Verdicts:
    """The last verdicts of both gates on this run under this fence; the run's row stays locked, so that no gate judges meanwhile.

    Raises GateBlocked where a gate gave none or blocked, where gate 1 judged again after gate 2, or where the run is blocked.
    """
    (state,) = conn.execute("select state from quality.runs where run_id = %s for update", [run_id]).fetchone() or (
        None,
    )
    last = {
        gate: (entry_no, verdict, candidates or {})
        for gate, entry_no, verdict, candidates in conn.execute(
            "select distinct on (detail -> 'gate') (detail ->> 'gate')::integer, entry_no, detail ->> 'verdict',"
            " detail -> 'candidates' from quality.ledger"
            " where event = 'verdict' and detail ->> 'run_id' = %s::text and detail ->> 'fence' = %s"
            " order by detail -> 'gate', entry_no desc",
            [run_id, fence],
        )
    }
    rerun = "run the night of this date again, from the start."
    for gate in (1, 2):
        entry_no, verdict, _ = last.get(gate, (None, None, None))
        if entry_no is None:
            raise _refused(run_id, fence, f"gate {gate} gave no verdict on this run under this fence", rerun)
        if verdict != "passed":
            raise _refused(
                run_id,
                fence,
                f"gate {gate} blocked this run (ledger entry {entry_no})",
                "see ./kaw findings; let the source deliver again or waive what blocks, then " + rerun,
            )
    if last[1][0] > last[2][0]:
        raise _refused(run_id, fence, "gate 1 judged again after gate 2", rerun)
    if state not in ("passed", "published"):  # published: the same publish once more, after a kill
        raise _refused(run_id, fence, f"the run is recorded as {state or 'never begun'}", rerun)
    return Verdicts(last[1][0], last[2][0], last[2][2])


def _refused(run_id: int, fence: str, why: str, next_step: str) -> GateBlocked:
    return GateBlocked(
        f"Nothing was published: {why}.",
        where=f"run {run_id}, fence {fence or 'none'}; quality.ledger",
        next_step=next_step,
    )


def published_without_verdicts(conn: psycopg.Connection, versions: dict[date, int]) -> dict[date, int]:
    """Those of the versions whose publish has no passing verdict of both gates before it in the ledger.

    Entries of the first releases name no fence and say `state` instead of `verdict`: blocked, or else what came next. Version 0
    shows nothing and needs none.
    """
    return dict(
        conn.execute(
            """
            select asked.month, asked.version
            from unnest(%s::date[], %s::integer[]) as asked (month, version)
            where asked.version > 0 and not exists (
                select 1
                from quality.ledger as published
                where
                    published.event = 'publish'
                    and published.detail #>> array['versions', to_char(asked.month, 'YYYY-MM'), 'version']
                    = asked.version::text
                    and 2 = (
                        select count(*)
                        from (values ('1'), ('2')) as gates (gate)
                        cross join lateral (
                            select coalesce(
                                verdicts.detail ->> 'verdict',
                                case when verdicts.detail ->> 'state' = 'blocked' then 'blocked' else 'passed' end
                            ) as verdict
                            from quality.ledger as verdicts
                            where
                                verdicts.event = 'verdict'
                                and verdicts.detail ->> 'run_id' = published.detail ->> 'run_id'
                                and verdicts.detail ->> 'gate' = gates.gate
                                and verdicts.detail ->> 'fence' is not distinct from published.detail ->> 'fence'
                                and verdicts.entry_no < published.entry_no
                            order by verdicts.entry_no desc
                            limit 1
                        ) as last
                        where last.verdict = 'passed'
                    )
            )
            order by asked.month
            """,
            [list(versions), list(versions.values())],
        ).fetchall()
    )
