"""Rows of a read-only query, for a terminal, as CSV, or for a program."""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from typing import TextIO

import psycopg
from rich.cells import cell_len

from include.errors import UsageError
from include.records.warehouse import Warehouse

LEGIBLE = 12  # characters; a column that must be narrower tells nothing


def read_rows(warehouse: Warehouse, query: str, values: list | None = None) -> tuple[list[str], list[tuple]]:
    """Column names and rows, of the warehouse as a reader has it. A query that writes, or is wrong, is a usage error."""
    if not query.strip():
        raise UsageError("The query is empty.", next_step='write it like ./kaw sql "select * from marts.publication".')
    with warehouse.connect() as connection:
        try:
            cursor = connection.execute(query, values or None, prepare=True)  # a prepared statement is one statement
            names = [c.name for c in cursor.description or []]
            return names, cursor.fetchall() if names else []
        except psycopg.Error as error:
            connection.rollback()
            raise UsageError(
                f"The query was refused: {error.diag.message_primary or error}",
                next_step="./kaw sql reads only, and raw and staged rows with --personal; look up names in information_schema.columns.",
            ) from None


def text_of(value: object) -> str:
    """A value as SQL writes it: a key as JSON, that can be given to `./kaw waive` again, and a number without an exponent."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def write_csv(names: list[str], rows: list[tuple], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([text_of(value) for value in row] for row in rows)


def print_rows(names: list[str], rows: list) -> None:
    """An aligned table on the terminal; where its columns would be too narrow to read, one line for each value.

    Long values are shortened there, never in --csv or --json. A value is text, whatever brackets a source delivered in it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 200)
    cells = [[_one_line(text_of(value)) for value in row] for row in rows]
    widths = [max(cell_len(line[n]) for line in [names, *cells]) for n in range(len(names))]
    widest = _widest(widths, console.width - 2 * (len(names) - 1))
    if rows and widest < min(LEGIBLE, max(widths)):
        for number, line in enumerate(cells, 1):
            console.print(Text(f"-- row {number}", style="bold"))
            for name, cell in zip(names, line, strict=True):
                console.print(Text(f"{name:<{max(map(cell_len, names))}}  {cell}"), no_wrap=True, overflow="ellipsis")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, width in zip(names, widths, strict=True):
        table.add_column(Text(name), overflow="ellipsis", no_wrap=True, width=min(width, widest))
    for line in cells:
        table.add_row(*map(Text, line))
    console.print(table)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _widest(widths: list[int], room: int) -> int:
    """The width to which the longest columns are shortened, so that all fit into the room and the short ones stay whole."""
    for place, width in enumerate(ordered := sorted(widths)):
        share = max(room, 0) // (len(ordered) - place)
        if width > share:
            return share
        room -= width
    return max(widths, default=0)
