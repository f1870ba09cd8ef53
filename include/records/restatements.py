"""Restatements: what a load replaced of what was in force, where that was unusual or its days and months are exchanged."""

from __future__ import annotations

import json

import psycopg
from psycopg import sql


def add_restatement(
    connection: psycopg.Connection, load_id: int, table_name: str, *, pairs: list, exchanged: list, **counts
) -> None:
    """`counts` are in_force_rows, replaced_rows, is_unusual, days, first_day and last_day."""
    values = {"load_id": load_id, "table_name": table_name} | counts
    values |= {
        "pairs": json.dumps(pairs, ensure_ascii=False, default=str),
        "exchanged": json.dumps(exchanged, default=str),
    }
    connection.execute(
        f"insert into quality.restatements ({', '.join(values)}) values ({', '.join(f'%({name})s' for name in values)})",
        values,
    )


def supersede(connection: psycopg.Connection, load_id: int, table_name: str, replaced: sql.Composable) -> None:
    """Restatements of earlier loads of the table that this load answers; `replaced` is a condition on `restated`."""
    connection.execute(
        sql.SQL(
            "update quality.restatements as restated set superseded_by = {load}"
            " where table_name = {table} and superseded_by is null and load_id < {load} and {replaced}"
        ).format(load=load_id, table=table_name, replaced=replaced)
    )
