"""Rows that a delivery leaves out: a few are withdrawn, many stay in force until somebody confirms it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include import night
from include.errors import UsageError
from include.landing import extract
from include.local import cli
from include.quality import conservation
from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.quality.waivers import waive
from include.quality.withdrawals import confirm, deny, pending
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.report import delivery
from tests.landing import Utility, new_utility

OFFICES = ("North", "South")


@pytest.fixture
def marketing(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    utility = new_utility(database, tmp_path, monkeypatch)
    return Utility(utility.url, tmp_path / "marketing", "marketing")


def customers(numbers, status: str = "1", south_from: int = 1000) -> list[dict]:
    return [
        {"cons_no": f"{n:04}", "cons_name": "synthetic", "org_no": OFFICES[n >= south_from], "status": status}
        for n in numbers
    ]


def deliver(utility: Utility, day: int, delivered: list[dict], name: str = "", **announced) -> object:
    """Lands the customers of a day of January and returns the receipt of that file."""
    name = name or f"mkt_customer_202601{day:02}.csv"
    utility.write("mkt_customer", name, delivered)
    if announced:
        utility.announce("mkt_customer", {"name": name, **announced})
    return next(r for r in utility.land(date(2026, 1, day)) if r.file_name == f"mkt_customer/{name}")


def counts(receipt) -> tuple[int, int]:
    return receipt.tombstone_rows, receipt.pending_rows


def in_force(utility: Utility) -> int:
    return len(utility.in_force("mkt_customer", "cons_no", "org_no"))


def decisions(utility: Utility) -> list[tuple]:
    return utility.query(
        "select extract(day from business_date)::integer, blocks, decision, decided_by, count(*)"
        " from quality.pending_withdrawals group by 1, 2, 3, 4 order by 1, 2, 3, 4"
    )


def found(utility: Utility, rule_id: str, day: int) -> list[tuple[str, str]]:
    """Severity and what was observed."""
    rule = next(r for r in load_rules() if r.id == rule_id)
    with connect(utility.url) as connection:
        night = date(2026, 1, day)
        run_id = connection.execute(
            "insert into quality.runs (business_date) values (%s) returning run_id", (night,)
        ).fetchone()[0]
        evaluate(connection, rule, run_id, night)
        return connection.execute(
            "select severity, observed from quality.violations where run_id = %s order by record_key::text", (run_id,)
        ).fetchall()


# rows in force, rows left out, whether they stay in force, whether the night is stopped
@pytest.mark.parametrize(
    ("rows", "missing", "is_pending", "is_blocked"),
    [
        (100, 5, False, False),
        (100, 6, True, False),
        (100, 30, True, False),
        (100, 31, True, True),
        (40, 2, False, False),
        (40, 3, True, False),
        (39, 7, False, False),
        (39, 8, True, False),
        (10, 1, False, False),
        (10, 2, True, False),
        (10, 4, True, True),
        (2, 1, False, False),
    ],
)
def test_an_unusual_number_of_missing_rows_stays_in_force(marketing, rows, missing, is_pending, is_blocked):
    deliver(marketing, 13, customers(range(rows)))
    receipt = deliver(marketing, 14, customers(range(missing, rows)))
    assert counts(receipt) == ((0, missing) if is_pending else (missing, 0))
    assert in_force(marketing) == (rows if is_pending else rows - missing)
    severities = [severity for severity, _ in found(marketing, "PIP-06", 14)]
    assert severities == (["block"] if is_blocked else ["warn"] if is_pending else [])


def test_half_of_a_table_is_not_withdrawn_by_a_delivery_that_lacks_it_again(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)))
    assert found(marketing, "PIP-06", 14) == [
        ("block", "50 of 100 rows in force were not delivered (office North: 50 of 100)")
    ]
    deliver(marketing, 15, customers(range(50), status="2"))
    assert in_force(marketing) == 100
    assert [severity for severity, _ in found(marketing, "PIP-06", 15)] == ["block"]


def test_a_tenth_is_withdrawn_by_a_later_delivery_with_other_content(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(90)))
    assert found(marketing, "PIP-06", 14) == [
        ("warn", "10 of 100 rows in force were not delivered (office North: 10 of 100)")
    ]
    receipt = deliver(marketing, 15, customers(range(90), status="2"))
    assert counts(receipt) == (10, 0)
    assert in_force(marketing) == 90
    assert decisions(marketing) == [(14, False, "confirmed", "delivery", 10)]
    assert found(marketing, "PIP-06", 15) == []


def test_the_same_content_confirms_nothing_whatever_its_date_and_name(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(90)))
    marketing.land(date(2026, 1, 14))  # a rerun
    deliver(marketing, 14, customers(range(90), status="2"))  # a correction of the same night
    assert in_force(marketing) == 100
    deliver(marketing, 15, customers(range(90), status="2"))  # yesterday's file again
    assert in_force(marketing) == 100
    deliver(marketing, 16, customers(reversed(range(90)), status="2"))  # and in another order
    assert in_force(marketing) == 100
    assert [severity for severity, _ in found(marketing, "PIP-06", 16)] == ["warn"]


def test_rows_that_come_again_were_never_gone(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)))
    deliver(marketing, 15, customers(range(90)))
    # the tenth that is still missing is asked about anew, and now a later delivery may confirm it
    assert decisions(marketing) == [
        (14, True, "denied", "delivery", 40),
        (14, True, "replaced", "delivery", 10),
        (15, False, None, None, 10),
    ]
    assert counts(deliver(marketing, 16, customers(range(90), status="2"))) == (10, 0)


def test_a_renamed_copy_of_the_whole_file_denies_too(marketing):
    deliver(marketing, 14, customers(range(100)), name="a_20260114.csv")
    (marketing.folder / "mkt_customer" / "a_20260114.csv").unlink()
    deliver(marketing, 14, customers(range(50)), name="b_20260114.csv")
    (marketing.folder / "mkt_customer" / "b_20260114.csv").unlink()
    deliver(marketing, 14, customers(range(100)), name="c_20260114.csv")
    assert decisions(marketing) == [(14, True, "denied", "delivery", 50)]


def test_one_office_that_is_missing_is_seen_in_a_table_that_is_nearly_whole(marketing):
    deliver(marketing, 13, customers(range(100), south_from=95))
    receipt = deliver(marketing, 14, customers(range(95)))
    assert counts(receipt) == (0, 5)
    assert found(marketing, "PIP-06", 14) == [
        ("block", "5 of 100 rows in force were not delivered (office South: 5 of 5)")
    ]


@pytest.mark.parametrize(("announced", "left"), [(50, 50), (60, 50), (49, 100)])
def test_a_manifest_that_announces_the_withdrawal_confirms_it(marketing, announced, left):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)), rows=50, withdrawn_rows=announced)
    assert in_force(marketing) == left
    assert found(marketing, "PIP-06", 14) == [] if left == 50 else found(marketing, "PIP-06", 14) != []


def test_a_number_of_rows_announces_no_withdrawal(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)), rows=50)
    assert in_force(marketing) == 100


def signed_waiver(utility: Utility, day: int) -> None:
    """A night of that day is at work when the waiver is signed."""
    night.begin_run(Warehouse(utility.url), date(2026, 1, day))
    waive(utility.url, "PIP-06", "table=mkt_customer", "Approver (test)", "closed accounts", date(2026, 1, day))


def test_a_waiver_confirms_when_the_night_begins_again_without_landing(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)))
    signed_waiver(marketing, 14)
    assert in_force(marketing) == 100
    run = night.begin_run(Warehouse(marketing.url), date(2026, 1, 14))
    assert in_force(marketing) == 50
    assert decisions(marketing) == [(14, True, "confirmed", "waiver", 50)]
    assert marketing.query(
        "select tombstone_rows, duplicate_of, load_id <= last_load_id from quality.receipts, quality.runs"
        " where run_id = %s order by load_id desc limit 1",
        run["run_id"],
    ) == [(50, 2, True)]
    assert found(marketing, "PIP-06", 14) == []
    marketing.assert_conserved()


def test_a_waiver_lets_a_delivery_withdraw_at_once(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)))
    signed_waiver(marketing, 15)
    assert counts(deliver(marketing, 15, customers(range(30), status="2"))) == (70, 0)
    assert decisions(marketing) == [(14, True, "confirmed", "waiver", 50), (15, True, "confirmed", "waiver", 20)]


def test_a_person_confirms_an_office_and_denies_a_record(marketing):
    deliver(marketing, 13, customers(range(100), south_from=60))
    deliver(marketing, 14, customers(range(20, 80), south_from=60))
    asked = {"approver": "Approver (test)", "reason": "merged"}
    assert confirm(marketing.url, "mkt_customer", office="South", **asked) == 20
    assert deny(marketing.url, "mkt_customer", key='{"cons_no": "0003"}', **asked) == 1
    assert in_force(marketing) == 80
    with connect(marketing.url) as connection:
        assert [(row["office"], row["rows"], row["of_rows_in_force"]) for row in pending(connection)] == [
            ("North", 19, 60)
        ]
    assert marketing.query(
        "select event, detail - 'first_pending' - 'last_pending' from quality.ledger where event like 'withdrawal%%' order by 1"
    ) == [
        ("withdrawal_confirm", {"table": "mkt_customer", "office": "South", "rows": 20, **asked}),
        ("withdrawal_deny", {"table": "mkt_customer", "key": '{"cons_no": "0003"}', "rows": 1, **asked}),
    ]
    marketing.assert_conserved()
    deliver(marketing, 15, customers(range(20, 60), status="2", south_from=60))
    assert found(marketing, "PIP-06", 15) == [
        ("block", "40 of 80 rows in force were not delivered (office North: 20 of 60; office South: 20 of 20)")
    ]


@pytest.mark.parametrize(
    ("table", "options", "problem"),
    [
        ("mkt_customers", {}, "There is no table 'mkt_customers'."),
        ("mkt_contact", {}, "No row of mkt_contact that was asked for is pending."),
        ("mkt_customer", {"office": "West"}, "No row of mkt_customer that was asked for is pending."),
        ("mkt_customer", {"key": "0003"}, "--key needs a JSON object of key columns, not: 0003"),
        ("mkt_customer", {"reason": " "}, "--reason is empty."),
    ],
)
def test_a_decision_that_fits_nothing_changes_nothing(marketing, table, options, problem):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)))
    for decide in (confirm, deny):
        with pytest.raises(UsageError, match=re.escape(problem)):
            decide(marketing.url, table, **({"approver": "Approver (test)", "reason": "merged"} | options))
    assert decisions(marketing) == [(14, True, None, None, 50)]


def test_a_late_file_that_lacks_half_changes_no_history(marketing):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 15, customers(range(90), status="2"))
    deliver(marketing, 16, customers(range(90), status="3"))
    marketing.write("mkt_customer", "mkt_customer_20260114.csv", customers(range(50)))
    marketing.land(date(2026, 1, 17))
    assert marketing.query(
        "select count(*) from raw_marketing.mkt_customer where _is_tombstone and _business_date = '2026-01-14'"
    ) == [(0,)]
    assert in_force(marketing) == 90
    # 40 of its keys are in the file of the 15th; the other 10 were asked about on the 15th and withdrawn on the 16th
    assert decisions(marketing) == [
        (14, True, "confirmed", "delivery", 10),
        (14, True, "denied", "delivery", 40),
        (15, False, "confirmed", "delivery", 10),
    ]


def counted(utility: Utility, day: int) -> tuple:
    """Customers in force before, come, gone, in force and pending, as a night of that day counts them."""
    run = night.begin_run(Warehouse(utility.url), date(2026, 1, day))
    with connect(utility.url) as connection:
        connection.execute("delete from quality.receipt_states")
        connection.execute(  # what conservation counts beside it, from raw and staging
            "insert into quality.receipt_states select 1, 'mkt_customer', %s, null, 0, 0, 0, 0, 0, 0, 0, 0,"
            " count(*) filter (where not _is_tombstone) from (select distinct on (_key) _is_tombstone"
            " from raw_marketing.mkt_customer where _business_date <= %s order by _key, _load_id desc) as newest",
            (run["run_id"], date(2026, 1, day)),
        )
        conservation.count_rows_in_force(connection, run["run_id"])
        connection.execute("update quality.runs set state = 'published' where run_id = %s", (run["run_id"],))
    ((*counts,),) = utility.query(
        "select before_rows, new_rows, withdrawn_rows, in_force_rows, pending_rows from quality.rows_in_force"
        " where run_id = %s and table_name = 'mkt_customer'",
        run["run_id"],
    )
    return tuple(counts)


def test_rows_in_force_are_those_of_before_with_what_came_and_went(marketing):
    deliver(marketing, 13, customers(range(100)))
    assert counted(marketing, 13) == (0, 100, 0, 100, 0)
    deliver(marketing, 14, customers(range(5, 103)))  # five are gone, three are new
    assert counted(marketing, 14) == (100, 3, 5, 98, 0)
    deliver(marketing, 15, customers(range(25, 104)))  # twenty are missing, one is new
    assert counted(marketing, 15) == (98, 1, 0, 99, 20)
    deliver(marketing, 16, customers(range(25, 104), status="2"))
    assert counted(marketing, 16) == (99, 0, 20, 79, 0)
    assert counted(marketing, 14) == (98, 0, 0, 98, 0)  # a rerun of an earlier night
    with connect(marketing.url) as connection:
        connection.execute("delete from raw_marketing.mkt_customer where cons_no = '0050'")
    assert counted(marketing, 16) == (79, 0, 0, 78, 0)


def test_the_command_lists_what_is_pending_and_confirms_it(marketing, capsys):
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(50)))
    assert cli.main(["pending", "list"]) == 0
    told = capsys.readouterr().out
    assert "mkt_customer" in told
    assert "50 rows in force that their last delivery left out." in told
    signed = ["--approver", "Approver (test)", "--reason", "merged"]
    assert cli.main(["pending", "confirm", "mkt_customer", *signed]) == 0
    assert "50 rows of mkt_customer are withdrawn, by Approver (test)." in capsys.readouterr().out
    assert in_force(marketing) == 50
    assert cli.main(["pending", "list", "mkt_customer"]) == 0
    assert capsys.readouterr().out == "0 rows in force that their last delivery left out.\n"
    assert cli.main(["pending", "deny", "mkt_customer", *signed]) == 2


def test_withheld_rows_that_are_left_out_are_withdrawn_at_once_and_count_for_no_limit(marketing):
    """A tenth is unusual; but the ten that the gate withholds are corrected by leaving them out, and two more are few."""
    deliver(marketing, 13, customers(range(100)))
    with connect(marketing.url) as connection:
        connection.execute(
            "insert into quality.quarantined_rows (source_name, table_name, raw_id, state, rule_ids, record_key, from_run)"
            " select 'marketing', 'mkt_customer', _raw_id, 'quarantined', '{MKT-02}', jsonb_build_object('cons_no', cons_no), 1"
            " from raw_marketing.mkt_customer where cons_no < '0010'"
        )
    assert counts(deliver(marketing, 14, customers(range(12, 100)))) == (12, 0)
    assert in_force(marketing) == 88
    assert decisions(marketing) == []


def test_missing_rows_are_an_alert_and_a_section_of_the_report(marketing, monkeypatch):
    alerts = []
    monkeypatch.setattr(extract, "alert", lambda kind, message, detail, **_: alerts.append((kind, message, detail)))
    deliver(marketing, 13, customers(range(100)))
    deliver(marketing, 14, customers(range(90)))
    assert alerts == [
        (
            "withdrawal_pending",
            "mkt_customer: 10 rows in force are missing; they stay in force.",
            {"table": "mkt_customer", "rows": 10},
        )
    ]
    deliver(
        marketing, 15, customers(range(5, 90), status="2")
    )  # the tenth is confirmed, five of 90 are withdrawn at once
    run = night.begin_run(Warehouse(marketing.url), date(2026, 1, 15))
    assert found(marketing, "PIP-06", 14) == []
    with connect(marketing.url) as connection:
        seen = {"business_date": date(2026, 1, 15), "last_load_id": 3, "started_at": datetime.now(UTC)}
        told = delivery.missing(connection, run | seen)
    assert told["open"] == []
    assert [(d["table_name"], d["decision"], d["decided_by"], d["rows"]) for d in told["decided"]] == [
        ("mkt_customer", "confirmed", "delivery", 10)
    ]


def test_what_the_source_keeps_no_longer_stays_in_force(marketing):
    """mkt_ticket keeps 13 months: on 31 January 2026 the first kept day is 1 December 2024, on the day after 1 January 2025."""

    def tickets(*months: str) -> list[dict]:
        return [
            {"ticket_no": f"{month}-{n:02}", "ticket_type": "FAULT", "accepted_at": f"{month}-{n:02} 10:00:00+08"}
            for month in months
            for n in range(1, 29)
        ]

    def land(day: date, rows: list[dict]) -> tuple[int, int]:
        name = f"mkt_ticket_{day:%Y%m%d}.csv"
        marketing.write("mkt_ticket", name, rows)
        return counts(next(r for r in marketing.land(day) if r.file_name == f"mkt_ticket/{name}"))

    given = tickets("2024-12", "2025-01", "2025-12")
    assert land(date(2026, 1, 30), given) == (0, 0)
    assert land(date(2026, 1, 31), tickets("2025-01", "2025-12")) == (0, 28)  # still kept: missing
    assert land(date(2026, 2, 1), tickets("2025-01", "2025-12")[1:]) == (1, 0)
    assert len(marketing.in_force("mkt_ticket", "ticket_no", "ticket_type")) == 3 * 28 - 1
