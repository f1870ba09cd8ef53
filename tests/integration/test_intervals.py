"""A long interval file becomes day curves; on a real steel works' year, with every figure that a load can reproduce."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from include.contracts import all_tables
from include.landing.delivery import LINE, FileProblem
from include.landing.intervals import day_curves
from tests.landing import Utility, new_utility, read_file

TABLE = all_tables()["met_interval_96"]
STEEL = Path(__file__).parents[3] / "shared" / "data" / "metering" / "steel_daewoo_2018_15min.csv"
LAYOUT = {
    "metering_point_no": "MP-1",
    "is_primary": True,
    "stamp": {"column": "date", "format": "%d-%m-%Y %H:%M", "labels": "end", "midnight": "same_day"},
    "quantities": {
        "Usage_kWh": {"data_type": "E+"},
        "Lagging_Current_Reactive.Power_kVarh": {"data_type": "RQ1"},
        "Leading_Current_Reactive_Power_kVarh": {"data_type": "RQ4"},
        "Lagging_Current_Power_Factor": {"data_type": "PF", "scale": 0.01},
    },
}
MONTHLY_KWH = (
    "126238.29 91497.34 80230.41 78769.80 79059.28 65404.64 81674.41 68559.43 57883.07 84665.65 86217.61 59436.78"
)
MONTHLY_PEAK_KW = "612.56 582.04 605.24 556.12 560.16 535.40 486.72 534.80 510.48 557.72 628.72 596.72"
MONTHLY_POWER_FACTOR = ".9182 .9309 .9288 .9150 .8994 .8934 .8995 .8735 .8675 .8629 .8955 .9229"


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    return new_utility(database, tmp_path, monkeypatch)


def rows_of(*stamps: str, **columns: list) -> pa.Table:
    columns = columns or {"kwh": [str(n) for n in range(len(stamps))]}
    return pa.table({LINE: range(2, len(stamps) + 2), "at": list(stamps), **columns})


def layout(**stamp: str) -> dict:
    given = {"column": "at", "format": "%Y-%m-%d %H:%M"} | stamp
    return {"metering_point_no": "MP-1", "stamp": given, "quantities": {"kwh": {"data_type": "E+"}}}


def slots(curves: pa.Table) -> dict:
    return {
        (row["data_date"], slot): row[f"v{slot}"]
        for row in curves.to_pylist()
        for slot in range(1, 97)
        if row[f"v{slot}"] is not None
    }


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ({"labels": "start"}, {("2026-01-05", 1), ("2026-01-05", 2)}),
        ({"labels": "end", "midnight": "next_day"}, {("2026-01-04", 96), ("2026-01-05", 1)}),
        ({"labels": "end", "midnight": "same_day"}, {("2026-01-05", 96), ("2026-01-05", 1)}),
    ],
)
def test_stamps_are_packed_by_what_they_label(stamp, expected):
    curves = day_curves(rows_of("2026-01-05 00:00", "2026-01-05 00:15"), layout(**stamp), TABLE)
    assert set(slots(curves)) == expected


def test_what_did_not_come_is_null_and_flagged():
    curves = day_curves(rows_of("2026-01-05 00:00", "2026-01-05 00:30", kwh=["1", None]), layout(), TABLE)
    (row,) = curves.to_pylist()
    assert slots(curves) == {("2026-01-05", 1): "1"}
    assert row["point_flag"] == "1" + "0" * 95
    assert row["recv_ts"] == "2026-01-06 08:00:00+08:00"


def test_points_of_one_file_are_kept_apart():
    given = layout() | {"metering_point_column": "mp"}
    curves = day_curves(rows_of("2026-01-05 00:00", "2026-01-05 00:00", kwh=["1", "2"], mp=["A", "B"]), given, TABLE)
    assert [(row["mp_no"], row["v1"]) for row in curves.to_pylist()] == [("A", "1"), ("B", "2")]


@pytest.mark.parametrize(
    ("rows", "more", "problem"),
    [
        (rows_of("2026-01-05 00:07"), {}, "line 2: '2026-01-05 00:07' is not on the 15-minute grid"),
        (rows_of("05.01.2026 00:00"), {}, "line 2: '05.01.2026 00:00' does not read as %Y-%m-%d %H:%M"),
        (rows_of("2026-01-05 00:00", "2026-01-05 00:00"), {}, "line 3 repeats a slot of its day"),
        (rows_of("2026-01-05 00:00", kw=["1"]), {}, "column kwh of its manifest is missing"),
        (rows_of("2026-01-05 00:00"), {"metering_point_column": "mp"}, "column mp of its manifest is missing"),
        (
            rows_of("2026-01-05 00:00", kwh=["1"], mp=pa.array([None], pa.string())),
            {"metering_point_column": "mp"},
            "line 2 names no metering point",
        ),
    ],
)
def test_a_file_that_cannot_be_packed_says_why(rows, more, problem):
    with pytest.raises(FileProblem) as caught:
        day_curves(rows, layout() | more, TABLE)
    assert str(caught.value) == problem


def test_what_is_no_number_stays_for_the_row_to_be_rejected():
    given = layout() | {"quantities": {"kwh": {"data_type": "PF", "scale": 0.01}}}
    curves = day_curves(rows_of("2026-01-05 00:00", "2026-01-05 00:15", kwh=["73.21", "n/a"]), given, TABLE)
    assert slots(curves) == {("2026-01-05", 1): "0.7321", ("2026-01-05", 2): "n/a"}


@pytest.fixture(scope="module")
def steel() -> bytes:
    if not STEEL.exists():
        pytest.skip("shared data")
    return STEEL.read_bytes()


@pytest.fixture(scope="module")
def year(steel) -> dict[str, dict[date, list[Decimal]]]:
    rows, malformed = read_file(".csv", steel)
    assert (rows.num_rows, malformed) == (35_040, [])
    days: dict = defaultdict(dict)
    for row in day_curves(rows, LAYOUT, TABLE).to_pylist():
        days[row["data_type"]][date.fromisoformat(row["data_date"])] = [
            Decimal(row[name]) for name in TABLE.curve_slots
        ]
    return days


def by_month(days: dict[date, list[Decimal]], of) -> list:
    months: dict[int, list[Decimal]] = defaultdict(list)
    for day, values in sorted(days.items()):
        months[day.month] += values
    return [of(values) for values in months.values()]


def test_the_steel_works_year_has_365_whole_days_of_2018(year):
    for days in year.values():
        assert (len(days), min(days), max(days)) == (365, date(2018, 1, 1), date(2018, 12, 31))


def test_the_steel_works_energies_are_those_of_the_file(year):
    totals = {kind: sum(sum(values) for values in days.values()) for kind, days in year.items()}
    assert totals["E+"] == Decimal("959636.71")
    assert totals["RQ1"] == Decimal("456759.84")
    assert totals["RQ4"] == Decimal("135638.04")
    assert by_month(year["E+"], sum) == [Decimal(text) for text in MONTHLY_KWH.split()]
    assert round(totals["E+"] / 8760 / Decimal("628.72"), 4) == Decimal("0.1742")


def test_the_steel_works_peaks_stand_in_their_slots(year):
    assert by_month(year["E+"], lambda values: 4 * max(values)) == [Decimal(text) for text in MONTHLY_PEAK_KW.split()]
    peak, day, slot = max((value, day, at) for day, values in year["E+"].items() for at, value in enumerate(values))
    assert (4 * peak, day, divmod(slot * 15, 60)) == (Decimal("628.72"), date(2018, 11, 22), (9, 30))


def test_the_steel_works_power_factors_follow_from_its_energies(year):
    energies = zip(by_month(year["E+"], sum), by_month(year["RQ1"], sum), strict=True)
    factors = [active / (active**2 + reactive**2).sqrt() for active, reactive in energies]
    assert [round(factor, 4) for factor in factors] == [Decimal(text) for text in MONTHLY_POWER_FACTOR.split()]
    assert round(factors[3], 6) == Decimal("0.914974")


def test_midnight_of_the_steel_works_is_the_end_of_its_day(year):
    assert year["E+"][date(2018, 11, 7)][95] == 0  # the missing reading coded as zero starts at 23:45
    assert sum(value == 0 for value in year["E+"][date(2018, 11, 7)]) == 1
    wrong = [Decimal("126339.52"), Decimal("91395.89")]
    assert by_month(year["E+"], sum)[:2] != wrong
    assert date(2017, 12, 31) not in year["E+"]


def test_the_steel_works_land_through_their_manifest(utility, steel):
    utility.write("met_interval_96", "steel.csv", steel)
    utility.announce("met_interval_96", {"name": "steel.csv", "rows": 35_040}, intervals=LAYOUT)
    (receipt,) = utility.land(date(2018, 12, 31))
    assert (receipt.delivered_rows, receipt.inserted_rows) == (4 * 365, 4 * 365)
    assert utility.query(
        "select count(*), sum(quality.slot_sum(v)) from raw_metering.met_interval_96 where data_type = 'E+'"
    ) == [(365, Decimal("959636.71"))]
    utility.announce("met_interval_96", {"name": "steel.csv", "rows": 35_041}, intervals=json.loads(json.dumps(LAYOUT)))
    assert [r.duplicate_rows for r in utility.land(date(2018, 12, 31))] == [4 * 365]
