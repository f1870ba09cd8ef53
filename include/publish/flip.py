"""Publish a run: copy the months that changed under a new version, then move their pointers in one short transaction.

Pointers move only against the passing verdicts of both gates on this run under this fence, and only to what gate 2 judged:
its verdict carries a digest of each candidate mart, and what was copied has the hashes of those. There is no way around it.

Readers join the pointer, so they see every mart of a month at its old version or every one at its new one. Whatever ends
the copying half-way leaves rows that no pointer names; the next publish removes them first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import GateBlocked, InfrastructureError, UsageError
from include.publish.content import (
    Content,
    Pointer,
    built_content,
    candidate_digests,
    differs,
    new_content,
    published_content,
)
from include.publish.history import PUBLISHER, delete_old_versions
from include.publish.marts import EMPTY_HASH, Mart, hash_of_rows, is_published, month_of, read_marts
from include.publish.tables import ensure_tables
from include.publish.verdicts import Verdicts, passed_both
from include.records import ledger
from include.records.database import acting_role, connect


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


class NotJudged(InfrastructureError):
    """A candidate is not what gate 2 judged: it was built or edited after the verdict."""


def publish(url: str, run_id: int, business_date: date, fence: str, manifest_path: Path) -> PublishResult:
    """Publish the candidate marts as what is known on `business_date`. Safe to repeat, and after a kill at any moment.

    The run is recorded as published in the transaction that moves the pointers. Raises GateBlocked without passing verdicts
    of both gates on this run under this fence, and NotJudged where a candidate is not what gate 2 judged: both refusals are
    entries of the ledger. Raises UsageError where every candidate month is already published as of a later date,
    InfrastructureError where a later run has taken the fence or a mart lost a column.
    """
    try:
        return _publish(url, run_id, business_date, fence or "", manifest_path)
    except (GateBlocked, NotJudged) as refused:
        detail = {"run_id": run_id, "business_date": business_date, "fence": fence, "reason": refused.what}
        with connect(url, role=acting_role(url, PUBLISHER)) as conn:
            ledger.append(conn, "publish_refused", detail)
        ledger.write_head(url)
        raise


def _publish(url: str, run_id: int, business_date: date, fence: str, manifest_path: Path) -> PublishResult:
    started = time.monotonic()
    marts = read_marts(manifest_path)
    with _writing(url, fence) as conn:  # tables and views belong to the owner
        verdicts = passed_both(conn, run_id, fence)
        types = ensure_tables(conn, marts)
    role = acting_role(url, PUBLISHER)
    with _writing(url, fence, role) as conn:
        pointers = _pointers(conn)
        built = built_content(conn, marts, types, business_date)
        _hold_to(verdicts, candidate_digests(built))
        content = new_content(conn, built, pointers)
        pinned = [m for m in content if m in pointers and pointers[m].pinned_by]
        later = [m for m in content if m in pointers and pointers[m].business_date > business_date and m not in pinned]
        open_months = [m for m in content if m not in pinned and m not in later]
        if later and not open_months:
            raise UsageError(
                f"Nothing to publish: every month is already published as of {max(pointers[m].business_date for m in later)},"
                f" later than {business_date}.",
                where=f"business date {business_date}",
                next_step="run the later date again; corrections of earlier days reach the marts through it.",
            )
        known = published_content(conn, {m: pointers[m].version for m in open_months if m in pointers})
        changed = [m for m in open_months if m not in pointers or differs(content[m], known.get(m, {}))]
        next_versions = _next_versions(conn, list(content))
        _delete_leftovers(conn, marts, next_versions)
        versions = {m: next_versions[m] for m in changed}
    rows = 0
    for mart in marts if versions else []:
        with _writing(url, fence, role) as conn:
            rows += _copy(conn, mart, types[mart.name], versions, content, pointers, business_date)
    unchanged = [m for m in open_months if m not in versions]
    flip_started = time.monotonic()
    with _writing(url, fence, role) as conn:
        if passed_both(conn, run_id, fence) != verdicts:
            raise NotJudged(
                "Nothing was published: a gate judged again meanwhile.",
                where=f"run {run_id}, fence {fence or 'none'}; quality.ledger",
                next_step="run the night of this date again, from the start.",
            )
        _move_pointers(conn, run_id, business_date, fence, verdicts, versions, unchanged, content, pointers)
    flip_seconds = time.monotonic() - flip_started
    ledger.write_head(url)
    delete_old_versions(url, fence)
    return PublishResult(
        months=changed,
        versions=versions,
        unchanged_months=unchanged,
        rows=rows,
        seconds=time.monotonic() - started,
        pinned_months=pinned,
        later_known_months=later,
        flip_seconds=flip_seconds,
    )


@contextmanager
def _writing(url: str, fence: str, role: str | None = None) -> Iterator[psycopg.Connection]:
    """One fenced transaction, one at a time. The fence's row stays locked in it, so no later run starts in between."""
    try:
        with connect(url, fence=fence, role=role) as conn:
            conn.execute("select pg_advisory_xact_lock(hashtext('kaw publish'))")
            conn.execute("select quality.assert_fence()")
            yield conn
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise InfrastructureError(
            f"Nothing was published: {error.diag.message_primary}.",
            where=f"fence {fence}",
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


def _delete_leftovers(conn: psycopg.Connection, marts: list[Mart], next_versions: dict[date, int]) -> None:
    """Rows of a version that was copied and never published; they carry the number that is free next."""
    for mart in marts:
        conn.execute(
            sql.SQL(
                "delete from {} as v using unnest(%s::date[], %s::integer[]) as n (month, version)"
                " where v.published_month = n.month and v.version = n.version"
            ).format(mart.published),
            [list(next_versions), list(next_versions.values())],
        )


def _copy(
    conn: psycopg.Connection,
    mart: Mart,
    types: dict[str, str],
    versions: dict[date, int],
    content: dict[date, dict[str, Content]],
    pointers: dict[date, Pointer],
    business_date: date,
) -> int:
    """Rows copied of the mart; raises NotJudged where they have other hashes than the candidates had."""
    names = list(types)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    fresh = [m for m in versions if not content[m][mart.name].carried]
    carried = [m for m in versions if content[m][mart.name].carried]
    copied = conn.execute(
        sql.SQL(
            "insert into {table} (published_month, version, {columns})"
            " select rows.{month}, wanted.version, {listed}"
            " from (select {build} as {month}, candidate.* from {candidate} as candidate where {shown}) as rows"
            " inner join unnest(%s::date[], %s::integer[]) as wanted (month, version) on rows.{month} = wanted.month"
        ).format(
            table=mart.published,
            columns=columns,
            month=sql.Identifier("_published_month"),
            listed=sql.SQL(", ").join(sql.Identifier("rows", name) for name in names),
            build=month_of(mart, business_date),
            candidate=mart.candidate,
            shown=is_published(mart, business_date),
        ),
        [fresh, [versions[m] for m in fresh]],
    ).rowcount
    if carried:
        copied += conn.execute(
            sql.SQL(
                "insert into {table} (published_month, version, {columns})"
                " select rows.published_month, wanted.version, {listed} from {table} as rows"
                " inner join unnest(%s::date[], %s::integer[], %s::integer[]) as wanted (month, old_version, version)"
                " on rows.published_month = wanted.month and rows.version = wanted.old_version"
            ).format(
                table=mart.published,
                columns=columns,
                listed=sql.SQL(", ").join(sql.Identifier("rows", name) for name in names),
            ),
            [carried, [pointers[m].version for m in carried], [versions[m] for m in carried]],
        ).rowcount
    query = sql.SQL(
        "select rows.published_month, {hash}, count(*) from {table} as rows"
        " inner join unnest(%s::date[], %s::integer[]) as wanted (_month, _version)"
        " on rows.published_month = wanted._month and rows.version = wanted._version group by 1"
    ).format(hash=hash_of_rows(mart, types), table=mart.published)
    stored = {m: held for m, *held in conn.execute(query, [list(versions), list(versions.values())])}
    if other := [m for m in versions if not _holds(content[m][mart.name], *stored.get(m, (EMPTY_HASH, 0)))]:
        raise NotJudged(
            f"Nothing was published: the candidate of {mart.name} changed while it was copied.",
            where=f"{'.'.join(mart.relation)}, months {', '.join(f'{m:%Y-%m}' for m in other)}",
            next_step="let nothing else write to the candidates, and run the night of this date again, from the start.",
        )
    return copied


def _holds(content: Content, stored_hash: str, stored_rows: int) -> bool:
    """Carried rows may lack a column that their mart got since, and then have another hash than when they were new."""
    return stored_rows == content.rows and (content.carried or stored_hash == content.hash)


def _move_pointers(
    conn: psycopg.Connection,
    run_id: int,
    business_date: date,
    fence: str,
    verdicts: Verdicts,
    versions: dict[date, int],
    unchanged: list[date],
    content: dict[date, dict[str, Content]],
    seen: dict[date, Pointer],
) -> None:
    """The flip: pointers, version records, moves, the run's state and the ledger's entry, in the caller's transaction."""
    months = sorted([*versions, *unchanged])
    present = _pointers(conn)
    if any(present.get(m) != seen.get(m) for m in months):
        raise InfrastructureError(
            "Nothing was published: a roll-back or another publish moved a pointer meanwhile.",
            where="publish.pointer",
            next_step="run again.",
        )
    numbers = {m: versions.get(m) or seen[m].version for m in months}
    withheld = _withheld(conn, run_id)
    conn.execute(
        "insert into publish.versions (published_month, version, mart, business_date, last_business_date, run_id, rows,"
        " hash, example_key, published_at) select n.month, n.version, n.mart, %s, %s, %s, n.rows, n.hash, n.example_key, now()"
        " from unnest(%s::date[], %s::integer[], %s::text[], %s::bigint[], %s::text[], %s::text[])"
        " as n (month, version, mart, rows, hash, example_key)",
        [
            business_date,
            business_date,
            run_id,
            *_columns(
                [
                    (m, versions[m], name, c.rows, c.hash, c.example_key)
                    for m in versions
                    for name, c in content[m].items()
                ],
                6,
            ),
        ],
    )
    conn.execute(
        "update publish.versions as v set last_business_date = greatest(v.last_business_date, %s)"
        " from unnest(%s::date[], %s::integer[]) as n (month, version)"
        " where v.published_month = n.month and v.version = n.version",
        [business_date, unchanged, [numbers[m] for m in unchanged]],
    )
    conn.execute(
        "insert into publish.pointer_moves (published_month, event, from_version, to_version, run_id, business_date,"
        " moved_at, actor) select n.month, 'publish', n.old_version, n.version, %s, %s, now(), %s"
        " from unnest(%s::date[], %s::integer[], %s::integer[]) as n (month, old_version, version)",
        [
            run_id,
            business_date,
            ledger.current_actor(),
            *_columns([(m, seen[m].version if m in seen else 0, versions[m]) for m in versions], 3),
        ],
    )
    conn.execute(
        "insert into publish.pointer (published_month, version, business_date, run_id, published_at, withheld_rows,"
        " withheld_share, withheld_kwh, withheld_cny) select n.month, n.version, %s, %s, now(), %s, %s, %s, %s"
        " from unnest(%s::date[], %s::integer[]) as n (month, version)"
        " on conflict (published_month) do update set version = excluded.version, business_date = excluded.business_date,"
        " run_id = excluded.run_id, published_at = excluded.published_at, withheld_rows = excluded.withheld_rows,"
        " withheld_share = excluded.withheld_share, withheld_kwh = excluded.withheld_kwh,"
        " withheld_cny = excluded.withheld_cny",
        [business_date, run_id, *withheld, months, [numbers[m] for m in months]],
    )
    conn.execute("select publish.note_closing()")
    conn.execute(
        "update quality.runs set state = 'published', finished_at = now() where run_id = %s and state = 'passed'",
        [run_id],
    )
    ledger.append(
        conn,
        "publish",
        {
            "run_id": run_id,
            "business_date": business_date,
            "fence": fence,
            "verdicts": [verdicts.gate_1, verdicts.gate_2],
            "versions": {
                f"{m:%Y-%m}": {
                    "version": versions[m],
                    "hashes": {name: c.hash for name, c in sorted(content[m].items())},
                }
                for m in versions
            },
            "unchanged_months": [f"{m:%Y-%m}" for m in unchanged],
            "withheld_share": withheld[1],
        },
    )


def _columns(rows: list[tuple], width: int) -> list[list]:
    """Rows as columns, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _withheld(conn: psycopg.Connection, run_id: int) -> tuple:
    """Rows, share, kWh and yuan that are withheld now; the share is of them and all rows admitted."""
    return conn.execute(
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
