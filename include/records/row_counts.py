"""How many rows a run staged of each table, in which state each delivered row is, and how many rows are in force."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

STATES = "delivered, admitted, waived, quarantined, blocked_by_parent, superseded, duplicate, rejected"
_NEW_RECEIPTS = """
    select receipts.table_name, array_agg(receipts.load_id)
    from quality.receipts as receipts
    cross join quality.current_run as run
    left join quality.receipt_states as counted on receipts.load_id = counted.load_id
    where
        receipts.state = 'landed' and receipts.business_date <= run.business_date
        and (counted.load_id is null or counted.delivered <> receipts.delivered_rows + receipts.tombstone_rows)
    group by receipts.table_name
"""
IN_FORCE = "table_name, before_rows, new_rows, withdrawn_rows, in_force_rows, pending_rows"

_LATER_RECEIPTS = """
    select receipts.table_name, array_agg(receipts.load_id)
    from quality.receipts as receipts
    inner join quality.runs on runs.run_id = %(run)s
    where
        receipts.business_date <= runs.business_date and receipts.load_id <= runs.last_load_id
        and (receipts.business_date > %(day)s or receipts.load_id > %(load)s)
    group by receipts.table_name
"""


def replace_staged_rows(connection: psycopg.Connection, run_id: int, rows: dict[str, int]) -> None:
    """Table -> current rows, instead of what the run counted before."""
    connection.execute("delete from quality.staged_rows where run_id = %s", (run_id,))
    connection.execute(
        "insert into quality.staged_rows (run_id, table_name, rows)"
        " select %s, table_name, rows from unnest(%s::text[], %s::bigint[]) as counted (table_name, rows)",
        (run_id, list(rows), list(rows.values())),
    )


@dataclass(frozen=True)
class Counted:
    """How the rows of a table are counted by state: `receipts` asks which receipts to count, `states` counts `%(receipts)s` of them.

    `receipts` is told the receipts that were never counted, `%(new)s`, and the run that counted last, `%(counted_by)s`.

    `states` yields load_id, table_name, `STATES` and the keys in force; `staging` is the model that stages the table.
    """

    table_name: str
    staging: str
    receipts: str
    states: str


def replace_conservation(connection: psycopg.Connection, run_id: int, tables: list[Counted]) -> None:
    """Counts anew what a run may have changed, and notes the sums of each table, instead of what the run noted before.

    Where receipts of later dates were counted, the business date went back and all receipts are counted.
    """
    connection.execute(
        "delete from quality.receipt_states where exists (select 1 from quality.receipts as receipts"
        " cross join quality.current_run as run inner join quality.receipt_states as counted on receipts.load_id = counted.load_id"
        " where receipts.business_date > run.business_date)"
    )
    staged_by = dict(connection.execute("select model, code from transform.builds").fetchall())
    # as values and no query: of a list that the planner does not know it expects too much, and reads a raw table whole
    new = dict(connection.execute(_NEW_RECEIPTS).fetchall())
    (counted_by,) = connection.execute(
        "select coalesce(max(run_id), 0) from quality.conservation where run_id < %s", (run_id,)
    ).fetchone()
    for table in tables:
        values = {"run": run_id, "counted_by": counted_by, "new": new.get(table.table_name, [])}
        values["staged_by"] = staged_by.get(table.staging)
        values["receipts"] = [load_id for (load_id,) in connection.execute(table.receipts, values)]
        connection.execute("delete from quality.receipt_states where load_id = any (%(receipts)s)", values)
        connection.execute(
            f"insert into quality.receipt_states (run_id, staged_by, load_id, table_name, {STATES}, in_force)"
            f" select %(run)s, %(staged_by)s, counted.* from ({table.states}) as counted",
            values,
        )
    sums = ", ".join(f"sum({state})" for state in STATES.split(", "))
    connection.execute("delete from quality.conservation where run_id = %s", (run_id,))
    connection.execute(
        f"insert into quality.conservation (run_id, table_name, {STATES})"
        f" select %s, table_name, {sums} from quality.receipt_states group by table_name",
        (run_id,),
    )


def replace_rows_in_force(connection: psycopg.Connection, run_id: int, tables: dict[str, str], values: dict) -> None:
    """Rows in force of each table, instead of what the run counted before; queries over `values` of `IN_FORCE`.

    Each is told the receipts of its table that came later than those counted before, `%(later)s`.
    """
    connection.execute("delete from quality.rows_in_force where run_id = %s", (run_id,))
    later = dict(connection.execute(_LATER_RECEIPTS, values | {"run": run_id}).fetchall())
    for name, query in tables.items():
        connection.execute(
            f"insert into quality.rows_in_force (run_id, {IN_FORCE}) select %(run)s, counted.* from ({query}) as counted",
            values | {"run": run_id, "later": later.get(name, [])},
        )
