"""The stable table and the stable views of each mart: made once, then only ever widened under their readers.

They belong to the owner: publish.ensure_mart makes them, to the shape of the candidate, and the publisher may create nothing else.
"""

from __future__ import annotations

import json

import psycopg
from psycopg import sql

from include.errors import InfrastructureError
from include.publish.content import candidate_types
from include.publish.marts import RESERVED, Mart, column_types

READERS_WAIT = "10s"  # a changed view waits this long for readers at most, and readers behind it no longer


def ensure_tables(conn: psycopg.Connection, marts: list[Mart]) -> dict[str, dict[str, str]]:
    """Bring `publish.<mart>` and the views of `marts` on it to the shape of the candidates; returns the candidates' column types.

    An added column is added; a removed or retyped one raises InfrastructureError, for readers rely on it.
    """
    conn.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(READERS_WAIT)))
    types = candidate_types(conn, marts)
    for mart in marts:
        present = column_types(conn, "publish", mart.name)
        published = {name: type_ for name, type_ in present.items() if name not in RESERVED}
        _refuse_lost_columns(mart, published, types[mart.name])
        try:
            conn.execute("select publish.ensure_mart(%s)", [json.dumps(_told(mart), ensure_ascii=False)])
        except psycopg.errors.LockNotAvailable:
            raise InfrastructureError(
                f"The new columns of {mart.name} could not be added: a long query is reading it.",
                where=f"marts.{mart.name}",
                next_step="let that query end, and run again.",
            ) from None
    return types


def _told(mart: Mart) -> dict:
    return {
        "name": mart.name,
        "relation": mart.relation,
        "columns": mart.columns,
        "columns_in_order": list(mart.columns),
        "grain": mart.grain,
        "renamed": mart.renamed,
        "announced": mart.announced,
        "description": mart.description,
        "scope": mart.scope,
        "shows_newest": mart.shows_newest,
    }


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
