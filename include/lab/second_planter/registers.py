"""用电信息采集, registers, voltage statistics and samples: copied, averaged, exchanged, and minutes that do not add up."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from include.lab.second_planter.days import ZONE, freezes
from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, LATE, MISMATCHED, MISSING, UNNAMED, Kind, slip

DAY = timedelta(days=1)
METER_DAY = (("meter_asset_no", "freeze_ts"),)
CURVE = ("met_interval_96.v1",)


def _points(desk: Desk, kind: Kind, day, fits=lambda registers: True):
    """Main points whose registers of a day and of its neighbours all came; the registers of the day."""

    def whole(row):
        around = [freezes(desk, row["mp_no"], day + n * DAY) for n in (-1, 0, 1)]
        return all(("ACTIVE", "VALLEY") in found and ("REACTIVE_Q1", "T") in found for found in around) and fits(around)

    at = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    points = {r["meter_asset_no"]: r for r in desk.rows("met_measuring_point") if r["remove_ts"] is None}

    def is_whole(row):
        return row["freeze_kind"] == "DAY" and row["meter_asset_no"] in points and whole(points[row["meter_asset_no"]])

    found = desk.draw(kind, "met_register_freeze", is_whole, freeze_ts=at, energy_kind="ACTIVE", rate="T", dir="FWD")
    for row in found:
        mp_no = points[row["meter_asset_no"]]["mp_no"]
        yield mp_no, *(freezes(desk, mp_no, day + n * DAY) for n in (-1, 0, 1))


def _rates_exchanged(desk: Desk, kind: Kind) -> None:
    def differ(around):
        return abs(around[1]["ACTIVE", "PEAK"]["reading"] - around[1]["ACTIVE", "VALLEY"]["reading"]) > 50

    for _, _, now, _ in _points(desk, kind, desk.day(8), differ):
        peak, valley = now["ACTIVE", "PEAK"], now["ACTIVE", "VALLEY"]
        desk.spoil(kind, peak, (valley.key,), reading=valley["reading"])
        desk.fit(kind, valley, reading=peak["reading"])


def _total_apart_from_its_rates(desk: Desk, kind: Kind) -> None:
    def moves(around):
        return around[2]["ACTIVE", "T"]["reading"] - around[1]["ACTIVE", "T"]["reading"] > Decimal("0.5")

    for _, _, now, after in _points(desk, kind, desk.day(9), moves):
        total = now["ACTIVE", "T"]
        ahead = (after["ACTIVE", "T"]["reading"] - total["reading"]) * Decimal("0.8")
        desk.claim(total, kind)
        desk.spoil(kind, total, reading=total["reading"] + ahead)


def _average_of_its_neighbours(desk: Desk, kind: Kind) -> None:
    for _, before, now, after in _points(desk, kind, desk.day(10)):
        for key, freeze in now.items():
            middle = (before[key]["reading"] + after[key]["reading"]) / 2
            if key == ("ACTIVE", "T"):
                desk.spoil(kind, freeze, reading=middle)
            else:
                desk.fit(kind, freeze, reading=middle)


def _decimal_point_moved(desk: Desk, kind: Kind) -> None:
    for _, _, now, _ in _points(desk, kind, desk.day(11)):
        reactive = now["REACTIVE_Q1", "T"]
        desk.claim(reactive, kind)
        desk.spoil(kind, reactive, reading=reactive["reading"] / 10)


def _one_rate_never_came(desk: Desk, kind: Kind) -> None:
    for _, _, now, _ in _points(desk, kind, desk.day(12)):
        desk.remove(kind, now["ACTIVE", "VALLEY"])


def _carried_over(desk: Desk, kind: Kind) -> None:
    """The total of a month of this year, not of the last ones, repeats that of the month before."""

    def before(row):
        month = row["freeze_ts"].replace(day=1, month=row["freeze_ts"].month - 1)
        found = desk.find("met_register_freeze", meter_asset_no=row["meter_asset_no"], freeze_ts=month)
        return next(
            (r for r in found if (r["freeze_kind"], r["energy_kind"], r["rate"]) == ("MONTH", "ACTIVE", "T")), None
        )

    def fits(row):
        of_spring = row["freeze_ts"].year == desk.business_date.year and 2 < row["freeze_ts"].month < 9
        return (
            row["freeze_kind"] == "MONTH"
            and of_spring
            and before(row) is not None
            and before(row)["reading"] < row["reading"]
        )

    for row in desk.draw(kind, "met_register_freeze", fits, energy_kind="ACTIVE", rate="T"):
        desk.spoil(kind, row, (before(row).key,), reading=before(row)["reading"])


def _is_plain(row) -> bool:
    return row["over_min"] == 0 and row["under_min"] == 0 and row["u_max"] is not None


def _a_voltage_day_never_came(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "met_voltage_daily", lambda r: True, data_date=desk.day(4), phase="C"):
        desk.remove(kind, row)


def _recorder_stuck(desk: Desk, kind: Kind) -> None:
    """Ten samples in a row are the same to the last digit; each but the first is a record."""
    stuck = ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "p_kw", "q_kvar", "pf")
    for first in desk.draw(kind, "met_pq_sample", lambda r: r["sampled_at"].second == 0, number=2):
        same = desk.find("met_pq_sample", mp_no=first["mp_no"])
        later = sorted((r for r in same if r["sampled_at"] > first["sampled_at"]), key=lambda r: r["sampled_at"])[:9]
        for row in later:
            desk.claim(row, kind)
            desk.spoil(kind, row, (first.key,), **{c: first[c] for c in stuck})


CLASSES = [
    Kind(
        "peak-and-valley-exchanged",
        "M7",
        "met_register_freeze",
        ("reading",),
        (MISMATCHED,),
        "The columns of peak and valley were exchanged in one night's re-read of the registers; the total is right.",
        "the total and the other rates",
        "0 kWh in all; between rates the difference of the two registers, until the next night",
        _rates_exchanged,
        near=METER_DAY,
    ),
    Kind(
        "total-apart-from-its-rates",
        "M4",
        "met_register_freeze",
        ("reading",),
        (MISMATCHED, INVENTED),
        "The total was read again hours later and put beside the rates of midnight: they no longer add up to it.",
        "the rates",
        "four fifths of a day's energy moved into the day before",
        _total_apart_from_its_rates,
        near=METER_DAY,
        others=CURVE,
    ),
    Kind(
        "registers-averaged-from-both-neighbours",
        "M8",
        "met_register_freeze",
        ("reading",),
        (INVENTED, MISMATCHED),
        "A night's registers never came; the clerk typed the mean of the nights around it for every rate, "
        "marked automatic.",
        "the registers of the nights around it",
        "0 kWh over two days; each is wrong by half the difference between them",
        _average_of_its_neighbours,
        near=METER_DAY,
        others=CURVE,
    ),
    Kind(
        "reactive-register-decimal-point-moved",
        "M6",
        "met_register_freeze",
        ("reading",),
        (MISMATCHED, INVENTED),
        "The decimal point of one reactive reading slipped a place to the left.",
        "the active registers of the night",
        "none in kWh; the power factor, were it the reading at the month's end",
        _decimal_point_moved,
        near=METER_DAY,
        others=("met_interval_96.v1",),
    ),
    Kind(
        "one-rate-of-a-night-never-came",
        "M2",
        "met_register_freeze",
        (),
        (MISSING, LATE),
        "Total and four rates of a night came, the valley register did not.",
        "the other rates of the night",
        "none once the next night comes",
        _one_rate_never_came,
        near=METER_DAY,
    ),
    slip(
        "demand-of-another-month",
        "M5",
        "met_register_freeze.max_demand_ts",
        (MISMATCHED, INVENTED),
        "The demand register was not cleared: the time of a month's maximum is two months before it.",
        lambda r, n: {"max_demand_ts": r["max_demand_ts"] - timedelta(days=75)},
        lambda r: r["freeze_kind"] == "MONTH" and r["max_demand_ts"] is not None and r["freeze_ts"].year == 2026,
        equals={"energy_kind": "ACTIVE", "rate": "T"},
        columns=("max_demand_kw", "freeze_ts"),
        cost="the demand of the month may be too high; unknown",
    ),
    Kind(
        "month-reading-of-the-month-before",
        "M8",
        "met_register_freeze",
        ("reading",),
        (MISMATCHED, INVENTED),
        "The month's reading could not be called and was carried over from the month before; the bill has "
        "the true one.",
        "the rates of the night and the bill",
        "a month's energy moved into the next",
        _carried_over,
        others=("mkt_bill_line.curr_reading", "mkt_bill_line.prev_reading", "mkt_bill_line.kwh_read"),
        near=(("meter_asset_no", "freeze_ts"), ("meter_asset_no",)),
    ),
    slip(
        "minutes-out-of-band-exceed-monitored",
        "M4",
        "met_voltage_daily.over_min",
        (MISMATCHED, INVENTED),
        "Minutes above the limit were counted for two phases and written to one: more than the day was monitored.",
        lambda r, n: {"over_min": r["monitored_min"] + 60},
        _is_plain,
        columns=("monitored_min", "ok_rate", "under_min"),
    ),
    slip(
        "highest-and-lowest-voltage-exchanged",
        "M4",
        "met_voltage_daily.u_max",
        (MISMATCHED,),
        "A protocol conversion exchanged highest and lowest voltage; the average is above the highest.",
        lambda r, n: {"u_max": r["u_min"], "u_min": r["u_max"]},
        lambda r: _is_plain(r) and r["u_max"] - r["u_min"] > 1,
        columns=("u_min", "u_avg"),
    ),
    slip(
        "full-marks-with-minutes-below",
        "M4",
        "met_voltage_daily.ok_rate",
        (MISMATCHED,),
        "The rate was typed as 100 % in the month's report; ninety minutes of the day were below the limit.",
        lambda r, n: {"under_min": 90, "ok_rate": Decimal("100.0000")},
        _is_plain,
        columns=("under_min",),
    ),
    slip(
        "highest-voltage-of-another-day",
        "M5",
        "met_voltage_daily.u_max_ts",
        (MISMATCHED, INVENTED),
        "The buffer of the terminal was not cleared: the time of the day's highest voltage is in the week before.",
        lambda r, n: {"u_max_ts": r["u_max_ts"] - timedelta(days=7)},
        lambda r: r["u_max_ts"] is not None,
        columns=("data_date",),
    ),
    slip(
        "limits-of-another-voltage",
        UNNAMED,
        "met_voltage_daily.limit_hi",
        (MISMATCHED, INVENTED),
        "The terminal of a 10 kV point was set up with the limits of 220 V: every value is below them and "
        "none is counted.",
        lambda r, n: {"limit_hi": Decimal("235.4"), "limit_lo": Decimal("198.0")},
        lambda r: _is_plain(r) and r["u_avg"] < 150,
        columns=("limit_lo",),
    ),
    Kind(
        "voltage-day-of-phase-c-never-came",
        "M2",
        "met_voltage_daily",
        (),
        (MISSING, LATE),
        "Statistics of phases A and B of a day came, phase C did not.",
        "the other phases of the day",
        "none in kWh",
        _a_voltage_day_never_came,
        near=(("mp_no", "data_date"),),
    ),
    slip(
        "power-factor-is-not-p-over-s",
        "M4",
        "met_pq_sample.pf",
        (MISMATCHED,),
        "The recorder's register of the power factor was read with another scale.",
        lambda r, n: {"pf": r["pf"] / 2},
        columns=("p_kw", "q_kvar"),
    ),
    slip(
        "sample-power-is-not-voltage-times-current",
        "M7",
        "met_pq_sample.i_a",
        (MISMATCHED,),
        "The clamp of phase A was set to the wrong range: a tenth of the current, power unchanged.",
        lambda r, n: {"i_a": r["i_a"] / 10},
        columns=("p_kw", "i_b", "i_c", "u_a"),
    ),
    Kind(
        "recorder-stuck",
        "M8",
        "met_pq_sample",
        ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "p_kw", "q_kvar", "pf"),
        (INVENTED, MISMATCHED),
        "The recorder froze: nine samples repeat the one before to the last digit in nine quantities.",
        "the first sample of the series and those after it",
        "none in kWh",
        _recorder_stuck,
        near=(("mp_no",),),
    ),
]
