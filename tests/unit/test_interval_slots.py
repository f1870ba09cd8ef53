"""Slots of an interval file become those of the warehouse: whatever the zone of their stamps and the minutes between them.

The year is that of a real steel works; its totals are the published facts of the file, typed in.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.contracts import all_tables
from include.landing.delivery import LINE, FileProblem
from include.landing.intervals import day_curves, resolution_of

TABLE = all_tables()["met_interval_96"]
STEEL = Path(__file__).parents[3] / "shared" / "data" / "metering" / "steel_daewoo_2018_15min.csv"
YEAR_KWH = Decimal("959636.71")
FEBRUARY_KWH = Decimal("91497.34")


def curves(
    stamps: list[str], values: list[str | None], *, data_type: str = "E+", minutes: int = 15, **stamp: str
) -> dict:
    """(day, slot) -> text, of the slots that have a value."""
    layout = {
        "metering_point_no": "MP-1",
        "slot_minutes": minutes,
        "stamp": {"column": "at", "format": "%Y-%m-%d %H:%M", **stamp},
        "quantities": {"value": {"data_type": data_type}},
    }
    rows = pa.table({LINE: range(2, len(stamps) + 2), "at": stamps, "value": pa.array(values, pa.string())})
    return {
        (row["data_date"], slot): row[f"v{slot}"]
        for row in day_curves(rows, layout, TABLE).to_pylist()
        for slot in range(1, 97)
        if row[f"v{slot}"] is not None
    }


@pytest.fixture(scope="module")
def steel() -> list[tuple[datetime, Decimal]]:
    """End of each slot and its kWh; 24:00 is written 00:00 of the same day."""
    if not STEEL.exists():
        pytest.skip("shared data")
    readings = []
    for row in csv.DictReader(STEEL.read_text("utf-8-sig").splitlines()):
        stamp = datetime.strptime(row["date"], "%d-%m-%Y %H:%M")
        is_midnight = (stamp.hour, stamp.minute) == (0, 0)
        readings.append((stamp + timedelta(days=is_midnight), Decimal(row["Usage_kWh"])))
    return readings


def test_stamps_of_utc_and_of_eight_hours_east_give_the_same_year(steel):
    kwh = [str(value) for _, value in steel]
    local = [f"{end:%Y-%m-%d %H:%M}" for end, _ in steel]
    utc = [f"{end - timedelta(hours=8):%Y-%m-%d %H:%M}" for end, _ in steel]
    with_offset = {"format": "%Y-%m-%d %H:%M%z", "labels": "end"}
    years = [
        curves(local, kwh, labels="end"),
        curves(local, kwh, labels="end", zone="Asia/Shanghai"),
        curves([f"{text}+08:00" for text in local], kwh, **with_offset),
        curves([f"{text}+0000" for text in utc], kwh, **with_offset),
        curves([f"{text}Z" for text in utc], kwh, **with_offset),
        curves(utc, kwh, labels="end", zone="UTC"),
        curves(utc, kwh, labels="end", zone="+00:00"),
    ]
    assert all(year == years[0] for year in years)
    assert (len(years[0]), min(years[0])[0], max(years[0])[0]) == (35_040, "2018-01-01", "2018-12-31")
    assert sum(map(Decimal, years[0].values())) == YEAR_KWH
    assert sum(Decimal(value) for (day, _), value in years[0].items() if day[:7] == "2018-02") == FEBRUARY_KWH


def test_the_last_quarter_of_a_month_is_in_the_month_whoever_stamped_it():
    """At 16:00 of the 31st in Greenwich, February begins in Shanghai."""
    expected = {("2026-01-31", 96): "5", ("2026-02-01", 1): "7"}
    with_offset = {"format": "%Y-%m-%d %H:%M%z"}
    assert curves(["2026-01-31 15:45Z", "2026-01-31 16:00Z"], ["5", "7"], **with_offset) == expected
    assert curves(["2026-02-01 00:00+08:00", "2026-01-31 16:15Z"], ["5", "7"], labels="end", **with_offset) == expected
    assert curves(["2026-01-31 10:45", "2026-01-31 11:00"], ["5", "7"], zone="America/New_York") == expected


def test_a_midnight_of_the_same_day_is_that_of_the_clock_that_wrote_it():
    stamp = {"format": "%Y-%m-%d %H:%M%z", "labels": "end", "midnight": "same_day"}
    assert curves(["2026-01-31 00:00+08:00"], ["5"], **stamp) == {("2026-01-31", 96): "5"}
    assert curves(["2026-01-31 08:00+08:00"], ["5"], **stamp) == {("2026-01-31", 32): "5"}


@pytest.mark.parametrize("wrong", ["2026-03-08 02:30", "2026-11-01 01:30"])
def test_an_hour_that_a_zone_skips_or_repeats_is_no_instant(wrong):
    with pytest.raises(FileProblem) as caught:
        curves(["2026-03-01 00:00", wrong], ["1", "2"], zone="America/New_York")
    assert str(caught.value) == (
        f"line 3: America/New_York has '{wrong}' twice or not at all, when its clocks change;"
        " write the offset in the stamps and %z in their format"
    )


SHARES = (Decimal("0.5"), Decimal("0.3"), Decimal("0.2"))


def parted(readings: list[tuple[datetime, Decimal]], minutes: int) -> list[tuple[datetime, Decimal]]:
    """Each slot as three of these minutes that add up to it."""
    return [
        (end - timedelta(minutes=minutes * (2 - part)), value * share)
        for end, value in readings
        for part, share in enumerate(SHARES)
    ]


def gathered(readings: list[tuple[datetime, Decimal]], number: int) -> list[tuple[datetime, Decimal]]:
    """So many slots as one."""
    groups = [readings[at : at + number] for at in range(0, len(readings), number)]
    return [(group[-1][0], sum(value for _, value in group)) for group in groups]


@pytest.mark.parametrize(
    ("minutes", "delivered", "kept", "resolution"),
    [
        (5, 105_120, 35_040, 15),
        (10, 52_560, 17_520, 30),
        (15, 35_040, 35_040, 15),
        (30, 17_520, 17_520, 30),
        (60, 8_760, 8_760, 60),
    ],
)
def test_the_year_has_its_energy_whatever_the_minutes_of_its_slots(steel, minutes, delivered, kept, resolution):
    readings = {
        5: lambda: parted(steel, 5),
        10: lambda: parted(gathered(steel, 2), 10),
        15: lambda: steel,
        30: lambda: gathered(steel, 2),
        60: lambda: gathered(steel, 4),
    }[minutes]()
    assert len(readings) == delivered
    stamps, kwh = [f"{end:%Y-%m-%d %H:%M}" for end, _ in readings], [str(value) for _, value in readings]
    year = curves(stamps, kwh, minutes=minutes, labels="end")
    assert (len(year), resolution_of({"slot_minutes": minutes})) == (kept, resolution)
    assert sum(map(Decimal, year.values())) == YEAR_KWH
    assert sum(Decimal(value) for (day, _), value in year.items() if day[:7] == "2018-02") == FEBRUARY_KWH
    slots = defaultdict(set)
    for day, slot in year:
        slots[day].add(slot)
    assert {frozenset(found) for found in slots.values()} == {frozenset(range(resolution // 15, 97, resolution // 15))}


def at(minutes: int, count: int) -> list[str]:
    start = datetime(2026, 1, 5)
    return [f"{start + timedelta(minutes=minutes * number):%Y-%m-%d %H:%M}" for number in range(count)]


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [
        ("E+", ["6", "15"]),
        ("RQ4", ["6", "15"]),
        ("P", ["2", "5"]),
        ("Q", ["2", "5"]),
        ("U", ["3", "6"]),
        ("I", ["3", "6"]),
    ],
)
def test_slots_of_five_minutes_become_what_their_quantity_means(data_type, expected):
    """Three slots of 1, 2, 3 and three of 4, 5, 6: energy adds up, power is the average, voltage that at the end."""
    made = curves(at(5, 6), ["1", "2", "3", "4", "5", "6"], minutes=5, data_type=data_type)
    assert made == {("2026-01-05", 1): expected[0], ("2026-01-05", 2): expected[1]}


def test_ten_minutes_fill_half_an_hour_and_no_quarter():
    assert curves(at(10, 3), ["1", "2", "6"], minutes=10) == {("2026-01-05", 2): "9"}
    assert curves(at(10, 3), ["1", "2", "6"], minutes=10, data_type="P") == {("2026-01-05", 2): "3"}


def test_an_hour_stays_an_hour_in_the_quarter_with_which_it_ends():
    assert curves(at(60, 2), ["8", "9"], minutes=60) == {("2026-01-05", 4): "8", ("2026-01-05", 8): "9"}


def test_a_part_that_is_missing_leaves_the_slot_without_a_value():
    made = curves(at(5, 6), ["1", None, "3", "4", "5", "6"], minutes=5)
    assert made == {("2026-01-05", 2): "15"}
    assert curves(at(5, 5), ["1", "2", "3", "4", "5"], minutes=5) == {("2026-01-05", 1): "6"}


def test_a_part_that_is_no_number_stays_for_the_row_to_be_rejected():
    assert curves(at(5, 3), ["1", "n/a", "3"], minutes=5) == {("2026-01-05", 1): "n/a"}


def test_a_stamp_off_the_grid_of_its_minutes_is_named():
    with pytest.raises(FileProblem, match=r"^line 3: '2026-01-05 00:05' is not on the 10-minute grid$"):
        curves(["2026-01-05 00:00", "2026-01-05 00:05"], ["1", "2"], minutes=10)
