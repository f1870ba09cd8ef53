"""A file that brings some slots of a day leaves the others of that day in force."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.landing import Utility, csv_text, new_utility

FIRST, SECOND, THIRD = date(2026, 1, 6), date(2026, 1, 7), date(2026, 1, 8)


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    return new_utility(database, tmp_path, monkeypatch)


def layout(minutes: int, *, is_primary: bool = True) -> dict:
    return {
        "files": f"*_{minutes}_{'primary' if is_primary else 'secondary'}_*.csv",
        "metering_point_no": "MP-1",
        "is_primary": is_primary,
        "slot_minutes": minutes,
        "stamp": {"column": "at", "format": "%Y-%m-%d %H:%M"},
        "quantities": {"kwh": {"data_type": "E+"}},
    }


def deliver(utility: Utility, day: date, slots: range, value: str, *, minutes: int = 15, side: str = "primary") -> list:
    """Lands, dated `day`, these slots of 2026-01-05, all of one value; the receipts."""
    start = datetime(2026, 1, 5)
    lines = [f"{start + timedelta(minutes=minutes * (slot - 1)):%Y-%m-%d %H:%M},{value}" for slot in slots]
    utility.write("met_interval_96", f"works_{minutes}_{side}_{day:%Y%m%d}.csv", "\n".join(["at,kwh", *lines]) + "\n")
    layouts = [layout(15), layout(60), layout(15, is_primary=False)]
    utility.announce("met_interval_96", intervals=layouts)
    return utility.land(day)


def in_force(utility: Utility) -> tuple:
    """Sum, slots with a value, minutes of a slot, and slots that the newest delivery brought."""
    (row,) = utility.in_force(
        "met_interval_96",
        "quality.slot_sum(v)::text",
        "quality.slot_count(v)",
        "_slot_minutes",
        "bit_count(_delivered_slots)",
    )
    return row


def versions(utility: Utility) -> list[tuple]:
    return utility.query(
        "select quality.slot_sum(v)::text, bit_count(_delivered_slots) from raw_metering.met_interval_96 order by _raw_id"
    )


def test_forty_restated_slots_leave_the_other_56_in_force(utility):
    deliver(utility, FIRST, range(1, 97), "1")
    assert in_force(utility) == ("96", 96, 15, 96)
    (receipt,) = deliver(utility, SECOND, range(11, 51), "3")
    assert (receipt.delivered_rows, receipt.inserted_rows, receipt.duplicate_rows) == (1, 1, 0)
    assert in_force(utility) == ("176", 96, 15, 40)  # 56 of 1 and 40 of 3
    assert utility.in_force("met_interval_96", "v[10]", "v[11]", "v[50]", "v[51]", "point_flag") == [
        (1, 3, 3, 1, "1" * 96)
    ]
    assert versions(utility) == [("96", 96), ("176", 40)]


def test_a_redelivery_that_changes_nothing_is_a_duplicate(utility):
    deliver(utility, FIRST, range(1, 97), "1")
    deliver(utility, SECOND, range(11, 51), "3")
    (receipt,) = deliver(utility, THIRD, range(20, 31), "3.0")
    assert (receipt.inserted_rows, receipt.duplicate_rows) == (0, 1)
    assert versions(utility) == [("96", 96), ("176", 40)]


def test_a_day_in_two_halves_becomes_whole(utility):
    deliver(utility, FIRST, range(1, 33), "2")
    assert in_force(utility) == ("64", 32, 15, 32)
    deliver(utility, SECOND, range(33, 97), "1")
    assert in_force(utility) == ("128", 96, 15, 64)


def test_slots_join_a_whole_row_of_the_contract_and_one_that_they_equal_stays(utility):
    row = {
        "mp_no": "MP-1", "data_date": "2026-01-05", "data_type": "E+", "phase": "T", "version": 1, "is_primary": "true",
        "recv_ts": "2026-01-06 07:00:00+08:00", "collect_way": "RECALL", **{f"v{slot}": 1 for slot in range(1, 97)},
    }  # fmt: skip
    utility.write("met_interval_96", "rows_20260106.csv", csv_text("met_interval_96", [row]))
    utility.land(FIRST)
    (receipt,) = deliver(utility, SECOND, range(1, 41), "1")
    assert (receipt.inserted_rows, receipt.duplicate_rows) == (0, 1)
    deliver(utility, THIRD, range(1, 41), "3")
    assert in_force(utility) == ("176", 96, 15, 40)


def test_an_hour_is_kept_as_an_hour_and_a_part_of_a_day_cannot_mix_with_it(utility):
    deliver(utility, FIRST, range(1, 25), "4", minutes=60)
    assert in_force(utility) == ("96", 24, 60, 24)
    (receipt,) = deliver(utility, SECOND, range(1, 41), "1")
    assert receipt.problem == (
        "line 2: slots of 15 minutes for part of 2026-01-05 of MP-1 (E+, phase T), which landed in slots of 60 minutes;"
        " allowed are slots of 60 minutes, or a whole day"
    )
    assert in_force(utility) == ("96", 24, 60, 24)
    deliver(utility, THIRD, range(1, 97), "2")
    assert in_force(utility) == ("192", 96, 15, 96)


def test_secondary_values_do_not_join_primary_ones(utility):
    deliver(utility, FIRST, range(1, 97), "1")
    (receipt,) = deliver(utility, SECOND, range(1, 41), "3", side="secondary")
    assert receipt.problem == (
        "line 2: secondary values for part of 2026-01-05 of MP-1 (E+, phase T), which landed in primary values;"
        " allowed are primary values, or a whole day"
    )
    assert in_force(utility) == ("96", 96, 15, 96)


def test_a_file_dated_before_one_that_landed_changes_nothing_of_the_later_day(utility):
    deliver(utility, SECOND, range(1, 25), "4", minutes=60)
    deliver(utility, FIRST, range(1, 41), "3")
    assert in_force(utility) == ("96", 24, 60, 24)
    assert versions(utility) == [("96", 24), ("120", 40)]
