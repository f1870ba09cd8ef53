"""Pointers: which version of each month readers see. Every move is on record, and may change which version closed a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg


@dataclass(frozen=True)
class Withheld:
    """What was withheld at a publish: rows, their share of them and of all admitted, energy and amount at stake."""

    rows: int
    share: Decimal
    kwh: Decimal
    cny: Decimal


def point(
    conn: psycopg.Connection,
    versions: dict[date, int],
    *,
    changed: dict[date, int],
    business_date: date,
    run_id: int,
    withheld: Withheld,
    actor: str,
) -> None:
    """Months show these versions as a run of a business date has them. `changed` are those that showed another: month -> it."""
    conn.execute(
        "insert into publish.pointer_moves (published_month, event, from_version, to_version, run_id, business_date,"
        " moved_at, actor) select n.month, 'publish', n.old_version, n.version, %s, %s, now(), %s"
        " from unnest(%s::date[], %s::integer[], %s::integer[]) as n (month, old_version, version)",
        [run_id, business_date, actor, list(changed), list(changed.values()), [versions[month] for month in changed]],
    )
    conn.execute(
        "insert into publish.pointer (published_month, version, business_date, run_id, published_at, withheld_rows,"
        " withheld_share, withheld_kwh, withheld_cny) select n.month, n.version, %s, %s, now(), %s, %s, %s, %s"
        " from unnest(%s::date[], %s::integer[]) as n (month, version)"
        " on conflict (published_month) do update set version = excluded.version, business_date = excluded.business_date,"
        " run_id = excluded.run_id, published_at = excluded.published_at, withheld_rows = excluded.withheld_rows,"
        " withheld_share = excluded.withheld_share, withheld_kwh = excluded.withheld_kwh,"
        " withheld_cny = excluded.withheld_cny",
        [
            business_date,
            run_id,
            withheld.rows,
            withheld.share,
            withheld.kwh,
            withheld.cny,
            list(versions),
            list(versions.values()),
        ],
    )
    conn.execute("select publish.note_closing()")
    conn.execute("select publish.note_managers()")


def pin(conn: psycopg.Connection, versions: dict[date, int], *, approver: str, reason: str) -> None:
    """Months show earlier versions, each with the last business date that found it true, and stay there until released."""
    conn.execute(
        "insert into publish.pointer_moves (published_month, event, from_version, to_version, run_id, business_date,"
        " moved_at, actor) select p.published_month, 'roll_back', p.version, n.version, p.run_id, p.business_date, now(),"
        " %s from publish.pointer as p inner join unnest(%s::date[], %s::integer[]) as n (month, version)"
        " on p.published_month = n.month",
        [approver, list(versions), list(versions.values())],
    )
    conn.execute(
        "update publish.pointer as p set version = n.version, pinned_by = %s, pinned_reason = %s, pinned_at = now(),"
        " business_date = coalesce((select max(v.last_business_date) from publish.versions as v"
        " where v.published_month = n.month and v.version = n.version), p.business_date)"
        " from unnest(%s::date[], %s::integer[]) as n (month, version) where p.published_month = n.month",
        [approver, reason, list(versions), list(versions.values())],
    )
    conn.execute("select publish.note_closing()")
    conn.execute("select publish.note_managers()")


def unpin(conn: psycopg.Connection, *, approver: str) -> dict[date, int]:
    """No month is pinned any more; what readers see stays. Returns the months that were, with the version that each shows."""
    rows = conn.execute(
        "update publish.pointer set pinned_by = null, pinned_reason = null, pinned_at = null where pinned_by is not null"
        " returning published_month, version, run_id, business_date"
    ).fetchall()
    for month, version, run_id, known in sorted(rows):
        conn.execute(
            "insert into publish.pointer_moves (published_month, event, from_version, to_version, run_id, business_date,"
            " moved_at, actor) values (%s, 'release', %s, %s, %s, %s, now(), %s)",
            [month, version, version, run_id, known, approver],
        )
    return {month: version for month, version, *_ in sorted(rows)}
