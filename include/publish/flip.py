"""Publish a run: copy the months that changed under a new version, then move their pointers in one short transaction.

Pointers move only against the passing verdicts of both gates on this run under this fence, and only to what gate 2 judged:
its verdict carries a digest of each candidate mart, and what was copied has the hashes of those. There is no way around it.

Readers join the pointer, so they see every mart of a month at its old version or every one at its new one. Whatever ends
the copying half-way leaves rows that no pointer names; the next publish removes them first.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import GateBlocked, InfrastructureError, LedgerBroken, UsageError
from include.publish.content import (
    Content,
    Pointer,
    built_content,
    candidate_digests,
    differs,
    new_content,
    partial_rows,
    published_content,
)
from include.publish.history import PUBLISHER, delete_old_versions
from include.publish.marts import EMPTY_HASH, Mart, content_of_row, hash_of_rows, is_published, month_of, read_marts
from include.publish.tables import ensure_tables
from include.publish.verdicts import Verdicts, passed_both
from include.records import ledger, locks, logins, runs
from include.records.pointers import Withheld, point
from include.records.versions import add_versions, delete_begun, exchange_rows, is_row_of, note_still_true, stored_rows
from include.records.warehouse import Warehouse

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishResult:
    """`versions` holds the new version of each month in `months`; `rows` were copied; months left alone say why."""

    months: list[date]
    versions: dict[date, int]
    unchanged_months: list[date]
    rows: int
    seconds: float
    pinned_months: list[date] = field(default_factory=list)
    later_known_months: list[date] = field(default_factory=list)
    flip_seconds: float = 0.0

    def __str__(self) -> str:
        left = {"pinned by a roll-back": self.pinned_months, "known by a later date": self.later_known_months}
        others = "".join(f", {len(months)} {why}" for why, months in left.items() if months)
        return (
            f"{len(self.versions)} months changed, {len(self.unchanged_months)} unchanged{others}, {self.rows:,} rows"
        )


class NotJudged(InfrastructureError):
    """A candidate is not what gate 2 judged: it was built or edited after the verdict."""


def publish(warehouse: Warehouse, run_id: int, business_date: date, manifest_path: Path) -> PublishResult:
    """Publish the candidate marts as what is known on `business_date`. Safe to repeat, and after a kill at any moment.

    The run is recorded as published in the transaction that moves the pointers. Raises GateBlocked without passing verdicts
    of both gates on this run under the warehouse's fence, NotJudged where a candidate is not what gate 2 judged, LedgerBroken
    where the ledger was tampered with: these refusals are entries of the ledger. Raises UsageError where every candidate month
    is already published as of a later date, InfrastructureError where a later run has taken the fence or a mart lost a column.
    """
    try:
        ledger.require_intact(warehouse.address)
        return _publish(warehouse, run_id, business_date, manifest_path)
    except (GateBlocked, LedgerBroken, NotJudged) as refused:
        detail = {"run_id": run_id, "business_date": business_date, "fence": warehouse.fence, "reason": refused.what}
        with warehouse.fenced("").as_role(PUBLISHER).connect() as conn:
            ledger.append(conn, "publish_refused", detail)
        ledger.write_head(warehouse.address)
        raise


def _publish(warehouse: Warehouse, run_id: int, business_date: date, manifest_path: Path) -> PublishResult:
    started = time.monotonic()
    marts = read_marts(manifest_path)
    publisher = warehouse.as_role(PUBLISHER)
    with _writing(publisher) as conn:
        verdicts = passed_both(conn, run_id, warehouse.fence)
        types = ensure_tables(conn, marts)
    with _writing(publisher) as conn:
        shown = _pointers(conn)
        built = built_content(conn, marts, types, business_date)
        _hold_to(verdicts, candidate_digests(built))
        content = new_content(conn, built, shown)
        pinned = [m for m in content if m in shown and shown[m].pinned_by]
        later = [m for m in content if m in shown and shown[m].business_date > business_date and m not in pinned]
        open_months = [m for m in content if m not in pinned and m not in later]
        if later and not open_months:
            raise UsageError(
                f"Nothing to publish: every month is already published as of {max(shown[m].business_date for m in later)},"
                f" later than {business_date}.",
                where=f"business date {business_date}",
                next_step="run the later date again; corrections of earlier days reach the marts through it.",
            )
        known = published_content(conn, {m: shown[m].version for m in open_months if m in shown})
        changed = [m for m in open_months if m not in shown or differs(content[m], known.get(m, {}))]
        next_versions = _next_versions(conn, list(content))
        for mart in marts:  # a version that was copied and never published has the number that is free next
            delete_begun(conn, mart.name, list(next_versions.items()))
        numbers = {m: next_versions[m] for m in changed}
    rows = 0
    for mart in marts if numbers else []:
        with _writing(publisher) as conn:
            rows += _copy(conn, mart, types[mart.name], numbers, content, shown, business_date)
    with _writing(publisher) as conn:
        partial = partial_rows(conn, marts, types, numbers)
    unchanged = [m for m in open_months if m not in numbers]
    flip_started = time.monotonic()
    with _writing(publisher) as conn:
        if passed_both(conn, run_id, warehouse.fence) != verdicts:
            raise NotJudged(
                "Nothing was published: a gate judged again meanwhile.",
                where=f"run {run_id}, fence {warehouse.fence or 'none'}; quality.ledger",
                next_step="run the night of this date again, from the start.",
            )
        _move_pointers(
            conn, run_id, business_date, warehouse.fence, verdicts, numbers, unchanged, content, partial, shown
        )
    flip_seconds = time.monotonic() - flip_started
    ledger.write_head(warehouse.address)
    try:  # it is published: what is left over is taken away by the next one
        delete_old_versions(publisher)
        for login, why in logins.drop_who_left(publisher.fenced("")).items():
            log.warning("the login %s of a manager who left sees nothing, and could not be dropped: %s", login, why)
    except psycopg.Error:
        log.exception("older versions or the logins of managers who left could not be taken away")
    return PublishResult(
        months=changed,
        versions=numbers,
        unchanged_months=unchanged,
        rows=rows,
        seconds=time.monotonic() - started,
        pinned_months=pinned,
        later_known_months=later,
        flip_seconds=flip_seconds,
    )


@contextmanager
def _writing(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """One fenced transaction, one at a time. The fence's row stays locked in it, so no later run starts in between."""
    try:
        with warehouse.connect() as conn:
            locks.hold(conn, "publish")
            conn.execute("select quality.assert_fence()")
            yield conn
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise InfrastructureError(
            f"Nothing was published: {error.diag.message_primary}.",
            where=f"fence {warehouse.fence}",
            next_step="let the later run finish; it publishes what this one would have.",
        ) from error


def _pointers(conn: psycopg.Connection) -> dict[date, Pointer]:
    rows = conn.execute(
        "select published_month, version, business_date, pinned_by from publish.pointer order by 1"
    ).fetchall()
    return {month: Pointer(version, known, pinned_by) for month, version, known, pinned_by in rows}


def _hold_to(verdicts: Verdicts, candidates: dict[str, str]) -> None:
    differing = sorted(
        n for n in candidates.keys() | verdicts.candidates.keys() if candidates.get(n) != verdicts.candidates.get(n)
    )
    if differing:
        said = "1 candidate is" if len(differing) == 1 else f"{len(differing)} candidates are"
        raise NotJudged(
            f"Nothing was published: {said} not what gate 2 judged: {', '.join(differing[:5])}.",
            where=f"candidate tables; ledger entry {verdicts.gate_2}",
            next_step="let nothing else write to the candidates, and run the night of this date again, from the start.",
        )


def _next_versions(conn: psycopg.Connection, months: list[date]) -> dict[date, int]:
    """The next free version of these months and of every month ever published."""
    rows = conn.execute(
        "select month, max(version) + 1 from (select published_month as month, version from publish.versions"
        " union all select month, 0 from unnest(%s::date[]) as m (month)) as known group by month",
        [months],
    ).fetchall()
    return dict(rows)


def _copy(
    conn: psycopg.Connection,
    mart: Mart,
    types: dict[str, str],
    numbers: dict[date, int],
    content: dict[date, dict[str, Content]],
    shown: dict[date, Pointer],
    business_date: date,
) -> int:
    """Rows written of the mart; raises NotJudged where the new versions have other hashes than the candidates had."""
    carried = {m: shown[m].version for m in numbers if content[m][mart.name].carried}
    built = sql.SQL(
        "select {month} as _published_month, {columns} from {candidate} as candidate where {shown} and not {month} = any({carried}::date[])"
    ).format(
        month=month_of(mart, business_date),
        columns=sql.SQL(", ").join(map(sql.Identifier, types)),
        candidate=mart.candidate,
        shown=is_published(mart, business_date),
        carried=sql.Literal(list(carried)),
    )
    rows = sql.SQL("{} union all {}").format(built, stored_rows(mart.name, list(types), carried))
    written = exchange_rows(conn, mart.name, list(types), rows, content_of_row(mart, types), numbers)
    query = sql.SQL(
        "select rows.published_month, {hash}, count(*) from {table} as rows"
        " inner join unnest(%s::date[], %s::integer[]) as wanted (_month, version) on rows.published_month = wanted._month"
        " where {held} group by 1"
    ).format(hash=hash_of_rows(mart, types), table=mart.published, held=is_row_of("rows", "wanted"))
    stored = {m: held for m, *held in conn.execute(query, [list(numbers), list(numbers.values())])}
    if other := [m for m in numbers if not _holds(content[m][mart.name], *stored.get(m, (EMPTY_HASH, 0)))]:
        raise NotJudged(
            f"Nothing was published: the candidate of {mart.name} changed while it was copied.",
            where=f"{'.'.join(mart.relation)}, months {', '.join(f'{m:%Y-%m}' for m in other)}",
            next_step="let nothing else write to the candidates, and run the night of this date again, from the start.",
        )
    return written


def _holds(content: Content, stored_hash: str, stored_rows: int) -> bool:
    """Carried rows may lack a column that their mart got since, and then have another hash than when they were new."""
    return stored_rows == content.rows and (content.carried or stored_hash == content.hash)


def _move_pointers(
    conn: psycopg.Connection,
    run_id: int,
    business_date: date,
    fence: str,
    verdicts: Verdicts,
    new: dict[date, int],
    unchanged: list[date],
    content: dict[date, dict[str, Content]],
    partial: dict[tuple[date, str], dict],
    seen: dict[date, Pointer],
) -> None:
    """The flip: pointers, version records, moves, the run's state and the ledger's entry, in the caller's transaction."""
    months = sorted([*new, *unchanged])
    present = _pointers(conn)
    if any(present.get(m) != seen.get(m) for m in months):
        raise InfrastructureError(
            "Nothing was published: a roll-back or another publish moved a pointer meanwhile.",
            where="publish.pointer",
            next_step="run again.",
        )
    withheld = _withheld(conn, run_id)
    held = [
        (
            m,
            new[m],
            name,
            c.rows,
            c.hash,
            c.example_key,
            json.dumps(partial.get((m, name), {"rows": 0, "measures": {}})),
        )
        for m in new
        for name, c in content[m].items()
    ]
    add_versions(conn, business_date=business_date, run_id=run_id, marts=held)
    note_still_true(conn, [(m, seen[m].version) for m in unchanged], business_date)
    point(
        conn,
        {m: new.get(m) or seen[m].version for m in months},
        changed={m: seen[m].version if m in seen else 0 for m in new},
        business_date=business_date,
        run_id=run_id,
        withheld=withheld,
        actor=ledger.current_actor(),
    )
    runs.note_published(conn, run_id)
    ledger.append(
        conn,
        "publish",
        {
            "run_id": run_id,
            "business_date": business_date,
            "fence": fence,
            "verdicts": [verdicts.gate_1, verdicts.gate_2],
            "versions": {
                f"{m:%Y-%m}": {"version": new[m], "hashes": {name: c.hash for name, c in sorted(content[m].items())}}
                for m in new
            },
            "unchanged_months": [f"{m:%Y-%m}" for m in unchanged],
            "withheld_share": withheld.share,
        },
    )


def _withheld(conn: psycopg.Connection, run_id: int) -> Withheld:
    """Rows, share, kWh and yuan that are withheld now; the share is of them and all rows admitted."""
    row = conn.execute(
        """
        select
            withheld.rows,
            coalesce(round(withheld.rows::numeric / nullif(withheld.rows + kept.rows, 0), 8), 0),
            withheld.kwh,
            withheld.cny
        from (
            select
                count(*) as rows,
                coalesce(sum(energy_at_stake_kwh), 0) as kwh,
                coalesce(sum(amount_at_stake_cny), 0) as cny
            from quality.withheld
        ) as withheld
        cross join (
            select coalesce(sum(admitted + waived), 0)::bigint as rows
            from quality.conservation
            where run_id = %s
        ) as kept
        """,
        [run_id],
    ).fetchone()
    return Withheld(*row)
