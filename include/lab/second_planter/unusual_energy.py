"""Valid but unusual energy: works at rest or at night, flat load, a swap on the first of a month, reverse energy,
late curves.

Where a curve changes, the registers change with it, by rate: which slot belongs to which rate is read from the
delivery itself.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from include.lab.second_planter.days import ENERGY, curves_of, draw_days, freezes
from include.lab.second_planter.desk import Desk, Row, slots_of
from include.lab.second_planter.kinds import Unusual, unusual

DAY = timedelta(days=1)
RATES = ("SHARP", "PEAK", "FLAT", "VALLEY", "DEEP")


def rates_of_slots(desk: Desk, day: date) -> list[str]:
    """The rate of each of the 96 slots on a day: what the registers of all points say of their curves (least
    squares).
    """
    if day not in desk.rates:
        curves, grown = [], []
        for row in desk.find("met_interval_96", data_date=day, data_type="E+"):
            before, after = freezes(desk, row["mp_no"], day), freezes(desk, row["mp_no"], day + DAY)
            keys = [("ACTIVE", rate) for rate in RATES]
            if not np.isnan(row.slots).any() and all(key in before and key in after for key in keys):
                curves.append(row.slots)
                grown.append([float(after[key]["reading"] - before[key]["reading"]) for key in keys])
        solved, *_ = np.linalg.lstsq(np.array(curves), np.array(grown), rcond=None)
        desk.rates[day] = [RATES[int(n)] for n in solved.argmax(axis=1)]
    return desk.rates[day]


def reshape(desk: Desk, kind: Unusual, day: date, curves: dict, change) -> None:
    """Change energy and power of a day by a factor for each slot (`change` of the energy), current with them, and let
    the registers of the night after and of all later nights follow.
    """
    energy = curves["E+", "T"].slots
    new = np.round(change(energy), 4)
    factor = np.divide(new, energy, out=np.ones(96), where=energy > 0)
    rates = rates_of_slots(desk, day)
    grown = {("ACTIVE", rate): 0.0 for rate in RATES}
    for slot, more in enumerate(new - energy):
        grown["ACTIVE", rates[slot]] += more
    grown["ACTIVE", "T"] = float((new - energy).sum())
    for (quantity, _), curve in curves.items():
        if quantity in ENERGY or quantity == "I":
            values = new if quantity == "E+" else new * 4 if quantity == "P" else curve.slots * factor
            desk.draw_curve(kind, curve, np.round(values, 3 if quantity == "I" else 4))
            if quantity.startswith("RQ"):
                grown[f"REACTIVE_Q{quantity[2]}", "T"] = float((np.round(values, 4) - curve.slots).sum())
    at = day + DAY
    while at <= desk.business_date + DAY:
        for key, freeze in freezes(desk, curves["E+", "T"]["mp_no"], at).items():
            if key in grown:
                desk.fit(kind, freeze, reading=freeze["reading"] + Decimal(str(round(grown[key], 4))))
        at += DAY


def reshaped(change, fits=lambda curves: True):
    """A kind that reshapes the day before the business date; its record is the day's energy curve.

    Check and sub-meters count the same load, or parts of it: their day changes with it.
    """

    def spoil(desk: Desk, kind: Unusual) -> None:
        day = desk.day(1)

        def is_free(curves: dict) -> bool:
            row = curves["E+", "T"]
            if desk.one("met_measuring_point", mp_no=row["mp_no"])["parent_mp_no"] or not fits(curves):
                return False
            counted = [curves, *_below(desk, row, day)]
            return all(_can_bereshaped(desk, kind, of_point, day) for of_point in counted)

        for row, curves in draw_days(desk, kind, day, fits=is_free):
            for of_point in (curves, *_below(desk, row, day)):
                reshape(desk, kind, day, of_point, change)
            desk.note(kind, row, (), row.key)

    return spoil


def _below(desk: Desk, row: Row, day: date) -> list[dict]:
    """The curves of a day of the check and sub-meters of a point, as far as their energy was collected."""
    points = desk.find("met_measuring_point", parent_mp_no=row["mp_no"])
    below = [curves_of(desk, point["mp_no"], day) for point in points]
    return [curves for curves in below if ("E+", "T") in curves]


def _can_bereshaped(desk: Desk, kind: Unusual, curves: dict, day: date) -> bool:
    """Every curve is whole and in its first version, no class has touched one, and there are registers to follow."""
    is_whole = all(not np.isnan(row.slots).any() and row["version"] == 1 for row in curves.values())
    holders = {desk.claimed.get((row.table, row.number), kind.code) for row in curves.values()}
    return is_whole and holders == {kind.code} and len(freezes(desk, curves["E+", "T"]["mp_no"], day)) > 0


def _swap_on_the_first(desk: Desk, kind: Unusual) -> None:
    """The meter of a point changes at 00:00 of the month's first day; the contract's annex is amended the same day."""
    first = desk.business_date.replace(day=1)

    def is_plain(row: Row) -> bool:
        has_alarm = any(a["start_ts"].date() >= first for a in desk.find("met_event_alarm", mp_no=row["mp_no"]))
        is_billing = row["remove_ts"] is None and row["mp_role"] == "BILLING"
        return is_billing and not has_alarm and len(freezes(desk, row["mp_no"], first)) > 4

    for number, row in enumerate(desk.draw(kind, "met_measuring_point", is_plain)):
        old, new = row["meter_asset_no"], row["meter_asset_no"][:6] + "98" + row["meter_asset_no"][8:]
        final = freezes(desk, row["mp_no"], first)
        meter, install = desk.one("met_meter", meter_asset_no=old), desk.one("mkt_meter_install", meter_asset_no=old)
        changed = row["src_updated_at"].replace(year=first.year, month=first.month, day=first.day, hour=10)
        desk.claim(meter, kind)
        desk.fit(kind, meter, status="REMOVED", src_updated_at=changed)
        years = timedelta(days=90 + number)
        desk.edit.copy(
            "met_meter",
            meter.number,
            meter_asset_no=new,
            src_updated_at=changed,
            manufactured_on=first - 2 * years,
            verified_on=first - years,
            verify_due=first + timedelta(days=15 * 365),
        )
        removed = {f"remove_reading_{n}": final["ACTIVE", r]["reading"] for n, r in _readings()}
        desk.fit(kind, install, remove_date=first, src_updated_at=changed, **removed)
        desk.edit.copy(
            "mkt_meter_install",
            install.number,
            meter_asset_no=new,
            install_date=first,
            src_updated_at=changed,
            work_order_no=f"WO99{first:%Y%m}{number}",
        )
        desk.spoil(
            kind, row, ({"meter_asset_no": new},), meter_asset_no=new, comm_addr=new[-12:], src_updated_at=changed
        )
        for annex in desk.find("con_metering_annex", meter_asset_no=old):
            desk.fit(kind, annex, meter_asset_no=new)
        at = first + DAY
        while at <= desk.business_date + DAY:
            for key, freeze in _of_meter(desk, old, at).items():
                desk.fit(kind, freeze, meter_asset_no=new, reading=freeze["reading"] - final[key]["reading"])
            at += DAY


def _readings():
    return [("total", "T"), *((rate.lower(), rate) for rate in RATES)]


def _of_meter(desk: Desk, meter: str, day: date) -> dict:
    rows = desk.find("met_register_freeze", meter_asset_no=meter, freeze_kind="DAY")
    return {(r["energy_kind"], r["rate"]): r for r in rows if r["freeze_ts"].date() == day}


def _feeds_back_at_noon(desk: Desk, kind: Unusual) -> None:
    """Photovoltaics on the roof: some reverse energy at noon of the days since the month's second, and its register."""

    def has_free_contract(curves):
        versions = desk.find("con_contract", cons_no=desk.account(curves["E+", "T"]), status="EFFECTIVE")
        return all((version.table, version.number) not in desk.claimed for version in versions)

    noon = np.zeros(96)
    noon[44:54] = np.round(0.02 * np.sin(np.linspace(0.3, 2.8, 10)), 4)
    for row, _ in draw_days(desk, kind, desk.day(1), fits=has_free_contract):
        freeze = freezes(desk, row["mp_no"], desk.day(1))["ACTIVE", "T"]
        later = freezes(desk, row["mp_no"], desk.business_date)["ACTIVE", "T"]
        desk.add(kind, row, data_type="E-", **slots_of(noon))
        for version in desk.find("con_contract", cons_no=desk.account(row), status="EFFECTIVE"):
            desk.fit(kind, version, self_gen_kva=Decimal("200.00"))
        for like, reading in ((freeze, Decimal("0")), (later, Decimal(str(round(float(noon.sum()), 4))))):
            desk.claim(like, kind)
            desk.edit.copy("met_register_freeze", like.number, dir="REV", reading=reading)


def _recalled_and_the_same(desk: Desk, kind: Unusual) -> None:
    """The evening before was called again: a second version with the same values."""
    for row, _ in draw_days(desk, kind, desk.day(3)):
        desk.add(kind, row, version=2, collect_way="RECALL", recv_ts=row["recv_ts"] + timedelta(hours=30))


def _read_by_hand(desk: Desk, kind: Unusual) -> None:
    """One point on each of five days."""
    for back in range(2, 7):
        for row, curves in draw_days(desk, kind, desk.day(back), number=1):
            for curve in curves.values():
                desk.fit(kind, curve, collect_way="MANUAL", recv_ts=curve["recv_ts"] + timedelta(hours=34))
            desk.note(kind, row, (), row.key)


def _reported_by_meter_and_terminal(desk: Desk, kind: Unusual) -> None:
    for row in desk.draw(kind, "met_power_event", lambda r: r["source"] == "METER", event="POWER_DOWN"):
        seconds = timedelta(seconds=4)
        desk.add(
            kind,
            row,
            (row.key,),
            event_id=row["event_id"] + "T",
            source="TERMINAL",
            event_ts=row["event_ts"] + seconds,
            recv_ts=row["recv_ts"] + 3 * seconds,
        )


def _works_at_night(energy: np.ndarray) -> np.ndarray:
    shifted = energy.copy()
    shifted[32:72] = 0
    shifted[:32] = shifted[:32] * 1.1
    return shifted


def _flat(energy: np.ndarray) -> np.ndarray:
    """A data centre: the same load all day, but for the last digit."""
    return energy.mean() + np.tile([0.0001, -0.0001, 0.0, 0.0002, -0.0002, 0.0001, 0.0, -0.0001], 12)


KINDS = [
    Unusual(
        "works-at-rest-for-a-day",
        "met_interval_96",
        ("v1",),
        "a whole day of zeros, voltage live, registers still",
        "a day of maintenance; one day of zero is no dead meter",
        reshaped(lambda energy: np.zeros(96)),
        near=(("mp_no", "data_date"),),
    ),
    Unusual(
        "works-at-night-zero-by-day",
        "met_interval_96",
        ("v1",),
        "zero from 8 to 18 o'clock, full load at night; current and registers agree",
        "a foundry that melts at the valley price",
        reshaped(_works_at_night),
        near=(("mp_no", "data_date"),),
    ),
    Unusual(
        "flat-load-of-a-data-centre",
        "met_interval_96",
        ("v1",),
        "one load all day, differing in the last digit",
        "cooling and servers do not sleep",
        reshaped(_flat, lambda curves: curves["E+", "T"].slots.mean() > 0.02),
        near=(("mp_no", "data_date"),),
    ),
    Unusual(
        "half-load-on-a-working-day",
        "met_interval_96",
        ("v1",),
        "half of the usual energy, all channels and registers agree",
        "one of two lines stands still",
        reshaped(lambda energy: energy / 2),
        near=(("mp_no", "data_date"),),
    ),
    Unusual(
        "meter-swapped-on-the-first-of-the-month",
        "met_measuring_point",
        ("meter_asset_no", "comm_addr"),
        "old meter to the last reading, new one from zero, at 00:00 of the first",
        "a swap; all three systems know it",
        _swap_on_the_first,
        near=(("mp_no",),),
        breaks_identity=True,
    ),
    Unusual(
        "feeds-back-at-noon",
        "met_interval_96",
        ("v1",),
        "reverse energy at noon with its register",
        "photovoltaics behind the meter",
        _feeds_back_at_noon,
        near=(("mp_no", "data_date"),),
    ),
    Unusual(
        "called-again-and-the-same",
        "met_interval_96",
        ("version",),
        "a second version of a day with the same values",
        "a recall confirms what was collected",
        _recalled_and_the_same,
        "contract of met_interval_96: a later collection is a new version",
    ),
    Unusual(
        "read-by-hand-a-day-late",
        "met_interval_96",
        ("collect_way",),
        "a day's curves brought in by hand the day after",
        "a site without radio; curves of a hand-held unit are the meter's",
        _read_by_hand,
        near=(("mp_no", "data_date"),),
    ),
    Unusual(
        "outage-told-by-meter-and-terminal",
        "met_power_event",
        ("event_id",),
        "one outage, reported by meter and terminal four seconds apart",
        "an event may be reported more than once",
        _reported_by_meter_and_terminal,
        "contract of met_power_event",
    ),
    unusual(
        "alarm-that-has-not-ended",
        "met_event_alarm.end_ts",
        "no end was reported",
        "the row is sent without an end if none was reported",
        lambda r, n: {"end_ts": None, "reading_at_end": None},
        lambda r: r["start_ts"].date() > date(2026, 9, 1) and r["event_code"] != "VOLTAGE_DIP",
        source="contract of met_event_alarm",
    ),
    unusual(
        "meter-verified-on-the-day-it-was-made",
        "met_meter.verified_on",
        "verified on the day of manufacture",
        "the maker verifies at the end of the line",
        lambda r, n: {"verified_on": r["manufactured_on"]},
        lambda r: r["status"] == "RUNNING" and r["manufactured_on"] is not None,
    ),
]
