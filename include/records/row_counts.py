"""How many rows a run staged of each table, in which state each delivered row is, and how many rows are in force."""

from __future__ import annotations

import psycopg

STATES = "delivered, admitted, waived, quarantined, blocked_by_parent, superseded, duplicate, rejected"
IN_FORCE = "table_name, before_rows, new_rows, withdrawn_rows, in_force_rows, pending_rows"


def replace_staged_rows(connection: psycopg.Connection, run_id: int, rows: dict[str, int]) -> None:
    """Table -> current rows, instead of what the run counted before."""
    connection.execute("delete from quality.staged_rows where run_id = %s", (run_id,))
    connection.execute(
        "insert into quality.staged_rows (run_id, table_name, rows)"
        " select %s, table_name, rows from unnest(%s::text[], %s::bigint[]) as counted (table_name, rows)",
        (run_id, list(rows), list(rows.values())),
    )


def replace_conservation(connection: psycopg.Connection, run_id: int, receipts: list[str]) -> None:
    """Rows of each receipt by state, instead of what the run counted before; queries of load_id, table_name and `STATES`."""
    connection.execute("delete from quality.conservation where run_id = %s", (run_id,))
    for query in receipts:
        connection.execute(
            f"insert into quality.conservation (run_id, load_id, table_name, {STATES})"
            f" select %s, counted.* from ({query}) as counted",
            (run_id,),
        )


def replace_rows_in_force(connection: psycopg.Connection, run_id: int, tables: list[str], values: dict) -> None:
    """Rows in force of each table, instead of what the run counted before; queries over `values` of `IN_FORCE`."""
    connection.execute("delete from quality.rows_in_force where run_id = %s", (run_id,))
    for query in tables:
        connection.execute(
            f"insert into quality.rows_in_force (run_id, {IN_FORCE}) select %(run)s, counted.* from ({query}) as counted",
            values | {"run": run_id},
        )
