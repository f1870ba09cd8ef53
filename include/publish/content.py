"""What the candidates hold, month by month: gate 2 notes it with its verdict, and a publish is held to that note."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import psycopg
from psycopg import sql

from include.errors import InfrastructureError
from include.publish.marts import EMPTY_HASH, Mart, column_types, example_key, hash_of_rows, is_published, month_of
from include.records.versions import is_row_of


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


def candidate_types(conn: psycopg.Connection, marts: list[Mart]) -> dict[str, dict[str, str]]:
    """Mart -> described column -> type in the candidate. Raises InfrastructureError where a mart or a column is not built."""
    types = {}
    for mart in marts:
        built = column_types(conn, *mart.relation)
        missing = [name for name in mart.columns if name not in built]
        if missing:
            what = f"The candidate of {mart.name} has no column {', '.join(missing)}."
            raise InfrastructureError(
                what if built else f"The mart {mart.name} is not built.",
                where=".".join(mart.relation),
                next_step="build the marts again, from the same code.",
            )
        types[mart.name] = {name: built[name] for name in mart.columns}
    return types


def built_content(
    conn: psycopg.Connection, marts: list[Mart], types: dict[str, dict[str, str]], business_date: date
) -> dict[str, dict[date, Content]]:
    """Mart -> month -> rows and hash, of the candidates as they are now; a month without a row is not listed."""
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
    return built


def candidate_digests(built: dict[str, dict[date, Content]]) -> dict[str, str]:
    """Mart -> SHA-256 over the months of its candidate and their hashes; what gate 2's verdict carries."""
    return {
        name: sha256_of(f"{month:%Y-%m} {content.hash}\n" for month, content in sorted(months.items()))
        for name, months in sorted(built.items())
    }


def new_content(
    conn: psycopg.Connection, built: dict[str, dict[date, Content]], pointers: dict[date, Pointer]
) -> dict[date, dict[str, Content]]:
    """Rows and hash of each month and mart that a new version would hold.

    A mart that builds fewer months back than another keeps what it has published of the older ones. A month that is
    published, would be built, and has no row any more becomes an empty version.
    """
    built_months = {month for by_month in built.values() for month in by_month}
    months = sorted(built_months | {m for m in pointers if built_months and m > min(built_months)})
    published = published_content(conn, {m: pointers[m].version for m in months if m in pointers})
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


def published_content(conn: psycopg.Connection, versions: dict[date, int]) -> dict[date, dict[str, Content]]:
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


def partial_rows(
    conn: psycopg.Connection, marts: list[Mart], types: dict[str, dict[str, str]], versions: dict[date, int]
) -> dict[tuple[date, str], dict]:
    """(month, mart) -> `{rows, measures: {name: rows}}` of these stored versions that lack something withheld or absent.

    A mart without such a row in a month, or without the columns that tell it, is not listed.
    """
    found: dict[tuple[date, str], dict] = {}
    for mart in marts:
        if not {"is_partial", "partial_measures"} <= types[mart.name].keys():
            continue
        query = sql.SQL(
            "select rows.published_month, measure, count(*) from {table} as rows"
            " inner join unnest(%s::date[], %s::integer[]) as wanted (month, version)"
            " on rows.published_month = wanted.month and {held},"
            " unnest(array_append(rows.partial_measures, null)) as measure"
            " where rows.is_partial group by 1, 2 order by 1, 2"
        ).format(table=mart.published, held=is_row_of("rows", "wanted"))
        for month, measure, rows in conn.execute(query, [list(versions), list(versions.values())]):
            entry = found.setdefault((month, mart.name), {"rows": 0, "measures": {}})
            if measure is None:  # the row itself, whatever it lacks
                entry["rows"] = rows
            else:
                entry["measures"][measure] = rows
    return found


def differs(candidate: dict[str, Content], published: dict[str, Content]) -> bool:
    names = candidate.keys() | published.keys()
    return any(candidate.get(n, Content()).hash != published.get(n, Content()).hash for n in names)


def sha256_of(lines: Iterable[str]) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()
