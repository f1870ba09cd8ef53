"""The rules about the pipeline itself: calendar, types, the tables' limits, conservation. Each is seen to break once."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.records import ledger

DAY = date(2026, 12, 31)


@pytest.fixture
def run(database: str):
    """A connection with a run of DAY and the seeds that the rules read."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table staging.working_days (date date, is_working_day boolean)")
        connection.execute("insert into staging.working_days values ('2026-12-30', true), ('2026-12-31', true)")
        connection.execute(
            "create table staging.quality_limits (name text, value numeric, valid_from date, valid_to date)"
        )
        connection.execute(
            "insert into staging.quality_limits values ('quarantined_share', 0.05, '2000-01-01', null),"
            " ('quarantined_rows', 20, '2000-01-01', null)"
        )
        connection.execute("insert into quality.runs (business_date) values (%s)", (DAY,))
        connection.execute("insert into quality.current_run values (true, 1, %s, 'gate', 0, %s)", (DAY, DAY))
        yield connection


def failed(connection, rule_id: str, day: date = DAY) -> list[tuple]:
    rule = next(r for r in load_rules() if r.id == rule_id)
    result = evaluate(connection, rule, 1, day)
    assert result.tested_rows > 0
    return connection.execute(
        "select record_key, observed, expected from quality.violations where rule_id = %s order by record_key::text",
        (rule_id,),
    ).fetchall()


def test_a_run_past_the_calendar_is_stopped_and_told_which_seed_to_extend(run):
    assert failed(run, "PIP-01") == []
    assert failed(run, "PIP-01", date(2027, 1, 1)) == [
        (
            {"seed": "working_days"},
            "2026-12-31",
            "a calendar up to 2027-01-01; extend dbt_project/seeds/common/working_days.csv",
        )
    ]


def receipt(connection, table: str, **values) -> int:
    values = {
        "source_name": "metering",
        "table_name": table,
        "channel": "auto",
        "business_date": DAY,
        "state": "landed",
    } | values
    return connection.execute(
        f"insert into quality.receipts ({', '.join(values)}) values ({', '.join(['%s'] * len(values))}) returning load_id",
        list(values.values()),
    ).fetchone()[0]


def test_a_rejected_row_is_a_finding_until_a_good_row_answers_it(run):
    bad = receipt(run, "met_meter", file_name="met_meter/m.csv")
    run.execute(
        "insert into quality.rejected_rows (load_id, source_name, table_name, file_name, file_line, column_name, value_text, reason,"
        " record_key, row_text) values (%s, 'metering', 'met_meter', 'met_meter/m.csv', 7, 'digits_int', 'six',"
        " 'is not a whole number (smallint)', '{\"meter_asset_no\": \"M-1\"}', '{}')",
        (bad,),
    )
    assert failed(run, "PIP-02") == [
        ({"meter_asset_no": "M-1"}, "six", "is not a whole number (smallint) (met_meter/m.csv:7)")
    ]
    good = receipt(run, "met_meter")
    run.execute("update quality.rejected_rows set superseded_by = %s", (good,))
    assert failed(run, "PIP-02") == []


@pytest.mark.parametrize(
    ("rows", "bad", "is_blocked"),
    [(1000, 51, True), (1000, 50, False), (100, 20, False), (100, 21, True), (10_000, 400, False)],
)
def test_a_table_blocks_only_past_five_percent_and_twenty_rows(run, rows: int, bad: int, is_blocked: bool):
    run.execute("insert into quality.staged_rows values (1, 'mkt_bill', %s)", (rows,))
    run.execute(
        "insert into quality.violations (run_id, rule_id, source_name, table_name, raw_id, record_key, severity)"
        " select 1, 'MKT-21', 'marketing', 'mkt_bill', n, jsonb_build_object('bill_no', n), 'quarantine' from generate_series(1, %s) as n",
        (bad,),
    )
    assert bool(failed(run, "PIP-03")) is is_blocked


def test_waived_and_arbitrary_fill_rows_do_not_count_against_the_limit(run):
    run.execute("insert into quality.staged_rows values (1, 'mkt_bill', 100)")
    run.execute(
        "insert into quality.violations (run_id, rule_id, source_name, table_name, raw_id, record_key, severity)"
        " select 1, 'MKT-21', 'marketing', 'mkt_bill', n, jsonb_build_object('bill_no', n), 'quarantine' from generate_series(1, 30) as n"
    )
    assert len(failed(run, "PIP-03")) == 1
    run.execute(
        "insert into quality.waivers (rule_id, scope, approver, reason, valid_until, entered_by)"
        " values ('MKT-21', 'all', 'duty engineer (test)', 'known', '2026-12-31', 'test')"
    )
    assert len(failed(run, "PIP-03")) == 1  # nothing before the ledger has it
    ledger.append(
        run,
        "waiver",
        {
            "waiver_id": 1,
            "rule_id": "MKT-21",
            "scope": "all",
            "approver": "duty engineer (test)",
            "reason": "known",
            "valid_until": "2026-12-31",
        },
    )
    assert failed(run, "PIP-03") == []
    run.execute("delete from quality.waivers")
    run.execute(
        "insert into quality.rule_book values ('MKT-21', 1, 'typed in by hand', 'arbitrary', 'plausibility', 'quarantine', 'test', true, 'test')"
    )
    assert failed(run, "PIP-03") == []


def test_a_row_in_no_state_or_in_two_breaks_conservation(run):
    run.execute(
        "insert into quality.receipt_states values (1, 'mkt_bill', 1, null, 10, 6, 0, 1, 1, 1, 1, 0, 8),"
        " (2, 'mkt_bill', 1, null, 10, 6, 0, 1, 1, 1, 0, 0, 8), (3, 'mkt_bill', 1, null, 10, 7, 0, 1, 1, 1, 1, 0, 9)"
    )
    assert [(key["load_id"], observed) for key, observed, _ in failed(run, "PIP-04")] == [
        (2, "9 rows accounted for"),
        (3, "11 rows accounted for"),
    ]
