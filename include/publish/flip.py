"""Publish a run: copy the months that changed under a new version, then move their pointers in one short transaction.

Readers join the pointer, so they see every mart of a month at its old version or every one at its new one. Whatever ends
the copying half-way leaves rows that no pointer names; the next publish removes them first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import InfrastructureError, UsageError
from include.publish.history import PUBLISHER, delete_old_versions
from include.publish.marts import EMPTY_HASH, Mart, example_key, hash_of_rows, is_published, month_of, read_marts
from include.publish.tables import ensure_tables
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


@dataclass(frozen=True)
class Content:
    """What a month holds of a mart. `carried` rows come from the published version: the mart no longer builds that month."""

    rows: int = 0
    hash: str = EMPTY_HASH
    example_key: str | None = None
    carried: bool = False


@dataclass(frozen=True)
class Pointer:
    version: int
    business_date: date
    pinned_by: str | None


def publish(url: str, run_id: int, business_date: date, fence: str, manifest_path: Path) -> PublishResult:
    """Publish the candidate marts as what is known on `business_date`. Safe to repeat, and after a kill at any moment.

    Raises UsageError where every candidate month is already published as of a later date, InfrastructureError where a
    later run has taken the fence or a mart lost a column.
    """
    started = time.monotonic()
    marts = read_marts(manifest_path)
    with _writing(url, fence) as conn:  # tables and views belong to the owner
        types = ensure_tables(conn, marts)
    role = acting_role(url, PUBLISHER)
    with _writing(url, fence, role) as conn:
        pointers = _pointers(conn)
        content = _candidate_content(conn, marts, types, business_date, pointers)
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
        known = _published_content(conn, {m: pointers[m].version for m in open_months if m in pointers})
        changed = [m for m in open_months if m not in pointers or _differs(content[m], known.get(m, {}))]
        next_versions = _next_versions(conn, list(content))
        _delete_leftovers(conn, marts, next_versions)
        versions = {m: next_versions[m] for m in changed}
    rows = 0
    for mart in marts if versions else []:
        with _writing(url, fence, role) as conn:
            rows += _copy(conn, mart, list(types[mart.name]), versions, content, pointers, business_date)
    unchanged = [m for m in open_months if m not in versions]
    flip_started = time.monotonic()
    with _writing(url, fence, role) as conn:
        _move_pointers(conn, run_id, business_date, versions, unchanged, content, pointers)
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
        with connect(url, fence=fence or "", role=role) as conn:
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


def _candidate_content(
    conn: psycopg.Connection, marts: list[Mart], types: dict, business_date: date, pointers: dict[date, Pointer]
) -> dict[date, dict[str, Content]]:
    """Rows and hash of each month and mart that a new version would hold.

    A mart that builds fewer months back than another keeps what it has published of the older ones. A month that is
    published, would be built, and has no row any more becomes an empty version.
    """
    built: dict[str, dict[date, Content]] = {}
    for mart in marts:
        query = sql.SQL(
            "select {month} as month, count(*), {hash}, {key} from {candidate} where {shown} group by 1"
        ).format(
            month=month_of(mart, business_date),
            hash=hash_of_rows(mart, types[mart.name]),
            key=example_key(mart),
            candidate=mart.candidate,
            shown=is_published(mart, business_date),
        )
        built[mart.name] = {month: Content(*held) for month, *held in conn.execute(query).fetchall()}
    built_months = {month for by_month in built.values() for month in by_month}
    months = sorted(built_months | {m for m in pointers if built_months and m > min(built_months)})
    published = _published_content(conn, {m: pointers[m].version for m in months if m in pointers})
    content: dict[date, dict[str, Content]] = {month: {} for month in months}
    for name, by_month in built.items():
        first_built = min(by_month, default=None)
        for month in months:
            before = published.get(month, {}).get(name)
            if before and first_built and month < first_built:
                content[month][name] = replace(before, carried=True)
            else:
                content[month][name] = by_month.get(month, Content())
    return content


def _published_content(conn: psycopg.Connection, versions: dict[date, int]) -> dict[date, dict[str, Content]]:
    rows = conn.execute(
        "select v.published_month, v.mart, v.rows, v.hash, v.example_key from publish.versions as v"
        " inner join unnest(%s::date[], %s::integer[]) as w (month, version)"
        " on v.published_month = w.month and v.version = w.version",
        [list(versions), list(versions.values())],
    ).fetchall()
    content: dict[date, dict[str, Content]] = {}
    for month, mart, *held in rows:
        content.setdefault(month, {})[mart] = Content(*held)
    return content


def _differs(candidate: dict[str, Content], published: dict[str, Content]) -> bool:
    names = candidate.keys() | published.keys()
    return any(candidate.get(n, Content()).hash != published.get(n, Content()).hash for n in names)


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
    names: list[str],
    versions: dict[date, int],
    content: dict[date, dict[str, Content]],
    pointers: dict[date, Pointer],
    business_date: date,
) -> int:
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
    expected = sum(content[m][mart.name].rows for m in versions)
    if copied != expected:
        raise InfrastructureError(
            f"The candidate of {mart.name} changed while it was published: {copied} rows copied, {expected} hashed.",
            where=".".join(mart.relation),
            next_step="let no other run build into the candidates, and run again.",
        )
    return copied


def _move_pointers(
    conn: psycopg.Connection,
    run_id: int,
    business_date: date,
    versions: dict[date, int],
    unchanged: list[date],
    content: dict[date, dict[str, Content]],
    seen: dict[date, Pointer],
) -> None:
    """The flip: pointers, version records, moves and the ledger's entry, in the caller's transaction."""
    months = sorted([*versions, *unchanged])
    present = _pointers(conn)
    if any(present.get(m) != seen.get(m) for m in months):
        raise InfrastructureError(
            "Nothing was published: a roll-back or another publish moved a pointer meanwhile.",
            where="publish.pointer",
            next_step="run again.",
        )
    numbers = {m: versions.get(m) or seen[m].version for m in months}
    held = _held_back(conn, run_id)
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
        "insert into publish.pointer (published_month, version, business_date, run_id, published_at, held_back_rows,"
        " held_back_share, held_back_kwh, held_back_cny) select n.month, n.version, %s, %s, now(), %s, %s, %s, %s"
        " from unnest(%s::date[], %s::integer[]) as n (month, version)"
        " on conflict (published_month) do update set version = excluded.version, business_date = excluded.business_date,"
        " run_id = excluded.run_id, published_at = excluded.published_at, held_back_rows = excluded.held_back_rows,"
        " held_back_share = excluded.held_back_share, held_back_kwh = excluded.held_back_kwh,"
        " held_back_cny = excluded.held_back_cny",
        [business_date, run_id, *held, months, [numbers[m] for m in months]],
    )
    conn.execute("select publish.note_closing()")
    ledger.append(
        conn,
        "publish",
        {
            "run_id": run_id,
            "business_date": business_date,
            "versions": {
                f"{m:%Y-%m}": {
                    "version": versions[m],
                    "hashes": {name: c.hash for name, c in sorted(content[m].items())},
                }
                for m in versions
            },
            "unchanged_months": [f"{m:%Y-%m}" for m in unchanged],
            "held_back_share": held[1],
        },
    )


def _columns(rows: list[tuple], width: int) -> list[list]:
    """Rows as columns, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _held_back(conn: psycopg.Connection, run_id: int) -> tuple:
    """Rows, share, kWh and yuan that are quarantined or held now; the share is of them and all rows admitted."""
    return conn.execute(
        """
        select
            held.rows,
            coalesce(round(held.rows::numeric / nullif(held.rows + kept.rows, 0), 8), 0),
            held.kwh,
            held.cny
        from (
            select
                count(*) as rows,
                coalesce(sum(energy_at_stake_kwh), 0) as kwh,
                coalesce(sum(amount_at_stake_cny), 0) as cny
            from quality.kept_back
        ) as held
        cross join (
            select coalesce(sum(admitted + waived), 0)::bigint as rows
            from quality.conservation
            where run_id = %s
        ) as kept
        """,
        [run_id],
    ).fetchone()
