"""What misses one row is one finding with its dependants; each stands for itself again when it outlives its root."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from include.quality import findings
from include.records.database import connect

FIRST = date(2026, 7, 1)
ACCOUNT = {"acct_no": "8001", "cons_no": "A1"}


def misses(table: str, **key: str) -> dict:
    return {"table": table, "key": key}


class Gate:
    """Nights of two rules on references; a violation is (rule, table, key, column, cause, yuan that rest on it)."""

    def __init__(self, url: str) -> None:
        self.url, self.nights = url, 0
        with connect(url) as connection:
            for rule in ("R-1", "R-2"):
                connection.execute(
                    "insert into quality.rule_book (rule_id, gate, sentence, axis, dimension, severity, owner, quarantines, path)"
                    " values (%s, 1, 's', 'missing', 'referential', 'quarantine', 'marketing office', true, 'p')",
                    (rule,),
                )

    def night(self, *violations: tuple) -> dict[str, int]:
        self.nights += 1
        day = FIRST + timedelta(days=self.nights)
        with connect(self.url) as connection:
            connection.execute("insert into quality.runs (business_date) values (%s)", (day,))
            connection.execute(
                "insert into quality.current_run values (true, %s, %s, 'gate', 0, '2026-06-01')"
                " on conflict (only_row) do update set run_id = excluded.run_id, business_date = excluded.business_date",
                (self.nights, day),
            )
            for rule in ("R-1", "R-2"):
                connection.execute(
                    "insert into quality.rule_results (run_id, rule_id, tested_rows, failed_rows, severity, seconds)"
                    " values (%s, %s, 9, 1, 'quarantine', 0)",
                    (self.nights, rule),
                )
            for rule, table, key, column, cause, *more in violations:
                yuan, raw_id = [*more, None, None][:2]
                connection.execute(
                    "insert into quality.violations (run_id, rule_id, source_name, table_name, record_key, column_name, account_no,"
                    " observed, severity, cause, exposure_cny, raw_id) values (%s, %s, 'marketing', %s, %s, %s, 'A1', 'x', 'quarantine',"
                    " %s, %s, %s)",
                    (self.nights, rule, table, json.dumps(key), column, cause and json.dumps(cause), yuan, raw_id),
                )
            connection.execute(
                "insert into quality.findings_rechecked select %s, finding_id from quality.open_findings",
                (self.nights,),
            )
            findings.judge(connection, self.nights, 1)
            return findings.record_findings(connection, self.nights, 1)

    def told(self, state: str) -> list[tuple]:
        with connect(self.url) as connection:
            return connection.execute(
                "select table_name, record_key, rule_id, dependants, dependants_text from quality.findings where state = %s"
                " order by table_name, record_key::text",
                (state,),
            ).fetchall()


@pytest.fixture
def gate(database: str) -> Gate:
    return Gate(database)


def bill(number: str, yuan: float = 100) -> tuple:
    return ("R-1", "mkt_bill", {"bill_no": number}, "acct_no", misses("mkt_account", **ACCOUNT), yuan)


def payment(number: str, yuan: float = 40) -> tuple:
    return ("R-2", "mkt_payment", {"pay_no": number}, "acct_no", misses("mkt_account", acct_no="8001"), yuan)


def test_a_single_reference_to_nothing_is_its_own_fault(gate: Gate):
    assert gate.night(bill("1")) == {"opened": 1}
    assert gate.told("open") == [("mkt_bill", {"bill_no": "1"}, "R-1", 0, None)]
    assert gate.told("dependant") == []


def test_what_misses_one_row_is_a_finding_of_that_row_also_by_a_part_of_its_key(gate: Gate):
    assert gate.night(bill("1"), bill("2", 25.5), payment("7")) == {"opened": 1, "dependant": 3}
    (root,) = gate.told("open")
    assert root == ("mkt_account", ACCOUNT, "R-1", 3, "2 mkt_bill, 125.50 yuan; 1 mkt_payment, 40.00 yuan")
    assert [row[:2] for row in gate.told("dependant")] == [
        ("mkt_bill", {"bill_no": "1"}),
        ("mkt_bill", {"bill_no": "2"}),
        ("mkt_payment", {"pay_no": "7"}),
    ]
    assert gate.night(bill("1"), bill("2", 25.5), payment("7")) == {"seen": 1, "dependant": 3}
    assert gate.told("open") == [root]
    assert gate.night() == {"fixed": 4}
    assert gate.told("open") == gate.told("dependant") == []


def test_a_finding_on_the_row_itself_is_the_root_of_what_misses_it(gate: Gate):
    of_the_row = ("R-2", "mkt_account", ACCOUNT, "payer_name", None)
    assert gate.night(bill("1"), of_the_row) == {"opened": 1, "dependant": 1}
    assert gate.told("open") == [("mkt_account", ACCOUNT, "R-2", 1, "1 mkt_bill, 100.00 yuan")]


def test_a_row_of_which_one_part_of_the_key_is_wrong_is_the_root_of_what_misses_the_right_one(gate: Gate):
    wrong = ("R-2", "mkt_account", {"acct_no": "81", "cons_no": "A1"}, "acct_no", None)
    other = ("R-2", "mkt_account", {"acct_no": "9", "cons_no": "A9"}, "acct_no", None)
    assert gate.night(bill("1"), wrong, other) == {"opened": 2, "dependant": 1}
    assert [row[3] for row in gate.told("open")] == [1, 0]


def test_what_outlives_its_root_becomes_a_finding(gate: Gate):
    of_the_row = ("R-2", "mkt_account", ACCOUNT, "payer_name", None)
    gate.night(bill("1"), of_the_row)
    assert gate.night(bill("1")) == {"opened": 1, "fixed": 1}
    assert gate.told("open") == [("mkt_bill", {"bill_no": "1"}, "R-1", 0, None)]


def test_a_row_that_says_under_another_key_what_the_missing_one_said_is_the_root(gate: Gate):
    def customer(connection, number: str, load: int, gone: bool = False) -> int:
        return connection.execute(
            "insert into raw_marketing.mkt_customer (_load_id, _business_date, _channel, _is_tombstone, _key, _hash, cons_no, cons_name, addr)"
            " values (%s, '2026-07-01', 'auto', %s, gen_random_uuid(), gen_random_uuid(), %s, 'Synthetic works', 'Road 7') returning _raw_id",
            (load, gone, number),
        ).fetchone()[0]

    with connect(gate.url) as connection:
        customer(connection, "0310000001", 1)
        customer(connection, "0310000001", 2, gone=True)
        renamed = customer(connection, "310000001", 2)
    misses_it = [
        ("R-1", "mkt_bill", {"bill_no": n}, "cons_no", misses("mkt_customer", cons_no="0310000001")) for n in ("1", "2")
    ]
    wrong = ("R-2", "mkt_customer", {"cons_no": "310000001"}, "cons_no", None, None, renamed)
    assert gate.night(*misses_it, wrong) == {"opened": 1, "dependant": 2}
    assert gate.told("open") == [("mkt_customer", {"cons_no": "310000001"}, "R-2", 2, "2 mkt_bill")]
