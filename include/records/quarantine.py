"""Quarantined rows, the rows that a parent blocks, and what each run changed of both."""

from __future__ import annotations

import psycopg

_ROW = (
    "source_name, table_name, raw_id, state, rule_ids, record_key, account_no, energy_at_stake_kwh, amount_at_stake_cny"
)


def withhold(connection: psycopg.Connection, run_id: int, rows: str, values: dict | None = None) -> int:
    """Rows to keep out from this run on, by a query of their columns in the order of `_ROW`; returns how many.

    A row that is out already stays out from the run that first kept it out, for the reasons of today.
    """
    return connection.execute(
        f"""
        insert into quality.quarantined_rows ({_ROW}, from_run)
        select rows.*, %(run)s from ({rows}) as rows
        on conflict (table_name, raw_id) do update set
            state = excluded.state, rule_ids = excluded.rule_ids, account_no = excluded.account_no,
            energy_at_stake_kwh = excluded.energy_at_stake_kwh, amount_at_stake_cny = excluded.amount_at_stake_cny,
            from_run = case when coalesce(quarantined_rows.released_run, excluded.from_run) = excluded.from_run
                then quarantined_rows.from_run else excluded.from_run end,
            released_run = null, superseded_run = null
        """,
        (values or {}) | {"run": run_id},
    ).rowcount


def note_superseded(connection: psycopg.Connection, run_id: int, table_name: str, raw_ids: list[int]) -> None:
    """Of a table's rows in quarantine, these are no longer the newest of their key, since this run or before; all others are."""
    connection.execute(
        "update quality.quarantined_rows set superseded_run ="
        " case when raw_id = any(%s::bigint[]) then coalesce(superseded_run, %s) end"
        " where table_name = %s and released_run is null",
        (raw_ids, run_id, table_name),
    )


def release(connection: psycopg.Connection, run_id: int, table_name: str, raw_ids: list[int]) -> None:
    """Lets rows of a table go: they were tested again and passed, or what they refer to did."""
    connection.execute(
        "update quality.quarantined_rows set released_run = %s"
        " where table_name = %s and released_run is null and raw_id = any(%s::bigint[])",
        (run_id, table_name, raw_ids),
    )


def note_events(connection: psycopg.Connection, run_id: int) -> None:
    """Appends what this run changed of the withheld rows; a gate that is repeated replaces its own events."""
    columns = f"{_ROW}, from_run"
    now = columns.replace(
        "state",
        "case when released_run is not null then 'released' when superseded_run is not null then 'superseded' else state end",
    )
    connection.execute("delete from quality.quarantine_events where run_id = %s", (run_id,))
    connection.execute(
        f"""
        insert into quality.quarantine_events (run_id, {columns})
        select %s, changed.*
        from (
            select {now} from quality.quarantined_rows
            except
            select {columns}
            from (
                select distinct on (table_name, raw_id) * from quality.quarantine_events order by table_name, raw_id, run_id desc
            ) as latest
        ) as changed
        """,
        (run_id,),
    )


def note_facts(connection: psycopg.Connection, table_name: str, rows: str) -> None:
    """Day, numbers named, and what rests on the withheld rows of a table; `rows` is a query of these by raw_id."""
    connection.execute(
        "update quality.quarantined_rows as kept set fact_date = rows.fact_date, identifiers = rows.identifiers,"
        " energy_at_stake_kwh = coalesce(rows.kwh, kept.energy_at_stake_kwh),"
        " amount_at_stake_cny = coalesce(rows.cny, kept.amount_at_stake_cny)"
        f" from ({rows}) as rows where kept.table_name = '{table_name}' and kept.raw_id = rows.raw_id"
        " and kept.released_run is null"
    )
