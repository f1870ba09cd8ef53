"""What was checked of the source rows behind a published row: their loads, the rules over them, and what those found."""

from __future__ import annotations

from functools import cache

import psycopg
from psycopg.rows import dict_row

from include.publish.marts import Mart
from include.quality.base_rules import load_base_rules
from include.quality.rules import Rule, load_rules


def loads(connection: psycopg.Connection, sources: list[dict]) -> list[dict]:
    """The loads that the rows came with, each with its entry in the ledger."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        select load_id, source_name, table_name, channel, business_date, file_name, content_sha256, delivered_rows, landed_at,
            (
                select min(entry_no) from quality.ledger where event = 'load' and detail ->> 'load_id' = load_id::text
            ) as ledger_entry
        from quality.receipts
        where load_id = any(%s)
        order by load_id
        """,
            [sorted({load_id for source in sources for load_id in source.get("load_ids", [])})],
        )
        .fetchall()
    )


@cache
def _rule_book() -> list[Rule]:
    return [*load_base_rules(), *load_rules()]


def rules(connection: psycopg.Connection, mart: Mart, lineage: dict, run: dict) -> list[dict]:
    """The rules over the tables and models above the mart, and over the mart, with what that run found."""
    layers = lineage["layers"]
    raw, above = set(layers["raw"]), {*layers["staging"], *layers["intermediate"]}
    itself = ".".join(mart.relation)
    concerned = {
        rule.id: rule
        for rule in _rule_book()
        if itself in rule.reads
        or (rule.gate == 1 and (raw & {*rule.subjects, rule.table_name} or above & {*rule.reads}))
    }
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select rule_id, tested_rows, failed_rows, verdict, not_tested_reason from quality.rule_results"
            " where run_id = %s and rule_id = any(%s) order by rule_id",
            [run["run_id"], sorted(concerned)],
        )
        .fetchall()
    )
    for row in rows:
        rule = concerned[row["rule_id"]]
        row |= {"sentence": rule.sentence_on(run["business_date"]), "severity": rule.severity, "path": rule.path}
    return rows


def findings(connection: psycopg.Connection, sources: list[dict], account_no: str | None, run: dict) -> list[dict]:
    """Findings on the traced rows or, in their tables, on the account, that were open or waived when that run had ended."""
    ids = [(source["table"], raw_id) for source in sources for raw_id in source["raw_ids"]]
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        with latest as (
            select distinct on (finding_id) *
            from quality.finding_events
            where run_id <= %(run)s and table_name = any(%(tables)s)
            order by finding_id, event_id desc
        )

        select rule_id, severity, table_name, record_key, column_name, observed, expected, source_reference, waiver_id,
            case event when 'waived' then 'waived' else 'open' end as state
        from latest
        where
            event <> 'fixed'
            and (
                account_no = %(account)s
                or (table_name, raw_id) in (select * from unnest(%(id_tables)s::text[], %(ids)s::bigint[]))
            )
        order by rule_id, table_name, record_key::text, column_name, finding_id
        """,
            {
                "run": run["run_id"],
                "account": account_no,
                "tables": [source["table"] for source in sources],
                "id_tables": [table for table, _ in ids],
                "ids": [raw_id for _, raw_id in ids],
            },
        )
        .fetchall()
    )
