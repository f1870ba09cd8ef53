"""What is absent through two nights: a finding of its office, shares on record, lists; fixed by arrival, expired by the archive."""

from __future__ import annotations

import csv
from pathlib import Path

import psycopg
import pytest

from include.quality import findings
from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.records import expected
from include.records.database import connect
from include.report.worklists import write_worklists
from include.settings import settings
from tests.rules.conftest import BUSINESS_DATE
from tests.rules.staged import Staged

RULES = [rule for rule in load_rules() if rule.area == "expected"]
CURVE = "mp_no = '031000000101' and data_type = 'U' and phase = 'A' and data_date = date '{}'"
MOVED = f"update {{{{met_interval_96}}}} set data_date = '2026-12-01' where {CURVE.format('2026-11-03')}"
BACK = f"update {{{{met_interval_96}}}} set data_date = '2026-11-03' where {CURVE.format('2026-12-01')}"
NO_CONTACT = "delete from {{mkt_contact}} where cons_no = '0310000001'"
CLOSED = "update {{mkt_customer}} set status = 'CLOSED', close_date = '2026-11-05' where cons_no = '0310000001'"


def night(url: str, *statements: str) -> dict[str, int]:
    """A night of these rules after the changes; its findings' events by kind."""
    with connect(url) as connection:
        connection.execute(
            "with begun as (insert into quality.runs (business_date) values (%s) returning run_id)"
            " update quality.current_run set run_id = begun.run_id from begun",
            (BUSINESS_DATE,),
        )
        staged = Staged(connection, BUSINESS_DATE, settings().home / "rules" / "models.json")
        staged.restart(list(statements))
        findings.note_rule_book(connection, RULES, BUSINESS_DATE)
        for rule in RULES:
            evaluate(connection, rule, staged.run_id, BUSINESS_DATE)
        findings.judge(connection, staged.run_id, 1)
        expected.note(connection, staged.run_id)
        return findings.record_findings(connection, staged.run_id, 1)


def told(url: str) -> list[tuple]:
    with connect(url) as connection:
        return connection.execute(
            "select rule_id, state, office, account_no, observed from quality.findings order by rule_id"
        ).fetchall()


@pytest.fixture
def first_night(own_copy: str) -> str:
    assert night(own_copy, MOVED, NO_CONTACT) == {"opened": 2}
    return own_copy


def test_an_absent_thing_is_a_finding_of_its_office_the_same_night(first_night: str):
    assert told(first_night) == [
        ("EXP-04", "open", "metering office", "0310000001", "no curve"),
        ("EXP-09", "open", "marketing office", "0310000001", "no contact with a number"),
    ]


def test_it_is_fixed_when_it_arrives_and_expires_when_it_is_no_longer_expected(first_night: str):
    assert night(first_night, BACK, CLOSED) == {"fixed": 2}
    assert told(first_night) == [
        ("EXP-04", "fixed", "metering office", "0310000001", "no curve"),
        ("EXP-09", "fixed", "marketing office", "0310000001", "no longer expected"),
    ]


def test_what_is_still_absent_is_seen_again(first_night: str):
    assert night(first_night) == {"seen": 2}


def test_shares_are_on_record(first_night: str):
    """21 billing points have a voltage A, 8 of the 20 accounts are in office 310101."""
    with connect(first_night) as connection:
        voltage = connection.execute(
            "select sum(expected), sum(arrived), sum(absent) from quality.expected_shares"
            " where what = 'curve' and channel = 'U A' and period_date = '2026-11-03'"
        ).fetchone()
        contacts = connection.execute(
            "select org_no, expected, arrived, absent from quality.expected_shares where what = 'contact' order by org_no"
        ).fetchall()
    assert voltage == (21, 20, 1)
    assert contacts == [("310101", 8, 7, 1), ("310102", 8, 8, 0), ("310103", 4, 4, 0)]


def test_each_office_has_a_list_of_what_is_absent(first_night: str, tmp_path: Path):
    write_worklists(first_night, tmp_path)
    lists = {}
    for path in tmp_path.glob("*_absent.csv"):
        with path.open(encoding="utf-8-sig") as file:
            lists[path.name] = [(row["what"], row["channel"], row["account_no"]) for row in csv.DictReader(file)]
    assert lists == {
        "contract_office_absent.csv": [],
        "marketing_office_absent.csv": [("contact", "", "0310000001")],
        "metering_office_absent.csv": [("curve", "U A", "0310000001")],
    }


def test_an_auditor_reads_what_is_expected(first_night: str):
    with psycopg.connect(first_night) as connection:
        connection.execute("set role kaw_auditor")
        absent = connection.execute(
            "select what, key ->> 'cons_no', since from quality.expected where not has_arrived and what = 'contact'"
        ).fetchall()
        assert [row[:2] for row in absent] == [("contact", "0310000001")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select 1 from staging.int_expected_things")
