"""A PostgreSQL source: the window since the cursor, the last 35 days of events, and what is withdrawn in them."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import psycopg
import pytest

from include.contracts import all_tables
from include.errors import InfrastructureError
from include.landing.databases import Source
from tests.landing import DAY, Utility, new_utility, source_tables

TABLES = ("mkt_customer", "mkt_bill", "mkt_bill_line", "mkt_payment")


@pytest.fixture
def marketing(database: str, empty_database: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    """A warehouse whose marketing source is a database with a few of its tables, empty."""
    utility = new_utility(database, tmp_path, monkeypatch)
    monkeypatch.setenv("KAW_SOURCE_MARKETING", empty_database)
    monkeypatch.setenv("KAW_SOURCE_PAUSE", "0.01")
    source_tables(empty_database, *TABLES)
    utility.source, utility.address = "marketing", empty_database
    return utility


def change(utility: Utility, *statements: str) -> None:
    with psycopg.connect(utility.address) as connection:
        for statement in statements:
            connection.execute(statement)


def landed(utility: Utility, day: date = DAY) -> dict:
    return {r.table_name: r for r in utility.land(day) if r.table_name in TABLES}


def pay(number: str, paid_at: str, updated_at: str, amount: str = "10") -> str:
    return (
        "insert into mkt_payment (pay_no, bill_no, paid_at, amount, src_updated_at)"
        f" values ('{number}', 'B1', '{paid_at}+08', {amount}, '{updated_at}+08')"
    )


def payments(utility: Utility) -> list[tuple]:
    return [(number, float(amount)) for number, amount in utility.in_force("mkt_payment", "pay_no", "amount")]


def test_the_first_night_takes_everything_and_announces_rows_and_sums(marketing):
    change(
        marketing,
        pay("P1", "2024-01-01 10:00", "2024-01-02 00:00", "10.50"),
        pay("P2", "2026-01-10", "2026-01-11", "2"),
    )
    assert landed(marketing)["mkt_payment"].inserted_rows == 2
    assert marketing.query(
        "select announced_rows, announced_sums, landed_sums, window_from, window_to::text from quality.receipts"
        " where table_name = 'mkt_payment'"
    ) == [(2, {"amount": "12.50"}, {"amount": "12.50"}, None, "2026-01-11 00:00:00+08")]


def test_the_window_starts_an_hour_before_the_cursor(marketing):
    change(marketing, pay("P1", "2025-06-01", "2026-01-14 10:00"))
    landed(marketing, date(2026, 1, 14))
    change(marketing, pay("P2", "2025-06-01", "2026-01-14 09:00"), pay("P3", "2025-06-01", "2026-01-14 08:59"))
    receipt = landed(marketing)["mkt_payment"]
    assert (receipt.delivered_rows, receipt.inserted_rows, receipt.duplicate_rows) == (2, 1, 1)
    assert [number for number, _ in payments(marketing)] == ["P1", "P2"]


def test_bulk_changes_that_the_cursor_misses_are_found_for_35_days_of_events(marketing):
    change(
        marketing,
        pay("P1", "2025-12-11", "2026-01-14"),
        pay("P2", "2025-12-10 23:59", "2026-01-12"),
        pay("P3", "2025-12-11", "2026-01-12"),
    )
    landed(marketing, date(2026, 1, 14))
    change(marketing, "update mkt_payment set amount = 11", "delete from mkt_payment where pay_no = 'P3'")
    receipt = landed(marketing)["mkt_payment"]
    assert (receipt.inserted_rows, receipt.tombstone_rows) == (1, 1)
    assert payments(marketing) == [("P1", 11), ("P2", 10)]


def test_bulk_changes_of_bill_lines_are_found_through_their_bills(marketing):
    for number, month in (("B1", "202601"), ("B2", "202510")):
        change(
            marketing,
            f"insert into mkt_bill (bill_no, bill_month, src_updated_at) values ('{number}', '{month}', '2025-11-01 00:00+08')",
            "insert into mkt_bill_line (bill_no, line_no, charge, src_updated_at)"
            f" select '{number}', n, 5, '2025-11-01 00:00+08' from generate_series(1, 2) as n",
        )
    change(
        marketing,
        "update mkt_bill_line set src_updated_at = '2026-01-10 00:00+08' where bill_no = 'B1' and line_no = 1",
    )
    landed(marketing, date(2026, 1, 14))
    change(
        marketing,
        "update mkt_bill_line set charge = 6 where line_no = 1",
        "delete from mkt_bill_line where line_no = 2",
    )
    receipt = landed(marketing)["mkt_bill_line"]
    assert (receipt.delivered_rows, receipt.inserted_rows, receipt.tombstone_rows) == (1, 1, 1)


def test_a_time_in_the_far_future_does_not_end_the_window(marketing):
    change(marketing, pay("P1", "2025-06-01", "2099-01-01"))
    landed(marketing, date(2026, 1, 14))
    change(marketing, pay("P2", "2025-06-01", "2026-01-15 03:00"))
    assert landed(marketing)["mkt_payment"].inserted_rows == 1


def test_an_in_place_table_is_compared_whole(marketing):
    change(
        marketing,
        "insert into mkt_customer (cons_no, cons_name, src_updated_at) values"
        " ('0017', 'A', '2020-01-01 00:00+08'), ('0018', 'B', '2020-01-01 00:00+08')",
    )
    landed(marketing, date(2026, 1, 14))
    change(
        marketing,
        "update mkt_customer set cons_name = 'C' where cons_no = '0017'",
        "delete from mkt_customer where cons_no = '0018'",
    )
    receipt = landed(marketing)["mkt_customer"]
    assert (receipt.delivered_rows, receipt.inserted_rows, receipt.tombstone_rows) == (1, 1, 1)
    assert marketing.in_force("mkt_customer", "cons_no", "cons_name") == [("0017", "C")]


def test_a_row_rejected_and_then_withdrawn_is_no_open_rejection(marketing):
    change(marketing, "insert into mkt_customer (cons_no) values ('0017')", pay("P1", "2026-01-10", "2026-01-11"))
    change(marketing, "alter table mkt_payment alter amount type numeric", "update mkt_payment set amount = 1e15")
    landed(marketing, date(2026, 1, 14))
    landed(marketing)
    open_rows = "select load_id from quality.rejected_rows where superseded_by is null"
    assert len(marketing.query(open_rows)) == 1
    change(marketing, "delete from mkt_payment")
    landed(marketing)
    assert marketing.query(open_rows) == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("drop table mkt_payment", "the source has no such table, or its login may not read it"),
        ("alter table mkt_payment drop column amount", "column amount of the contract is missing"),
        ("alter table mkt_payment alter amount type text", "column amount is text, the contract says numeric(16,2)"),
        ("alter table mkt_payment alter paid_at type date", "column paid_at is date, the contract says timestamptz"),
    ],
)
def test_a_table_that_is_not_the_contracts_is_refused_and_the_others_go_on(marketing, statement, problem):
    change(marketing, "insert into mkt_customer (cons_no) values ('0017')", statement)
    receipts = landed(marketing)
    assert receipts["mkt_customer"].inserted_rows == 1
    assert (receipts["mkt_payment"].state, receipts["mkt_payment"].problem) == ("refused", problem)


def test_an_unknown_column_is_told_and_kept_out(marketing):
    change(marketing, "alter table mkt_payment add colour text", pay("P1", "2026-01-10", "2026-01-11"))
    receipt = landed(marketing)["mkt_payment"]
    assert (receipt.inserted_rows, receipt.unknown_columns) == (1, ("colour",))


def test_a_wrong_password_ends_with_3_and_is_in_no_message(marketing, monkeypatch):
    parts = urlsplit(marketing.address)
    wrong = f"postgresql://{parts.username}:not-the-word@{parts.hostname}:{parts.port}{parts.path}"
    monkeypatch.setenv("KAW_SOURCE_MARKETING", wrong)
    with pytest.raises(InfrastructureError) as caught:
        marketing.land()
    assert caught.value.exit_code == 3
    assert "KAW_SOURCE_MARKETING (password authentication failed)" in str(caught.value)
    assert "not-the-word" not in str(caught.value) + repr(caught.value.__context__ and caught.value.__cause__)


@pytest.mark.parametrize(
    "address", ["postgresql://u:hidden@127.0.0.1:1/x", "postgresql://u:hidden@[::bad/x", "mysql://u:hidden@h/x"]
)
def test_an_address_that_leads_nowhere_ends_with_3(marketing, monkeypatch, address):
    monkeypatch.setenv("KAW_SOURCE_MARKETING", address)
    with pytest.raises(InfrastructureError) as caught:
        marketing.land()
    assert "hidden" not in str(caught.value)


def test_a_source_that_ends_in_the_middle_ends_with_3(marketing):
    with Source(marketing.address, "marketing") as source:
        change(
            marketing,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()",
        )
        with pytest.raises(InfrastructureError, match="stopped answering"):
            source.read(all_tables()["mkt_payment"], DAY, None)


def test_a_file_address_is_a_folder(marketing, monkeypatch):
    monkeypatch.setenv("KAW_SOURCE_MARKETING", f"file://{marketing.folder.parent / 'marketing'}")
    marketing.folder = marketing.folder.parent / "marketing"
    marketing.write("mkt_payment", "p.csv", [{"pay_no": "P1"}])
    assert landed(marketing)["mkt_payment"].inserted_rows == 1
