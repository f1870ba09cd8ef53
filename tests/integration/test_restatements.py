"""What a delivery says anew of the past: unusual shares are reported, days and months that are exchanged stop the night."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.records.database import connect
from tests.landing import Utility, new_utility

NIGHT = date(2026, 6, 1)
METERS = range(10)


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    return new_utility(database, tmp_path, monkeypatch)


def freeze(meter: int, day: date, reading: object, version: int = 1) -> dict:
    return {
        "meter_asset_no": f"M{meter}",
        "mp_no": f"P{meter}",
        "freeze_kind": "DAY",
        "freeze_ts": f"{day} 00:00:00+08:00",
        "energy_kind": "ACTIVE",
        "dir": "FWD",
        "rate": "TOTAL",
        "reading": reading,
        "version": version,
        "recv_ts": f"{day} 01:00:00+08:00",
    }


def true_reading(meter: int, day: date) -> int:
    return 1000 * meter + day.timetuple().tm_yday


def days(first: str, count: int) -> list[date]:
    return [date.fromisoformat(first) + timedelta(days=n) for n in range(count)]


def exchanged(day: date) -> date:
    return date(day.year, day.day, day.month)


def land(utility: Utility, name: str, rows: list[dict], night: date = NIGHT) -> None:
    utility.write("met_register_freeze", name, rows)
    assert [r.state for r in utility.land(night)][-1] == "landed"


def land_history(utility: Utility, meters=METERS, read=true_reading) -> None:
    """Every day from January to May, as it was."""
    land(utility, "h_20260601.csv", [freeze(m, day, read(m, day)) for m in meters for day in days("2026-01-01", 151)])


def found(utility: Utility, rule_id: str, night: date = NIGHT) -> list[tuple[str, str]]:
    rule = next(r for r in load_rules() if r.id == rule_id)
    with connect(utility.url) as connection:
        run_id = connection.execute(
            "insert into quality.runs (business_date) values (%s) returning run_id", (night,)
        ).fetchone()[0]
        evaluate(connection, rule, run_id, night)
        return connection.execute(
            "select severity, observed from quality.violations where run_id = %s order by record_key::text", (run_id,)
        ).fetchall()


def test_a_file_whose_days_and_months_are_exchanged_stops_the_night_and_names_the_pairs(utility):
    land_history(utility)
    wrong = [freeze(m, exchanged(day), true_reading(m, day)) for m in METERS for day in days("2026-05-01", 4)]
    land(utility, "wrong_20260601.csv", wrong)
    assert found(utility, "PIP-09") == [
        (
            "block",
            "4 days are those with day and month exchanged: 2026-01-05 holds 2026-05-01 (10 rows), 2026-02-05 holds"
            " 2026-05-02 (10 rows), 2026-03-05 holds 2026-05-03 (10 rows), 2026-04-05 holds 2026-05-04 (10 rows)",
        )
    ]
    assert found(utility, "PIP-08") == []  # 40 rows are fewer than 50
    right = [
        freeze(m, exchanged(day), true_reading(m, exchanged(day))) for m in METERS for day in days("2026-05-01", 4)
    ]
    land(utility, "wrong_20260601.csv", right)
    assert found(utility, "PIP-09") == []


def test_two_days_may_be_a_coincidence(utility):
    land_history(utility)
    wrong = [freeze(m, exchanged(day), true_reading(m, day)) for m in METERS for day in days("2026-05-01", 2)]
    land(utility, "wrong_20260601.csv", wrong)
    assert found(utility, "PIP-09") == []


def test_one_record_that_differs_makes_it_another_day(utility):
    land_history(utility)
    wrong = [
        freeze(m, exchanged(day), true_reading(m, day) + (m == 3)) for m in METERS for day in days("2026-05-01", 4)
    ]
    land(utility, "wrong_20260601.csv", wrong)
    assert found(utility, "PIP-09") == []


def test_meters_that_stand_still_exchange_nothing(utility):
    land_history(utility, read=lambda m, day: m)
    land(utility, "again_20260601.csv", [freeze(m, exchanged(d), 7) for m in METERS for d in days("2026-05-01", 4)])
    assert found(utility, "PIP-09") == []


def test_days_that_are_in_the_same_file_twice_are_found(utility):
    land_history(utility)
    rows = [
        freeze(m, under, true_reading(m, day))
        for m in METERS
        for day in days("2026-06-01", 4)
        for under in (day, exchanged(day))
    ]
    land(utility, "june_20260605.csv", rows, night=date(2026, 6, 5))
    assert [severity for severity, _ in found(utility, "PIP-09", date(2026, 6, 5))] == ["block"]


def test_the_first_delivery_of_a_table_restates_nothing(utility):
    rows = [
        freeze(m, under, true_reading(m, day))
        for m in METERS
        for day in days("2026-05-01", 4)
        for under in (day, exchanged(day))
    ]
    land(utility, "all_20260601.csv", rows)
    assert found(utility, "PIP-09") == []


# meters with a reading on each of four days, readings replaced, in force, and whether that is unusual
@pytest.mark.parametrize(
    ("meters", "replaced", "is_unusual"), [(20, 49, False), (20, 50, True), (300, 60, False), (300, 61, True)]
)
@pytest.mark.parametrize("version", [1, 2])
def test_an_unusual_share_that_is_replaced_is_reported(utility, meters, replaced, is_unusual, version):
    where = [(m, day) for m in range(meters) for day in days("2026-05-13", 4)]
    land(utility, "h_20260601.csv", [freeze(m, day, 10) for m, day in where])
    land(utility, "n_20260601.csv", [freeze(m, day, 11, version) for m, day in where[:replaced]])
    assert bool(found(utility, "PIP-08")) is is_unusual


def test_a_restatement_is_told_with_days_and_three_pairs_once(utility):
    land_history(utility)
    land(utility, "n_20260601.csv", [freeze(m, day, 7) for m in METERS for day in days("2026-05-13", 6)])

    def pair(day: int) -> str:
        key = {"dir": "FWD", "rate": "TOTAL", "version": 1, "freeze_ts": f"2026-05-{day}T00:00:00+08:00"}
        key |= {"energy_kind": "ACTIVE", "freeze_kind": "DAY", "meter_asset_no": "M0"}
        return f"{json.dumps(key)} reading {120 + day}.0000 became 7.0000"

    assert found(utility, "PIP-08") == [
        (
            "warn",
            "60 of 60 rows in force were replaced, on 6 days between 2026-05-13 and 2026-05-18: "
            + "; ".join(pair(day) for day in (13, 14, 15)),
        )
    ]
    with connect(utility.url) as connection:  # the night is published; the next one does not tell it again
        connection.execute(
            "insert into quality.runs (business_date, state, last_load_id) select %s, 'published', max(load_id)"
            " from quality.receipts",
            (NIGHT,),
        )
    assert found(utility, "PIP-08") != []  # a rerun of that night does
    assert found(utility, "PIP-08", NIGHT + timedelta(days=1)) == []


def test_a_table_that_says_what_is_may_change_as_little(utility):
    marketing = Utility(utility.url, utility.folder.parent / "marketing", "marketing")
    for day, status in ((1, "1"), (2, "2")):
        rows = [
            {"cons_no": f"{n:04}", "cons_name": "synthetic", "status": status if n < 60 else "1"} for n in range(100)
        ]
        marketing.write("mkt_customer", f"c_2026060{day}.csv", rows)
        marketing.land(date(2026, 6, day))
    ((severity, observed),) = found(utility, "PIP-08", date(2026, 6, 2))
    assert severity == "warn"
    assert observed.startswith('60 of 100 rows in force were replaced: {"cons_no": "0000"} status 1 became 2; ')
