"""Rejected rows: what a source delivered and raw cannot hold, as text, until a later load answers it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import psycopg


def add_rejected_rows(connection: psycopg.Connection, load_id: int, rows: Iterable[dict], key: str) -> None:
    """Rows of one load: source, table, file, line, column, value, reason, key and row (both JSON), key_is_good.

    `key` is SQL of the columns of a good key over `%(key)s`: it gives the same digest as the keys in raw have.
    """
    query = (
        "insert into quality.rejected_rows (load_id, source_name, table_name, file_name, file_line, column_name,"
        " value_text, reason, record_key, row_text, _key) values (%(load)s, %(source)s, %(table)s, %(file)s, %(line)s,"
        " %(column)s, %(value)s, %(reason)s, %(key)s::jsonb, %(row)s::jsonb,"
        f" case when %(key_is_good)s then md5(record_send(row({key})))::uuid end)"
    )
    with connection.cursor() as cursor:
        cursor.executemany(query, [{"load": load_id} | row for row in rows])


def supersede(connection: psycopg.Connection, load_id: int, answered: str, values: dict) -> None:
    """Rejected rows that load `load_id` answers; `answered` is a condition on `earlier`, of those that nothing answered yet."""
    connection.execute(
        "update quality.rejected_rows as earlier set superseded_by = %(answered_by)s"
        f" where earlier.superseded_by is null and ({answered})",
        values | {"answered_by": load_id},
    )


def replace_text(connection: psycopg.Connection, place: str, value: str | None, row: dict) -> None:
    """Another text for the row at `place` (its ctid): once, when clear text moves into the vault."""
    connection.execute(
        "update quality.rejected_rows set value_text = %s, row_text = %s::jsonb where ctid = %s::tid",
        [value, json.dumps(row, ensure_ascii=False), place],
    )
