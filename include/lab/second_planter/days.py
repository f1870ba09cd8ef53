"""Days of a metering point as they are delivered: its curves by quantity and phase, and its registers at midnight."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from include.lab.second_planter.desk import Desk, Row
from include.lab.second_planter.kinds import RECORDS, Kind

ZONE = ZoneInfo("Asia/Shanghai")
ENERGY = ("P", "E+", "RQ1", "RQ4")


def curves_of(desk: Desk, mp_no: str, day: date) -> dict[tuple[str, str], Row]:
    """The curves of a point on a day by quantity and phase; the newest version."""
    curves: dict[tuple[str, str], Row] = {}
    for row in desk.find("met_interval_96", mp_no=mp_no, data_date=day):
        held = curves.get((row["data_type"], row["phase"]))
        if held is None or row["version"] > held["version"]:
            curves[row["data_type"], row["phase"]] = row
    return curves


def is_live(day: dict) -> bool:
    """Whether energy and power are there, every curve whole and in its first version, with load in most slots."""
    whole = all(not np.isnan(row.slots).any() and row["version"] == 1 for row in day.values())
    return whole and all((q, "T") in day for q in ENERGY) and float(np.median(day["E+", "T"].slots)) > 0.002


def draw_days(desk: Desk, kind: Kind, day: date, number: int = RECORDS, fits=lambda curves: True):
    """Points with live curves on `day`, one an account: the row of their energy, and all curves by quantity and phase."""

    def has_load(row: Row) -> bool:
        curves = curves_of(desk, row["mp_no"], day)
        return ("E+", "T") in curves and is_live(curves) and fits(curves)

    for row in desk.draw(kind, "met_interval_96", has_load, number, data_date=day, data_type="E+"):
        yield row, curves_of(desk, row["mp_no"], day)


def freezes(desk: Desk, mp_no: str, day: date, kind: str = "DAY") -> dict[tuple[str, str], Row]:
    """The registers frozen at 00:00 of `day`, by energy and rate."""
    meter = desk.one("met_measuring_point", mp_no=mp_no)["meter_asset_no"]
    at = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    rows = desk.find("met_register_freeze", meter_asset_no=meter, freeze_ts=at)
    return {(r["energy_kind"], r["rate"]): r for r in rows if r["freeze_kind"] == kind}
