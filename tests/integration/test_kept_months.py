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


def decisions(utility: Utility) -> list[tuple]:
    """Decision, by what, why, and of how many rows that were left out, open ones first."""
    return utility.query(
        "select decision, decided_by, reason, count(*)::int from quality.pending_withdrawals"
        " group by 1, 2, 3 order by 1 nulls first, 2, 3"
    )


KEPT_NO_LONGER = ("denied", "delivery", "the source keeps its month no longer")


def test_what_is_pending_of_a_month_that_is_kept_no_longer_stays_in_force_and_is_asked_for_no_more(marketing: Utility):
    """November and December 2024 were missing on 31 December; on 1 January a file can hold December and no November."""
    new = tickets("2025-12")
    assert land(marketing, date(2025, 12, 30), tickets("2024-11", "2024-12") + new) == (0, 0)
    assert land(marketing, date(2025, 12, 31), new) == (0, 56)
    assert severities(marketing, date(2025, 12, 31)) == ["block"]
    assert decisions(marketing) == [(None, None, None, 56)]
    assert land(marketing, date(2026, 1, 1), new) == (0, 28)
    assert severities(marketing, date(2026, 1, 1)) == ["block"]
    assert decisions(marketing) == [(None, None, None, 28), (*KEPT_NO_LONGER, 28)]
    assert land(marketing, date(2026, 2, 1), [*new, ticket("N1", "2026-02-01 09:00:00+08")]) == (0, 0)
    assert severities(marketing, date(2026, 2, 1)) == []
    assert decisions(marketing) == [(*KEPT_NO_LONGER, 56)]
    assert len(in_force(marketing)) == 56 + 28 + 1


def test_what_a_late_file_lacks_of_a_month_that_is_kept_no_longer_is_asked_for_no_more(marketing: Utility):
    """The file of 31 December comes a second time after that of 1 January, and with one ticket less: that one alone is withdrawn."""
    new = tickets("2025-10", "2025-11", "2025-12")
    assert land(marketing, date(2025, 12, 30), tickets("2024-11") + new) == (0, 0)
    assert land(marketing, date(2025, 12, 31), new) == (0, 28)
    assert land(marketing, date(2026, 1, 1), new[:-1]) == (1, 0)
    land(marketing, date(2025, 12, 31), new[:-1])
    assert severities(marketing, date(2026, 1, 1)) == []
    assert len(in_force(marketing)) == 28 + 83


def test_pending_hazards_go_with_their_inspection_when_it_is_kept_no_longer(marketing: Utility):
    """All hazards of two inspections are missing on 31 December; on 1 January that of November is kept no longer."""
    inspections = [inspection(month, f"{month}-15") for month in ("2024-11", "2024-12", "2025-12")]
    hazards = [hazard(row, n) for row in inspections for n in range(40)]
    deliver(marketing, date(2025, 12, 30), inspections, hazards)
    assert deliver(marketing, date(2025, 12, 31), inspections, hazards[80:]) == ((0, 0), (0, 80))
    assert deliver(marketing, date(2026, 1, 1), inspections[1:], hazards[80:]) == ((0, 0), (0, 40))
    assert decisions(marketing) == [(None, None, None, 40), (*KEPT_NO_LONGER, 40)]


def inspection(number: str, due_on: str) -> dict:
    return {"insp_no": number, "cons_no": "0310000001", "kind": "PERIODIC", "due_on": due_on}


def hazard(of: dict, n: int) -> dict:
    """A hazard of an inspection; its own dates say nothing of how long it is kept."""
    return {"hazard_no": f"{of['insp_no']}-{n}", "insp_no": of["insp_no"], "rectify_due": "2025-01-31"}


def deliver(utility: Utility, day: date, inspections: list[dict], hazards: list[dict]) -> tuple:
    """Rows withdrawn and rows pending of the inspections and of the hazards, delivered on a day."""
    for table, rows in (("mkt_inspection", inspections), ("mkt_hazard", hazards)):
        utility.write(table, f"{table}_{day:%Y%m%d}.csv", rows)
    landed = {r.table_name: (r.tombstone_rows, r.pending_rows) for r in utility.land(day)}
    return landed["mkt_inspection"], landed["mkt_hazard"]


def hazards_in_force(utility: Utility) -> set[str]:
    return {number for number, _ in utility.in_force("mkt_hazard", "hazard_no", "insp_no")}


# Inspections due in November and December 2024, each with 40 hazards. A hazard has no date of its own that counts: it is kept as
# long as the inspection at which it was found, up to 31 December that of November, up to 31 January that of December.
NOVEMBER, DECEMBER = inspection("I11", "2024-11-30"), inspection("I12", "2024-12-01")
NEW = inspection("I13", "2025-12-15")
OF_NOVEMBER, OF_DECEMBER = ([hazard(row, n) for n in range(40)] for row in (NOVEMBER, DECEMBER))


@pytest.mark.parametrize(
    ("day", "inspections", "hazards", "of_inspections", "of_hazards"),
    [
        (date(2025, 12, 31), [DECEMBER], OF_DECEMBER, (1, 0), (0, 40)),
        (date(2026, 1, 1), [DECEMBER], OF_DECEMBER, (0, 0), (0, 0)),
        (date(2026, 1, 1), [DECEMBER], OF_DECEMBER[1:], (0, 0), (1, 0)),
        (date(2026, 1, 1), [DECEMBER], OF_DECEMBER[20:], (0, 0), (0, 20)),
        (date(2026, 1, 31), [DECEMBER, NEW], [hazard(NEW, 1)], (0, 0), (0, 40)),
        (date(2026, 2, 1), [NEW], [hazard(NEW, 1)], (0, 0), (0, 0)),
        (date(2026, 1, 1), [NOVEMBER, DECEMBER], OF_DECEMBER, (0, 0), (0, 0)),
    ],
    ids=[
        "November on 31 December",
        "November on 1 January",
        "and one of December on 1 January",
        "and half of December on 1 January",
        "all but a new one on 31 January, and the inspection of December is there",
        "all but a new one on 1 February",
        "hazards of November on 1 January, without their inspection",
    ],
)
def test_a_hazard_is_kept_as_long_as_its_inspection(
    marketing: Utility, day, inspections, hazards, of_inspections, of_hazards
):
    deliver(marketing, date(2025, 12, 30), [NOVEMBER, DECEMBER], OF_NOVEMBER + OF_DECEMBER)
    assert deliver(marketing, day, inspections, hazards) == (of_inspections, of_hazards)
    assert len(hazards_in_force(marketing)) == 80 - of_hazards[0] + (NEW in inspections)


def test_a_hazard_that_moves_to_a_newer_inspection_is_kept_as_long_as_that_one(marketing: Utility):
    """Entered at the inspection of November by mistake, corrected a day later: on 1 January it is missing like any other."""
    corrected = [row | {"insp_no": "I12"} for row in OF_NOVEMBER]
    deliver(marketing, date(2025, 12, 29), [NOVEMBER, DECEMBER], OF_NOVEMBER + OF_DECEMBER)
    deliver(marketing, date(2025, 12, 30), [NOVEMBER, DECEMBER], corrected + OF_DECEMBER)
    assert deliver(marketing, date(2026, 1, 1), [DECEMBER], OF_DECEMBER) == ((0, 0), (0, 40))


def test_an_inspection_that_is_put_off_is_kept_as_long_as_its_new_day(marketing: Utility):
    """Due in November at first and put off to December: on 1 January the source still holds it, and its hazards."""
    put_off = inspection("I11", "2024-12-20")
    deliver(marketing, date(2025, 12, 29), [NOVEMBER, DECEMBER], OF_NOVEMBER + OF_DECEMBER)
    deliver(marketing, date(2025, 12, 30), [put_off, DECEMBER], OF_NOVEMBER + OF_DECEMBER)
    assert deliver(marketing, date(2026, 1, 1), [put_off, DECEMBER], OF_DECEMBER) == ((0, 0), (0, 40))
