"""Versions of published months: the rows of each mart under publish.<mart>, and the record of what a version holds.

A row is stored once while it stays what it is: from its `version` until `until_version`, the first that no longer has it (null:
the newest has it). A version that was copied and never published leaves rows that no pointer names; its number is used again.
"""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg import sql


def is_row_of(rows: str, wanted: str) -> sql.Composable:
    """SQL condition on the rows of a mart under one alias: the version of the other alias holds them."""
    return sql.SQL("publish.has_row({wanted}.version, {rows}.version, {rows}.until_version)").format(
        rows=sql.Identifier(rows), wanted=sql.Identifier(wanted)
    )


def exchange_rows(
    conn: psycopg.Connection,
    mart: str,
    columns: list[str],
    rows: sql.Composable,
    content: sql.Composable,
    new: dict[date, int],
) -> int:
    """Brings the months of a mart to their new versions, one above their newest, and returns how many rows were written.

    `rows` is a query of what the new versions hold: the month as `_published_month`, and the columns. `content` is SQL over the
    columns that tells rows apart: a row that the newest version has too stays as it is, one that it has no more ends with it.
    """
    return conn.execute(
        sql.SQL(
            """
            with wanted (_month, _version) as (select * from unnest(%s::date[], %s::integer[])),
            fresh as materialized (
                select wanted._version, rows.*, {content} as _content
                from ({rows}) as rows inner join wanted on rows._published_month = wanted._month
            ),
            stored as materialized (
                select versions.ctid as _row, wanted._month, wanted._version, versions.until_version, {content} as _content
                from {table} as versions
                inner join wanted on versions.published_month = wanted._month and versions.version < wanted._version
                where versions.until_version is null or versions.until_version >= wanted._version
            ),
            settled as (
                update {table} as versions
                set until_version = case when fresh._content is null then stored._version end
                from stored left join fresh on stored._month = fresh._published_month and stored._content = fresh._content
                where
                    versions.ctid = stored._row
                    and stored.until_version is distinct from case when fresh._content is null then stored._version end
            )
            insert into {table} (published_month, version, {columns})
            select fresh._published_month, fresh._version, {listed}
            from fresh
            where not exists (
                select 1 from stored where stored._month = fresh._published_month and stored._content = fresh._content
            )
            """
        ).format(
            table=sql.Identifier("publish", mart),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            listed=sql.SQL(", ").join(sql.Identifier("fresh", name) for name in columns),
            rows=rows,
            content=content,
        ),
        [list(new), list(new.values())],
    ).rowcount


def stored_rows(mart: str, columns: list[str], versions: dict[date, int]) -> sql.Composable:
    """A query of the rows of a mart in these versions: the month as `_published_month`, and the columns."""
    return sql.SQL(
        "select versions.published_month as _published_month, {listed} from {table} as versions"
        " inner join unnest({months}::date[], {numbers}::integer[]) as shown (month, version)"
        " on versions.published_month = shown.month where {held}"
    ).format(
        listed=sql.SQL(", ").join(sql.Identifier("versions", name) for name in columns),
        table=sql.Identifier("publish", mart),
        months=sql.Literal(list(versions)),
        numbers=sql.Literal(list(versions.values())),
        held=is_row_of("versions", "shown"),
    )


def delete_begun(conn: psycopg.Connection, mart: str, versions: list[tuple[date, int]]) -> None:
    """The rows that began with these months' versions: they were copied and never published."""
    conn.execute(
        sql.SQL(
            "delete from {} as v using unnest(%s::date[], %s::integer[]) as gone (month, version)"
            " where v.published_month = gone.month and v.version = gone.version"
        ).format(sql.Identifier("publish", mart)),
        _columns(versions, 2),
    )


def delete_unheld(conn: psycopg.Connection, mart: str, months: list[date]) -> None:
    """The rows of these months that no version holds any more whose rows stay."""
    conn.execute(
        sql.SQL(
            "delete from {} as v where v.published_month = any(%s) and v.until_version is not null and not exists ("
            "select 1 from publish.versions as kept where kept.published_month = v.published_month and kept.deleted_at is null"
            " and {})"
        ).format(sql.Identifier("publish", mart), is_row_of("v", "kept")),
        [months],
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
