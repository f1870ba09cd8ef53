"""What a delivery says of persons goes into the vault; raw and rejected rows get its pseudonym."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pyarrow as pa

from include.contracts import Table
from include.landing.cast import fits
from include.landing.delivery import Delivery
from include.records import vault
from include.records.vault import Pseudonyms


def without_clear_text(connection: psycopg.Connection, delivery: Delivery) -> tuple[Delivery, Pseudonyms | None]:
    """The delivery with pseudonyms in its identifying columns, and in place of lines that could not be split.

    None where its table has no such column: such a table costs nothing.
    """
    columns = delivery.table.identifying_columns
    if not columns:
        return delivery, None
    names = vault.pseudonyms(connection)
    rows = delivery.rows
    for column in columns:
        coded = rows.column(column).combine_chunks().dictionary_encode()
        told = pa.array([names.of(text) for text in coded.dictionary.to_pylist()], pa.string())
        rows = rows.set_column(rows.column_names.index(column), column, told.take(coded.indices))
    malformed = [(line, names.of(text)) for line, text in delivery.malformed]
    return replace(delivery, rows=rows, malformed=malformed), names


def hide_rejected(table: Table, rows: list[dict], names: Pseudonyms) -> None:
    """Rejected rows, as they are to be kept: a name may have slipped into any column, so only the key and what fits stays."""
    for column in table.columns:
        if column.is_identifying or column.name in table.key:
            continue
        values = pa.array([row[column.name] for row in rows], pa.string())
        good = [False] * len(rows) if column.is_text else fits(values, column.physical_type)[0].to_pylist()
        for row, is_good in zip(rows, good, strict=True):
            if not is_good:
                row[column.name] = names.of(row[column.name])


def store(
    connection: psycopg.Connection, delivery: Delivery, load_id: int, names: Pseudonyms, *, is_all_new: bool
) -> None:
    """The clear text of what this load brought into raw and among the rejected rows."""
    if is_all_new:
        vault.store(connection, names.texts)
        return
    table = delivery.table
    wanted = connection.execute(
        f"select told from {table.raw_name}, unnest(array[{', '.join(table.identifying_columns)}]) as told"
        " where _load_id = %(load)s and not _is_tombstone union select told from quality.rejected_rows,"
        " jsonb_each_text(row_text) as each (name, told) where load_id = %(load)s",
        {"load": load_id},
    )
    vault.store(connection, {told: names.texts[told] for (told,) in wanted if told in names.texts})
