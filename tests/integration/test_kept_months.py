"""What a source keeps no longer and what it lost, by a second hand: `keepsMonths` of mkt_ticket is 13.

Worked out from the contract: on a night the source holds the month of the business date and the thirteen before it. On 31 December
2025 that is from 1 November 2024 on, a day later from 1 December 2024 on. Rows are synthetic, of some days of each month.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.records.database import connect
from tests.landing import Utility, new_utility

PIP_06 = next(rule for rule in load_rules() if rule.id == "PIP-06")


@pytest.fixture
def marketing(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    utility = new_utility(database, tmp_path, monkeypatch)
    return Utility(utility.url, tmp_path / "marketing", "marketing")


def ticket(number: str, accepted_at: str, sub_type: str = "") -> dict:
    return {"ticket_no": number, "ticket_type": "FAULT", "accepted_at": accepted_at, "sub_type": sub_type}


def tickets(*months: str, days: int = 28) -> list[dict]:
    return [ticket(f"{month}-{n:02}", f"{month}-{n:02} 10:00:00+08") for month in months for n in range(1, days + 1)]


def land(utility: Utility, day: date, rows: list[dict]) -> tuple[int, int]:
    """Rows withdrawn and rows pending of the whole table, delivered on a day."""
    name = f"mkt_ticket_{day:%Y%m%d}.csv"
    utility.write("mkt_ticket", name, rows)
    receipt = next(r for r in utility.land(day) if r.file_name == f"mkt_ticket/{name}")
    return receipt.tombstone_rows, receipt.pending_rows


def in_force(utility: Utility) -> set[str]:
    return {number for number, _ in utility.in_force("mkt_ticket", "ticket_no", "ticket_type")}


def severities(utility: Utility, day: date) -> list[str]:
    """What PIP-06 says of a night."""
    with connect(utility.url) as connection:
        run_id = connection.execute(
            "insert into quality.runs (business_date) values (%s) returning run_id", (day,)
        ).fetchone()[0]
        evaluate(connection, PIP_06, run_id, day)
        return [
            row[0] for row in connection.execute("select severity from quality.violations where run_id = %s", (run_id,))
        ]


# Of 84 tickets, 28 a month, one that is left out is few, and 28 are more than the share that stops the night.
@pytest.mark.parametrize(
    ("day", "kept", "withdrawn", "pending"),
    [
        (date(2025, 12, 31), tickets("2024-12", "2025-12"), 0, 28),
        (date(2026, 1, 1), tickets("2024-12", "2025-12"), 0, 0),
        (date(2026, 1, 1), tickets("2024-12", "2025-12")[1:], 1, 0),
        (date(2026, 1, 1), tickets("2024-12", "2025-12")[:-1], 1, 0),
        (date(2026, 1, 1), tickets("2025-12"), 0, 28),
        (date(2026, 1, 31), tickets("2025-12"), 0, 28),
        (date(2026, 2, 1), tickets("2025-12"), 0, 0),
        (date(2026, 2, 1), tickets("2025-12")[1:], 1, 0),
    ],
    ids=[
        "November on 31 December",
        "November on 1 January",
        "November and one of December on 1 January",
        "November and a new one on 1 January",
        "November and December on 1 January",
        "November and December on 31 January",
        "November and December on 1 February",
        "November, December and a new one on 1 February",
    ],
)
def test_only_what_a_source_still_keeps_is_missing(marketing: Utility, day, kept, withdrawn, pending):
    before = tickets("2024-11", "2024-12", "2025-12")
    assert land(marketing, date(2025, 12, 30), before) == (0, 0)
    assert land(marketing, day, kept) == (withdrawn, pending)
    assert len(in_force(marketing)) == 84 - withdrawn
    assert severities(marketing, day) == (["block"] if pending else [])


@pytest.mark.parametrize(("left_out", "pending"), [("2025-01", 0), ("2025-02", 28)])
def test_the_last_day_of_a_long_month_counts_whole_months(marketing: Utility, left_out, pending):
    """31 March 2026 less thirteen months is February 2025, which has no 31st: it is kept from its first day on."""
    months = ("2025-01", "2025-02", "2026-03")
    assert land(marketing, date(2026, 3, 30), tickets(*months)) == (0, 0)
    assert land(marketing, date(2026, 3, 31), tickets(*(m for m in months if m != left_out))) == (0, pending)


def test_the_first_kept_moment_is_local_midnight(marketing: Utility):
    """Of two tickets a second apart the first is of November in Shanghai, and so is no longer kept on 1 January."""
    new = tickets("2025-12") + tickets("2025-11")
    old = [ticket("LAST", "2024-11-30 23:59:59+08"), ticket("FIRST", "2024-12-01 00:00:00+08")]
    assert land(marketing, date(2025, 12, 30), old + new) == (0, 0)
    assert land(marketing, date(2026, 1, 1), new) == (1, 0)
    assert {"LAST", "FIRST"} & in_force(marketing) == {"LAST"}


def test_what_is_kept_no_longer_stays_in_force_night_after_night(marketing: Utility):
    """And one of it that comes again, corrected, is in force as it came."""
    new = tickets("2024-12", "2025-12")
    old = tickets("2024-11")
    assert land(marketing, date(2025, 12, 30), old + new) == (0, 0)
    for day in (1, 2, 5):
        new.append(ticket(f"N{day}", f"2026-01-0{day} 09:00:00+08"))
        assert land(marketing, date(2026, 1, day), new) == (0, 0)
    assert len(in_force(marketing)) == 28 + 56 + 3
    assert {row["ticket_no"] for row in old} <= in_force(marketing)
    again = [ticket("2024-11-01", "2024-11-01 10:00:00+08", sub_type="corrected")]
    assert land(marketing, date(2026, 1, 6), new + again) == (0, 0)
    assert marketing.query(
        "select sub_type from raw_marketing.mkt_ticket where ticket_no = '2024-11-01' and not _is_tombstone"
        " order by _business_date desc, _load_id desc limit 1"
    ) == [("corrected",)]


def test_a_delivery_that_no_longer_keeps_a_month_confirms_nothing_of_it(marketing: Utility):
    """Ten of November were missing on 31 December; that a file of 1 January lacks them says nothing, for it holds no November."""
    old, new = tickets("2024-11", days=10), tickets("2025-10", "2025-11", "2025-12", days=30)
    assert land(marketing, date(2025, 12, 30), old + new) == (0, 0)
    assert land(marketing, date(2025, 12, 31), new) == (0, 10)
    land(marketing, date(2026, 1, 1), [*new, ticket("N1", "2026-01-01 09:00:00+08")])
    assert {row["ticket_no"] for row in old} <= in_force(marketing)


def test_a_delivery_that_still_keeps_the_month_confirms_what_it_lacks(marketing: Utility):
    """The same ten, a night earlier: the file of 31 December still holds November."""
    old, new = tickets("2024-11", days=10), tickets("2025-10", "2025-11", "2025-12", days=30)
    assert land(marketing, date(2025, 12, 29), old + new) == (0, 0)
    assert land(marketing, date(2025, 12, 30), new) == (0, 10)
    assert land(marketing, date(2025, 12, 31), [*new, ticket("N1", "2025-12-31 09:00:00+08")]) == (10, 0)
    assert not {row["ticket_no"] for row in old} & in_force(marketing)


def inspection(number: str, due_on: str) -> dict:
    return {"insp_no": number, "cons_no": "0310000001", "kind": "PERIODIC", "due_on": due_on}


def test_hazards_of_inspections_that_are_kept_no_longer_go_with_them(marketing: Utility):
    """40 hazards of November and 40 of December: on 1 January the first 40 are left out with their inspections, and one more."""
    inspections = [inspection(month, f"{month}-15") for month in ("2024-11", "2024-12")]
    hazards = [
        {"hazard_no": f"{row['insp_no']}-{n}", "insp_no": row["insp_no"], "rectify_due": "2025-01-31"}
        for row in inspections
        for n in range(40)
    ]
    marketing.write("mkt_inspection", "mkt_inspection_20251230.csv", inspections)
    marketing.write("mkt_hazard", "mkt_hazard_20251230.csv", hazards)
    marketing.land(date(2025, 12, 30))
    marketing.write("mkt_inspection", "mkt_inspection_20260101.csv", inspections[1:])
    marketing.write("mkt_hazard", "mkt_hazard_20260101.csv", hazards[41:])
    landed = {r.table_name: (r.tombstone_rows, r.pending_rows) for r in marketing.land(date(2026, 1, 1))}
    assert (landed["mkt_inspection"], landed["mkt_hazard"]) == ((0, 0), (1, 0))
