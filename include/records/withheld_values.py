"""Withheld values: what of an admitted row is not trusted and goes on as null, since which run and until when."""

from __future__ import annotations

import psycopg

_VALUE = "source_name, table_name, raw_id, column_name, rule_ids, record_key, account_no"


def withhold(connection: psycopg.Connection, run_id: int, values: str, parameters: dict | None = None) -> int:
    """Values to withhold from this run on, by a query of their columns in the order of `_VALUE`; returns how many.

    A value that is withheld already stays so from the run that first withheld it, for the reasons of today.
    """
    return connection.execute(
        f"""
        insert into quality.withheld_values ({_VALUE}, from_run)
        select given.*, %(run)s from ({values}) as given
        on conflict (table_name, raw_id, column_name) do update set
            rule_ids = excluded.rule_ids, account_no = excluded.account_no,
            from_run = case when coalesce(withheld_values.released_run, excluded.from_run) = excluded.from_run
                then withheld_values.from_run else excluded.from_run end,
            released_run = null, superseded_run = null
        """,
        (parameters or {}) | {"run": run_id},
    ).rowcount


def tables(connection: psycopg.Connection) -> list[str]:
    """The tables of which a value is withheld."""
    return [
        name
        for (name,) in connection.execute(
            "select distinct table_name from quality.withheld_values where released_run is null order by 1"
        )
    ]


def note_superseded(connection: psycopg.Connection, run_id: int, table_name: str, staged: str) -> None:
    """Of a table's withheld values, whose row is no longer in the staging relation: superseded, since this run or before."""
    connection.execute(
        "update quality.withheld_values as kept set superseded_run = case when not exists"
        f" (select 1 from {staged} as staged where staged._raw_id = kept.raw_id) then coalesce(kept.superseded_run, %s) end"
        " where table_name = %s and released_run is null",
        (run_id, table_name),
    )


def release(connection: psycopg.Connection, run_id: int, table_name: str, staged: str, open_still: str) -> None:
    """Lets values go whose row is staged and which no finding of `open_still` (table, raw id, column) holds any more."""
    connection.execute(
        "update quality.withheld_values as kept set released_run = %s where table_name = %s and released_run is null"
        f" and exists (select 1 from {staged} as staged where staged._raw_id = kept.raw_id)"
        f" and not exists (select 1 from {open_still} as found where found.table_name = kept.table_name"
        " and found.raw_id = kept.raw_id and found.column_name = kept.column_name)",
        (run_id, table_name),
    )


def note_facts(connection: psycopg.Connection, table_name: str, rows: str) -> None:
    """Day, numbers named, kWh and yuan of the rows whose values are withheld; `rows` is a query of them by raw_id."""
    connection.execute(
        "update quality.withheld_values as kept set fact_date = rows.fact_date, identifiers = rows.identifiers,"
        f" exposure_kwh = rows.kwh, exposure_cny = rows.cny from ({rows}) as rows"
        f" where kept.table_name = '{table_name}' and kept.raw_id = rows.raw_id and kept.released_run is null"
    )
