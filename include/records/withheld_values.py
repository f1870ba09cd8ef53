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
