"""What the pages show, read from the warehouse; dictionaries by column name."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

from include.quality.evaluate import WITHHELD
from include.quality.findings import STATES, Selection
from include.quality.waivers import proposed_scope
from include.quality.withdrawals import pending
from include.report import delivery, verdict
from include.report.expected import GROUPS, shares
from include.report.worklists import personal_columns

LISTED_RUNS = 60
LISTED = 200  # findings on a page


def runs(connection: psycopg.Connection) -> list[dict]:
    """The newest runs, the last first, with the rules by which gates stopped them."""
    found = _rows(
        connection,
        "select run_id, business_date, state, started_at, finished_at, verdict from quality.runs"
        " order by run_id desc limit %s",
        [LISTED_RUNS],
    )
    for row in found:
        row["blocking"] = _blocking(row["verdict"])
    return found


def published(connection: psycopg.Connection) -> dict:
    """What readers see: `business_date`, `months`, how many of them are pinned by a roll-back, rows withheld at the last publish."""
    (found,) = _rows(
        connection,
        "select max(business_date) as business_date, count(*) as months, count(*) filter (where state = 'pinned') as pinned,"
        " (array_agg(withheld_rows order by business_date desc, published_month desc))[1] as withheld_rows"
        " from marts.publication",
    )
    return found


def run(connection: psycopg.Connection, run_id: int) -> dict | None:
    """A run with its gates' verdicts, the rules that found something, and what a waiver of those that block would be asked."""
    found = verdict.run(connection, run_id)
    if found is None:
        return None
    found["rules"] = _rows(
        connection,
        """
        select results.rule_id, results.tested_rows, results.failed_rows, results.severity, results.verdict,
            rule_book.sentence, rule_book.owner, rule_book.gate
        from quality.rule_results as results
        left join quality.rule_book using (rule_id)
        where results.run_id = %s and results.failed_rows > 0
        order by results.severity = 'block' desc, results.severity = 'quarantine' desc, results.failed_rows desc, results.rule_id
        """,
        [run_id],
    )
    tables = _rows(
        connection,
        "select rule_id, array_agg(distinct table_name) as tables from quality.violations"
        " where run_id = %s and severity = 'block' and rule_id = any(%s) group by rule_id order by rule_id",
        [run_id, list(found["blocking"])],
    )
    found["to_waive"] = [
        {"rule": row["rule_id"], "scope": proposed_scope(set(row["tables"])), "until": found["business_date"]}
        for row in tables
    ]
    return found


def expected(connection: psycopg.Connection, run_id: int | None) -> dict | None:
    """What each source delivered for the night of a run, the newest without one, and what was expected and is absent."""
    found = verdict.run(connection, run_id)
    if found is None:
        return None
    return {
        "run": found,
        "sources": delivery.arrivals(connection, found),
        "groups": {name: shares(connection, found["run_id"], columns) for name, columns in GROUPS.items()},
        "columns": GROUPS,
    }


def findings(connection: psycopg.Connection, asked: dict[str, str], state: str, number: int) -> dict:
    """A page of findings by the selection, those of the largest error first; with counts, and what may be selected."""
    where, values = Selection(**{name: value or None for name, value in asked.items()}).condition(state)
    (counted,) = _rows(
        connection,
        f"select count(*) as findings, sum(error_cny) as error_cny, sum(exposure_cny) as exposure_cny"
        f" from quality.findings where {where}",
        values,
    )
    rows = _rows(
        connection,
        f"""
        select rule_id, severity, source_name, table_name, record_key, column_name, account_no, observed, expected,
            error_cny, exposure_cny, office, age_days, first_seen_at, source_reference, dependants_text
        from quality.findings
        where {where}
        order by error_cny desc nulls last, exposure_cny desc nulls last, rule_id, finding_id
        limit %s offset %s
        """,
        [*values, LISTED, (number - 1) * LISTED],
    )
    for row in rows:
        _withhold(row)
    (choices,) = _rows(
        connection,
        "select array_agg(distinct rule_id order by rule_id) as rule, array_agg(distinct source_name order by source_name) as source,"
        " array_agg(distinct office order by office) filter (where office is not null) as office from quality.findings",
    )
    return {
        "rows": rows,
        "counted": counted,
        "asked": asked | {"state": state},
        "choices": {name: values or [] for name, values in choices.items()} | {"state": list(STATES)},
        "number": number,
        "first": (number - 1) * LISTED + 1,
        "has_more": counted["findings"] > number * LISTED,
    }


def offices(connection: psycopg.Connection) -> list[dict]:
    """What each office has to fix: open findings by severity, their error in yuan, the oldest in days, absent things."""
    return _rows(
        connection,
        r"""
        with absent as (
            select rule_book.owner, count(*) as absent
            from quality.expected_absent
            inner join quality.rule_book using (rule_id)
            where run_id = (select max(run_id) from quality.expected_shares)
            group by rule_book.owner
        ),

        open_findings as (
            select
                office,
                count(*) as findings,
                count(*) filter (where severity = 'block') as blocks,
                count(*) filter (where severity = 'quarantine') as quarantines,
                sum(error_cny) as error_cny,
                max(age_days) as oldest_days
            from quality.findings
            where state = 'open'
            group by office
        ),

        owners as (
            select owner, bool_or(rule_id like 'EXP-%%') as expects from quality.rule_book group by owner
        )

        select
            owners.owner as office,
            regexp_replace(owners.owner, '\W+', '_', 'g') as file_name,
            owners.expects,
            coalesce(open_findings.findings, 0) as findings,
            coalesce(open_findings.blocks, 0) as blocks,
            coalesce(open_findings.quarantines, 0) as quarantines,
            open_findings.error_cny,
            open_findings.oldest_days,
            coalesce(absent.absent, 0) as absent
        from owners
        left join open_findings on owners.owner = open_findings.office
        left join absent on owners.owner = absent.owner
        order by findings desc, office
        """,
        [],
    )


def approvals(connection: psycopg.Connection) -> dict:
    """What persons have taken on themselves, or still have to: waivers, rows that wait for a decision, months rolled back."""
    newest = verdict.run(connection, None)
    waivers = verdict.waivers(connection, newest) if newest else []
    return {
        "waivers": waivers[::-1],
        "pending": pending(connection),
        "pinned": _rows(
            connection,
            "select published_month, version, business_date from marts.publication where state = 'pinned' order by 1 desc",
        ),
    }


def _blocking(verdicts: dict | None) -> list[str]:
    return sorted(rule for gate in (verdicts or {}).values() for rule in gate.get("blocking", {}))


def _withhold(finding: dict) -> None:
    """Personal values of its key and of what was seen are not shown, as in the work lists."""
    personal = personal_columns(finding["table_name"])
    finding["record_key"] = {
        name: WITHHELD if name in personal else value for name, value in finding["record_key"].items()
    }
    if finding["column_name"] in personal and finding["observed"]:
        finding["observed"] = WITHHELD


def _rows(connection: psycopg.Connection, query: str, values: list | None = None) -> list[dict]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
