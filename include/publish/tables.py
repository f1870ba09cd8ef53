"""The stable table and the stable views of each mart: made once, then only ever widened under their readers."""

from __future__ import annotations

import psycopg
from psycopg import sql

from include.errors import InfrastructureError
from include.publish.content import candidate_types
from include.publish.marts import Mart, column_types
from include.records.versions import add_column, make_table, note_scope

READERS_WAIT = "10s"  # a changed view waits this long for readers at most, and readers behind it no longer


def ensure_tables(conn: psycopg.Connection, marts: list[Mart]) -> dict[str, dict[str, str]]:
    """Bring `publish.<mart>` and the views of `marts` on it to the shape of the candidates; returns the candidates' column types.

    An added column is added; a removed or retyped one raises InfrastructureError, for readers rely on it.
    """
    conn.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(READERS_WAIT)))
    types = candidate_types(conn, marts)
    for mart in marts:
        try:
            _ensure_table(conn, mart, types[mart.name])
            _ensure_views(conn, mart)
            note_scope(conn, mart.name, mart.scope)
        except psycopg.errors.LockNotAvailable:
            raise InfrastructureError(
                f"The new columns of {mart.name} could not be added: a long query is reading it.",
                where=f"marts.{mart.name}",
                next_step="let that query end, and run again.",
            ) from None
    return types


def _ensure_table(conn: psycopg.Connection, mart: Mart, wanted: dict[str, str]) -> None:
    present = column_types(conn, "publish", mart.name)
    if not present:
        make_table(conn, mart.name, wanted, mart.grain)
    else:
        published = {name: type_ for name, type_ in present.items() if name not in ("published_month", "version")}
        _refuse_lost_columns(mart, published, wanted)
        for name in [name for name in wanted if name not in published]:
            add_column(conn, mart.name, name, wanted[name])


def _refuse_lost_columns(mart: Mart, published: dict[str, str], wanted: dict[str, str]) -> None:
    removed = [name for name in published if name not in wanted]
    retyped = [
        f"{n} from {published[n]} to {wanted[n]}" for n in published if n in wanted and published[n] != wanted[n]
    ]
    if removed or retyped:
        what = [f"removes {', '.join(removed)}"] if removed else []
        what += [f"changes {', '.join(retyped)}"] if retyped else []
        raise InfrastructureError(
            f"The mart {mart.name} {' and '.join(what)}; readers of marts.{mart.name} rely on it.",
            where=f"models/marts, model {mart.name}; published table publish.{mart.name}",
            next_step="keep the column as it was, and give the new one a new name.",
        )


# A dimension is what it is on D: readers see the version of the newest month that a night has reached, and no older one
# beside it. A plan may be published for a month after D, of which no dimension has a row.
NEWEST_MONTH = """ and pointer.published_month = (
    select max(months.published_month) from publish.pointer as months
    where months.version > 0 and months.published_month <= (select max(known.business_date) from publish.pointer as known)
)"""


def _ensure_views(conn: psycopg.Connection, mart: Mart) -> None:
    """`marts.<mart>` shows what is known now, `marts.<mart>_at_close` what was known when each month closed.

    Former names of columns and names to come are last, but before a column that is added later: a view that readers use
    can only grow.
    """
    sources = {name: name for name in column_types(conn, "publish", mart.name)} | mart.renamed | mart.announced
    for name, chosen in ((mart.name, "pointer"), (mart.name_at_close, "closing")):
        present = list(column_types(conn, "marts", name))
        is_newest = mart.shows_newest and chosen == "pointer"
        columns = [column for column in present if column in sources]
        columns += [column for column in sources if column not in present]
        if present != columns or is_newest != _shows_newest(conn, name):
            conn.execute(
                sql.SQL(
                    "create or replace view {view} with (security_invoker = true) as select {columns} from {table} as versions"
                    " inner join publish.{chosen} on versions.published_month = {chosen}.published_month"
                    " and versions.version = {chosen}.version{newest}"
                ).format(
                    newest=sql.SQL(NEWEST_MONTH if is_newest else ""),
                    view=sql.Identifier("marts", name),
                    table=mart.published,
                    chosen=sql.Identifier(chosen),
                    columns=sql.SQL(", ").join(
                        sql.SQL("{} as {}").format(sql.Identifier("versions", sources[column]), sql.Identifier(column))
                        for column in columns
                    ),
                )
            )
    former = {old: f"Former name of {new}, until the next release." for old, new in mart.renamed.items()}
    coming = {new: f"Name of {old} from the next release on." for new, old in mart.announced.items()}
    texts = mart.columns | former | coming
    _ensure_comments(conn, mart.name, mart.description, texts)
    at_close = f"As known when each month closed; a month that is not over has no row. {mart.description}".strip()
    _ensure_comments(conn, mart.name_at_close, at_close, texts)


def _shows_newest(conn: psycopg.Connection, view: str) -> bool:
    """Whether the view, as it is in the database, is cut to the newest month."""
    query = "select pg_get_viewdef(to_regclass(format('marts.%%I', %s::text))) like '%%max(months.published_month)%%'"
    return bool(conn.execute(query, [view]).fetchone()[0])


def _ensure_comments(conn: psycopg.Connection, view: str, description: str, columns: dict[str, str]) -> None:
    wanted = {
        **columns,
        "published_month": "Month of the row, as listed in marts.publication.",
        "version": "Version of that month.",
    }
    present = dict(
        conn.execute(
            "select coalesce(a.attname, ''), d.description from pg_description as d"
            " left join pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid and a.attnum > 0"
            " where d.classoid = 'pg_class'::regclass and d.objoid = format('marts.%%I', %s::text)::regclass",
            [view],
        ).fetchall()
    )
    if description and present.get("") != description:
        conn.execute(
            sql.SQL("comment on view {} is {}").format(sql.Identifier("marts", view), sql.Literal(description))
        )
    for name, text in wanted.items():
        if text and present.get(name) != text:
            conn.execute(
                sql.SQL("comment on column {} is {}").format(sql.Identifier("marts", view, name), sql.Literal(text))
            )
