"""Versions of published months: the rows of each mart under publish.<mart>, and the record of what a version holds.

A version that was copied and never published leaves rows that no pointer names; its number is used again.
"""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg import sql


def add_rows(
    conn: psycopg.Connection, mart: str, columns: list[str], rows: sql.Composable, wanted: dict[date, int]
) -> int:
    """Rows of a mart for the months that get these versions; returns how many.

    `rows` is a query of the month they belong to, as `_published_month`, and of the columns.
    """
    return conn.execute(
        sql.SQL(
            "insert into {table} (published_month, version, {columns}) select rows._published_month, wanted.version, {listed}"
            " from ({rows}) as rows inner join unnest(%s::date[], %s::integer[]) as wanted (month, version)"
            " on rows._published_month = wanted.month"
        ).format(
            table=sql.Identifier("publish", mart),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            listed=sql.SQL(", ").join(sql.Identifier("rows", name) for name in columns),
            rows=rows,
        ),
        [list(wanted), list(wanted.values())],
    ).rowcount


def carry_rows(
    conn: psycopg.Connection, mart: str, columns: list[str], before: dict[date, int], wanted: dict[date, int]
) -> int:
    """The rows of a mart that months have in the versions of before, once more for their new versions; returns how many."""
    return conn.execute(
        sql.SQL(
            "insert into {table} (published_month, version, {columns}) select rows.published_month, wanted.version, {listed}"
            " from {table} as rows"
            " inner join unnest(%s::date[], %s::integer[], %s::integer[]) as wanted (month, old_version, version)"
            " on rows.published_month = wanted.month and rows.version = wanted.old_version"
        ).format(
            table=sql.Identifier("publish", mart),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            listed=sql.SQL(", ").join(sql.Identifier("rows", name) for name in columns),
        ),
        [list(wanted), [before[month] for month in wanted], list(wanted.values())],
    ).rowcount


def delete_rows(conn: psycopg.Connection, mart: str, versions: list[tuple[date, int]]) -> None:
    """The rows that a mart has of these months' versions."""
    conn.execute(
        sql.SQL(
            "delete from {} as v using unnest(%s::date[], %s::integer[]) as gone (month, version)"
            " where v.published_month = gone.month and v.version = gone.version"
        ).format(sql.Identifier("publish", mart)),
        _columns(versions, 2),
    )


def add_versions(
    conn: psycopg.Connection,
    *,
    business_date: date,
    run_id: int,
    marts: list[tuple[date, int, str, int, str, str | None, str]],
) -> None:
    """What new versions hold: month, version, mart, rows, hash, the key of an example, and as JSON which rows are partial."""
    conn.execute(
        "insert into publish.versions (published_month, version, mart, business_date, last_business_date, run_id, rows,"
        " hash, example_key, partial, published_at)"
        " select n.month, n.version, n.mart, %s, %s, %s, n.rows, n.hash, n.example_key, n.partial::jsonb, now()"
        " from unnest(%s::date[], %s::integer[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[])"
        " as n (month, version, mart, rows, hash, example_key, partial)",
        [business_date, business_date, run_id, *_columns(marts, 7)],
    )


def note_still_true(conn: psycopg.Connection, versions: list[tuple[date, int]], business_date: date) -> None:
    """A later business date found these months' versions true."""
    conn.execute(
        "update publish.versions as v set last_business_date = greatest(v.last_business_date, %s)"
        " from unnest(%s::date[], %s::integer[]) as n (month, version)"
        " where v.published_month = n.month and v.version = n.version",
        [business_date, *_columns(versions, 2)],
    )


def note_deleted(conn: psycopg.Connection, versions: list[tuple[date, int]]) -> None:
    """Retention took the rows of these versions away; the record of what they held stays."""
    conn.execute(
        "update publish.versions as v set deleted_at = now() from unnest(%s::date[], %s::integer[]) as old (month, version)"
        " where v.published_month = old.month and v.version = old.version",
        _columns(versions, 2),
    )


def _columns(rows: list[tuple], width: int) -> list[list]:
    """Rows as columns, for unnest."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
