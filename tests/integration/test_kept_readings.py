"""The simulated source keeps what it once delivered of a monthly reading, by a second hand: its demand too.

Worked out from the contract of met_register_freeze: a row is never changed, a later collection of the same period is a new row with
a higher version; the freeze at 00:00 of a day closes the day before it, and its demand is the maximum of the closed period.
Everything is synthetic.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from include.contracts import all_tables
from include.lab.second_planter.days import ZONE
from include.lab.utility import generate

ACCOUNTS, CURVES = 20, 2
KEY = all_tables()["met_register_freeze"].key


def monthly(day: date, is_rich: bool = False) -> dict[tuple, dict]:
    """The monthly readings that the utility delivers on a day, by key."""
    simulation = generate(day, ACCOUNTS, CURVES, 1, is_rich=is_rich)
    rows = simulation.tables["metering", "met_register_freeze"].to_pylist()
    return {tuple(row[column] for column in KEY): row for row in rows if row["freeze_kind"] == "MONTH"}


def closes(row: dict) -> date:
    """The day from which a reading is on: it closes the day before."""
    return row["freeze_ts"].astimezone(ZONE).date()


def with_demand(rows: dict[tuple, dict]) -> list[dict]:
    """The readings that have a demand: those of all active energy that a meter passes on to the customer."""
    return [r for r in rows.values() if (r["energy_kind"], r["dir"], r["rate"]) == ("ACTIVE", "FWD", "T")]


# The night before the window moves, the first on which it has moved, and how many months lie between their oldest readings.
NIGHTS = [
    (date(2026, 11, 30), date(2026, 12, 1), 1),
    (date(2026, 12, 31), date(2027, 1, 1), 1),
    (date(2027, 2, 28), date(2027, 3, 1), 1),
    (date(2026, 11, 29), date(2026, 11, 30), 0),
    (date(2026, 10, 15), date(2026, 12, 15), 2),
]


@pytest.mark.parametrize("is_rich", [False, True], ids=["plain", "rich"])
@pytest.mark.parametrize(("before", "after", "months"), NIGHTS, ids=[f"{b} to {a}" for b, a, _ in NIGHTS])
def test_a_monthly_reading_is_the_same_on_every_night_on_which_it_is_delivered(before, after, months, is_rich):
    first, second = monthly(before, is_rich), monthly(after, is_rich)
    both = first.keys() & second.keys()
    assert len(both) > 100
    assert [key for key in both if first[key] != second[key]] == []
    oldest, new_oldest = (min(map(closes, rows.values())) for rows in (first, second))
    assert 12 * (new_oldest.year - oldest.year) + new_oldest.month - oldest.month == months
    assert (oldest.day, new_oldest.day) == (1, 1)


@pytest.mark.parametrize("day", [date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 1), date(2027, 3, 1)])
def test_the_oldest_monthly_reading_has_the_demand_of_the_month_that_it_closes(day):
    """Every point of the plain utility was there the month before; the slot of the demand ends within that month."""
    readings = with_demand(monthly(day))
    oldest = min(map(closes, readings))
    of_oldest = [row for row in readings if closes(row) == oldest]
    assert len(of_oldest) >= ACCOUNTS
    month_before = (oldest - timedelta(days=1)).replace(day=1)
    for row in of_oldest:
        assert row["max_demand_kw"] is not None, row["meter_asset_no"]
        assert row["max_demand_kw"] > 0, row["meter_asset_no"]
        at = row["max_demand_ts"].astimezone(ZONE)
        assert month_before <= at.date() <= oldest, row["meter_asset_no"]
        assert at.date() < oldest or (at.hour, at.minute) == (0, 0), row["meter_asset_no"]


def test_a_rate_and_reactive_energy_have_no_demand():
    rows = monthly(date(2026, 12, 1))
    others = [r for r in rows.values() if r not in with_demand(rows)]
    assert {(r["energy_kind"], r["rate"]) for r in others} >= {("ACTIVE", "PEAK"), ("REACTIVE_Q1", "T")}
    assert {(r["max_demand_kw"], r["max_demand_ts"]) for r in others} == {(None, None)}


def test_the_demand_of_the_oldest_reading_is_the_highest_quarter_of_an_hour_of_its_month():
    """As the curves of that month said when they were delivered, thirteen months before; points of which all days were collected."""
    readings = with_demand(monthly(date(2026, 12, 1)))
    oldest = min(map(closes, readings))
    last = oldest - timedelta(days=1)
    delivered = generate(last, ACCOUNTS, last.day, 1).tables
    points = delivered["metering", "met_measuring_point"].to_pylist()
    curves: dict[str, dict[date, float]] = {point["mp_no"]: {} for point in points}
    for row in delivered["metering", "met_interval_96"].to_pylist():
        slots = [row[f"v{n}"] for n in range(1, 97)]
        if row["data_type"] == "E+" and None not in slots:
            curves[row["mp_no"]][row["data_date"]] = float(max(slots))
    demand = {row["meter_asset_no"]: float(row["max_demand_kw"]) for row in readings if closes(row) == oldest}
    whole = [point for point in points if len(curves[point["mp_no"]]) == last.day]
    assert len(whole) > 10
    for point in whole:
        assert demand[point["meter_asset_no"]] == pytest.approx(4 * max(curves[point["mp_no"]].values()), abs=0.001)
