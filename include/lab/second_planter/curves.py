"""用电信息采集, curves of 96 slots: shifted, copied, drawn, bridged and mislabelled, with what belongs to them made to fit."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np

from include.lab.second_planter.days import ENERGY, ZONE, curves_of, draw_days, freezes, is_live
from include.lab.second_planter.desk import SLOTS, Desk
from include.lab.second_planter.kinds import INVENTED, LATE, MISMATCHED, MISSING, RECORDS, Kind

SHAPE = tuple(SLOTS)
POINT_DAY = (("mp_no", "data_date"),)
REGISTER = ("met_register_freeze.reading",)


def _clock_an_hour_fast(desk: Desk, kind: Kind) -> None:
    day = desk.day(3)
    for row, curves in draw_days(desk, kind, day):
        for (quantity, phase), curve in curves.items():
            shifted = np.roll(curve.slots, 4)
            if (quantity, phase) == ("E+", "T"):
                desk.spoil(kind, row, **_slots(shifted))
            else:
                desk.draw_curve(kind, curve, shifted)


def _energy_a_slot_late(desk: Desk, kind: Kind) -> None:
    """Three days; each of the days is a record."""
    for row, _ in draw_days(desk, kind, desk.day(4), number=2):
        for day in desk.days[4:7]:
            curve = curves_of(desk, row["mp_no"], day).get(("E+", "T"))
            if curve is not None:
                desk.claim(curve, kind)
                desk.spoil(kind, curve, **_slots(np.roll(curve.slots, 1)))


def _yesterday_again(desk: Desk, kind: Kind) -> None:
    day, before = desk.day(1), desk.day(2)

    def both(curves):
        mp_no = next(iter(curves.values()))["mp_no"]
        other = curves_of(desk, mp_no, before)
        return set(other) == set(curves) and is_live(other) and len(freezes(desk, mp_no, before)) > 0

    for row, curves in draw_days(desk, kind, day, fits=both):
        mp_no, earlier = row["mp_no"], curves_of(desk, row["mp_no"], before)
        for key, curve in curves.items():
            if key == ("E+", "T"):
                desk.spoil(kind, row, (earlier[key].key,), **_slots(earlier[key].slots))
            else:
                desk.draw_curve(kind, curve, earlier[key].slots)
        _fit_registers(desk, kind, mp_no, before, day)
        for voltage in desk.find("met_voltage_daily", mp_no=mp_no, data_date=day):
            like = desk.one("met_voltage_daily", mp_no=mp_no, data_date=before, phase=voltage["phase"])
            if like is not None:
                later = timedelta(days=1)
                desk.fit(
                    kind,
                    voltage,
                    **{
                        c: like[c]
                        for c in ("u_max", "u_min", "u_avg", "over_min", "under_min", "ok_rate", "monitored_min")
                    },
                    u_max_ts=like["u_max_ts"] and like["u_max_ts"] + later,
                    u_min_ts=like["u_min_ts"] and like["u_min_ts"] + later,
                )


def _fit_registers(desk: Desk, kind: Kind, mp_no: str, before: date, day: date) -> None:
    """The registers grow on `day` as they grew on `before`, and all later ones move with them."""
    start, middle = freezes(desk, mp_no, before), freezes(desk, mp_no, day)
    moved: dict[tuple[str, str], object] = {}
    at = day + timedelta(days=1)
    while at <= desk.business_date + timedelta(days=1):
        for key, freeze in freezes(desk, mp_no, at).items():
            if key in start and key in middle:
                right = middle[key]["reading"] + (middle[key]["reading"] - start[key]["reading"])
                moved.setdefault(key, right - freeze["reading"])
                desk.fit(kind, freeze, reading=freeze["reading"] + moved[key])
        at += timedelta(days=1)


def _thirty_by_ruler(desk: Desk, kind: Kind) -> None:
    for row, curves in draw_days(desk, kind, desk.day(5)):
        energy = curves["E+", "T"].slots
        line = energy.copy()
        line[40:70] = np.linspace(energy[39], energy[70], 32)[1:-1]
        desk.spoil(kind, row, **_slots(line))
        desk.draw_curve(kind, curves["P", "T"], line * 4)


def _flat_beside_live_power(desk: Desk, kind: Kind) -> None:
    for row, _ in draw_days(desk, kind, desk.day(6), fits=lambda d: np.ptp(d["E+", "T"].slots[20:60]) > 0.01):
        flat = row.slots
        flat[20:60] = flat[20:60].mean()
        desk.spoil(kind, row, **_slots(flat))


def _night_without_energy(desk: Desk, kind: Kind) -> None:
    def works_at_night(curves):
        return (
            ("I", "A") in curves and curves["I", "A"].slots[:20].min() > 0.05 and curves["E+", "T"].slots[:20].min() > 0
        )

    for row, curves in draw_days(desk, kind, desk.day(2), fits=works_at_night):
        for quantity in ENERGY:
            dark = curves[quantity, "T"].slots
            dark[:20] = 0
            if quantity == "E+":
                desk.spoil(kind, row, **_slots(dark))
            else:
                desk.draw_curve(kind, curves[quantity, "T"], dark)


def _one_current_halved(desk: Desk, kind: Kind) -> None:
    for _, curves in draw_days(
        desk, kind, desk.day(2), fits=lambda d: ("I", "A") in d and d["I", "A"].slots.mean() > 0.1
    ):
        current = curves["I", "A"]
        desk.claim(current, kind)
        desk.spoil(kind, current, **_slots(current.slots / 2))


def _voltage_in_volts_of_the_line(desk: Desk, kind: Kind) -> None:
    def is_high(curves):
        point = desk.one("met_measuring_point", mp_no=curves["E+", "T"]["mp_no"])
        return point["pt_ratio"] > 1 and ("U", "A") in curves

    for row, curves in draw_days(desk, kind, desk.day(3), fits=is_high):
        voltage = curves["U", "A"]
        ratio = float(desk.one("met_measuring_point", mp_no=row["mp_no"])["pt_ratio"])
        desk.claim(voltage, kind)
        desk.spoil(kind, voltage, **_slots(voltage.slots * ratio))


def _current_never_came(desk: Desk, kind: Kind) -> None:
    for _, curves in draw_days(desk, kind, desk.day(3), fits=lambda d: ("I", "A") in d):
        desk.remove(kind, curves["I", "A"])


def _power_never_came(desk: Desk, kind: Kind) -> None:
    for _, curves in draw_days(desk, kind, desk.day(4)):
        desk.remove(kind, curves["P", "T"])


def _negative_made_good(desk: Desk, kind: Kind) -> None:
    for row, _ in draw_days(desk, kind, desk.day(7)):
        energy = row.slots
        energy[50] += 2 * energy[49]
        energy[49] = -energy[49]
        desk.spoil(kind, row, **_slots(energy))


def _curve_of_the_neighbour(desk: Desk, kind: Kind) -> None:
    pairs = list(draw_days(desk, kind, desk.day(5), number=2 * RECORDS, fits=lambda d: len(d) >= 4))
    for (row, curves), (other_row, other) in zip(pairs[::2], pairs[1::2], strict=True):
        desk.spoil(kind, row, (other_row.key,), **_slots(other_row.slots))
        desk.draw_curve(kind, curves["P", "T"], other["P", "T"].slots)


def _flags_against_values(desk: Desk, kind: Kind) -> None:
    for row, _ in draw_days(desk, kind, desk.day(8)):
        flags = list(row["point_flag"])
        flags[30:38] = "0" * 8
        desk.spoil(kind, row, point_flag="".join(flags))


def _said_to_be_primary(desk: Desk, kind: Kind) -> None:
    for row, _ in draw_days(desk, kind, desk.day(9)):
        desk.spoil(kind, row, is_primary=True)


def _power_in_watts(desk: Desk, kind: Kind) -> None:
    for _, curves in draw_days(desk, kind, desk.day(6)):
        power = curves["P", "T"]
        desk.claim(power, kind)
        desk.spoil(kind, power, **_slots(power.slots * 1000))


def _received_before_the_day_was_over(desk: Desk, kind: Kind) -> None:
    for row, _ in draw_days(desk, kind, desk.day(7)):
        day = row["data_date"]
        desk.spoil(kind, row, recv_ts=datetime(day.year, day.month, day.day, 9, 12, 30, tzinfo=ZONE))


def _slots(values: np.ndarray) -> dict:
    return {slot: round(float(v), 4) for slot, v in zip(SLOTS, values, strict=True)}


def _kind(code, mechanism, columns, explained, words, spared, cost, spoil, others=(), near=POINT_DAY) -> Kind:
    return Kind(code, mechanism, "met_interval_96", columns, explained, words, spared, cost, spoil, others, near)


CLASSES = [
    _kind(
        "terminal-clock-an-hour-fast",
        "M7",
        SHAPE,
        (MISMATCHED,),
        "The terminal's clock ran an hour fast for a day: all its curves are four slots late, the meter's "
        "rates are right.",
        "the days before and after",
        "sum of the day right; energy moves between rates, up to an hour of the load times the spread of prices",
        _clock_an_hour_fast,
        REGISTER,
    ),
    _kind(
        "energy-a-slot-late-for-three-days",
        "M7",
        SHAPE,
        (MISMATCHED,),
        "A new concentrator labels energy at the start of the slot and power at its end: E+ is a slot late "
        "for three days.",
        "P, U and I of these days",
        "sum of the day right",
        _energy_a_slot_late,
    ),
    _kind(
        "yesterday-again-register-made-to-fit",
        "M8",
        SHAPE,
        (INVENTED,),
        "The terminal was dead for a day; somebody loaded all curves of the day before and moved the registers to fit.",
        "the day that was copied",
        "unknown: the true energy of the day is lost",
        _yesterday_again,
    ),
    _kind(
        "thirty-slots-by-ruler",
        "M8",
        SHAPE,
        (INVENTED,),
        "Thirty slots were bridged by a straight line in energy and power, marked as collected.",
        "the slots before and after the line",
        "unknown, within the bridged slots",
        _thirty_by_ruler,
        REGISTER,
    ),
    _kind(
        "flat-energy-beside-live-power",
        "M8",
        SHAPE,
        (INVENTED, MISMATCHED),
        "Forty slots of energy were filled with their mean so that the day's sum fits; power shows what the "
        "works really did.",
        "the power of the day",
        "sum of the day right",
        _flat_beside_live_power,
    ),
    _kind(
        "night-without-energy-current-flows",
        "M8",
        SHAPE,
        (INVENTED, MISMATCHED),
        "The night's energy and power were set to zero while currents and voltages of the same night are live.",
        "current and voltage of the night",
        "the night's energy is missing from the curve, not from the register",
        _night_without_energy,
        REGISTER,
    ),
    _kind(
        "one-current-halved",
        "M7",
        SHAPE,
        (MISMATCHED,),
        "The secondary circuit of phase A was tapped: its current is half of what power and voltage say.",
        "power, energy and the other phases",
        "a sixth of the energy, if the meter's element is tapped too",
        _one_current_halved,
    ),
    _kind(
        "voltage-in-volts-of-the-line",
        "M6",
        SHAPE,
        (MISMATCHED, INVENTED),
        "The voltage of one phase was delivered in primary volts, and still marked secondary.",
        "the voltages of the other phases",
        "none in kWh; the day's qualification rate",
        _voltage_in_volts_of_the_line,
    ),
    _kind(
        "current-of-one-phase-never-came",
        "M2",
        (),
        (MISSING, LATE),
        "The task for currents timed out after phase B: the curve of phase A of one day never came.",
        "the other curves of the day",
        "none in kWh",
        _current_never_came,
        near=(("mp_no", "data_date", "data_type"), *POINT_DAY),
    ),
    _kind(
        "power-curve-never-came",
        "M2",
        (),
        (MISSING, LATE),
        "Energy of a day came, power did not; demand and load factor of the day rest on nothing.",
        "the energy of the day",
        "none in kWh",
        _power_never_came,
        near=(("mp_no", "data_date", "data_type"), *POINT_DAY),
    ),
    _kind(
        "negative-slot-made-good-by-the-next",
        "M7",
        SHAPE,
        (MISMATCHED, INVENTED),
        "A correction was booked as negative energy in one slot and added to the next; forward energy cannot "
        "be negative.",
        "the sum of the day, which is right",
        "0 kWh over the day",
        _negative_made_good,
    ),
    _kind(
        "curve-of-another-customer",
        "M8",
        SHAPE,
        (INVENTED, MISMATCHED),
        "Two lines of an export slipped: a point has energy and power of another customer's point, slot for slot.",
        "the other customer's curve is the true one",
        "the difference of the two days, unknown without the register",
        _curve_of_the_neighbour,
        REGISTER,
    ),
    _kind(
        "flags-say-not-collected-values-are-there",
        "M7",
        ("point_flag", *SHAPE),
        (MISMATCHED,),
        "Eight slots are marked as not collected and carry values.",
        "the other slots",
        "eight slots are in doubt",
        _flags_against_values,
    ),
    _kind(
        "secondary-values-said-to-be-primary",
        "M7",
        ("is_primary", *SHAPE),
        (MISMATCHED,),
        "An export was marked primary while its values are secondary: the multiplier is not applied.",
        "power of the day",
        "the day's energy is divided by the multiplier",
        _said_to_be_primary,
        REGISTER,
    ),
    _kind(
        "power-in-watts",
        "M6",
        SHAPE,
        (MISMATCHED, INVENTED),
        "A meter of another make delivers watts; its power is a thousand times the energy of the same slots.",
        "the energy of the day",
        "none in kWh; the demand a thousandfold",
        _power_in_watts,
    ),
    _kind(
        "whole-day-received-at-nine-in-the-morning",
        "M5",
        ("recv_ts", *SHAPE),
        (INVENTED, MISMATCHED),
        "All 96 slots of a day were received at 9:12 of that day: most of them had not happened yet.",
        "the other curves of the day, received the night after",
        "three fifths of the day cannot have been measured",
        _received_before_the_day_was_over,
    ),
]
