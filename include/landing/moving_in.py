"""Homes of before: clear text of persons moves from raw, staged and rejected rows into the vault, once. The key is not the database's."""

from __future__ import annotations

import re

import psycopg
from psycopg import sql

from include.contracts import Table, all_tables
from include.landing import personal
from include.landing.land import content_columns
from include.records import rejected_rows, vault
from include.records.database import connect
from include.transform.models import MODELS, staging_relation

STAGING = MODELS / "staging"


def move_in(address: str) -> None:
    """What the owner of a warehouse does after a migration; where it was done before it only looks.

    Keys, order and versions of rows stay; their hash is made anew, so that what is delivered again is a duplicate. Raises what
    `vault.pseudonyms` raises.
    """
    with connect(address) as connection:
        if connection.execute("select moved_in_at from vault.key where moved_in_at is not null").fetchone():
            return
        connection.execute("lock table vault.key in exclusive mode")
        names = vault.pseudonyms(connection)
        names.is_moving_in = True
        moved = [relation for table in _tables() for relation in _move(connection, table, names)]
        connection.execute("update vault.key set moved_in_at = clock_timestamp()")
        connection.commit()
        connection.autocommit = True
        for relation in moved:  # what was there before an update is on the disk until then
            connection.execute(sql.SQL("vacuum {}").format(sql.SQL(relation)))


def _tables() -> list[Table]:
    return [table for table in all_tables().values() if table.identifying_columns]


def _move(connection: psycopg.Connection, table: Table, names: vault.Pseudonyms) -> list[str]:
    """Relations in which something was replaced."""
    listed = ", ".join(table.identifying_columns)
    told = connection.execute(f"select distinct told from {table.raw_name}, unnest(array[{listed}]) as told").fetchall()
    new = {text: names.of(text) for (text,) in told if text is not None}
    new = {text: pseudonym for text, pseudonym in new.items() if pseudonym != text}
    moved = ["quality.rejected_rows"] if _move_rejected(connection, table, names) else []
    vault.store(connection, names.texts)
    if not new:
        return moved
    connection.execute("create temp table moved (told text primary key, pseudonym text) on commit drop")
    with connection.cursor() as cursor, cursor.copy("copy moved from stdin") as copy:
        for line in new.items():
            copy.write_row(line)
    connection.execute("analyze moved")
    _replace(connection, table.raw_name, table.identifying_columns)
    connection.execute(
        f"update {table.raw_name} set _hash = md5(record_send(row({', '.join(content_columns(table))})))::uuid"
        " where not _is_tombstone"
    )
    moved.append(table.raw_name)
    staged = staging_relation(table)
    if connection.execute("select to_regclass(%s) is not null", [staged]).fetchone()[0]:
        _replace(connection, staged, [_staged_as(table, column) for column in table.identifying_columns])
        moved.append(staged)
    connection.execute("drop table moved")
    return moved


def _replace(connection: psycopg.Connection, relation: str, columns: list[str]) -> None:
    for column in columns:
        connection.execute(
            f"update {relation} as held set {column} = moved.pseudonym from moved"
            f" where held.{column} = moved.told or held.{column} = btrim(moved.told) and btrim(held.{column}) = held.{column}"
        )


def _staged_as(table: Table, column: str) -> str:
    """The name that a column has in staging."""
    model = staging_relation(table).removeprefix("staging.")
    (path,) = STAGING.rglob(f"{model}.sql")
    found = re.search(rf"^\s*(?:trim\()?{column}\)? as (\w+)", path.read_text(), re.MULTILINE)
    return found[1] if found else column


def _move_rejected(connection: psycopg.Connection, table: Table, names: vault.Pseudonyms) -> bool:
    rows = connection.execute(
        "select ctid::text, column_name, value_text, row_text from quality.rejected_rows where table_name = %s",
        [table.name],
    ).fetchall()
    for place, column, value, text in rows:
        if set(text) == {"line"}:
            text = {"line": names.of(text["line"])}
        else:
            text = {c.name: text.get(c.name) for c in table.columns}
            for name in table.identifying_columns:
                text[name] = names.of(text[name])
            personal.hide_rejected(table, [text], names)
            value = value and text[column]
        rejected_rows.replace_text(connection, place, value, text)
    return bool(rows)
