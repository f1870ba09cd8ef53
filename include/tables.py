"""Rows of a read-only query, for a terminal, as CSV, or for a program."""
from __future__ import annotations

import csv
import sys
from typing import TextIO

import psycopg

from include.database import connect
from include.errors import UsageError

TIMEOUT_S = 300


def read_rows(url: str, query: str, values: list | None = None) -> tuple[list[str], list[tuple]]:
    """Column names and rows. The session is read-only; a query that writes, or is wrong, is a usage error."""
    with connect(url) as connection:
        connection.execute("set default_transaction_read_only = on")
        connection.commit()
        connection.execute(f"set statement_timeout = '{TIMEOUT_S}s'")
        try:
            cursor = connection.execute(query, values or None, prepare=True)  # a prepared statement is one statement
            names = [c.name for c in cursor.description or []]
            return names, cursor.fetchall() if names else []
        except psycopg.Error as error:
            connection.rollback()
            raise UsageError(
                f"The query was refused: {error.diag.message_primary or error}",
                next_step="./kaw sql reads only; look up names in information_schema.columns.",
            ) from None


def write_csv(names: list[str], rows: list[tuple], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if v is None else v for v in row] for row in rows)


def print_rows(names: list[str], rows: list) -> None:
    """An aligned table on the terminal; long values are shortened there, never in --csv or --json."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*("" if v is None else str(v) for v in row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
