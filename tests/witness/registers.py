"""Energy and demand of a month by the monthly register freezes (correction F4; oracle O14)."""

from __future__ import annotations

import functools
import math

import pandas as pd

from tests.witness.raw import Raw

RATES = ("sharp", "peak", "flat", "valley", "deep")
REGISTERS = {  # kind of energy, rate, and what the record of installation calls the reading
    "energy_kwh": ("ACTIVE", "T", "total"),
    **{rate: ("ACTIVE", rate.upper(), rate) for rate in RATES},
    "lagging": ("REACTIVE_Q1", "T", None),
    "leading": ("REACTIVE_Q4", "T", None),
}


@functools.cache
def counted_points(raw: Raw) -> pd.DataFrame:
    """Billing points that are not below another billing point of their account."""
    points = raw["met_measuring_point"]
    billing = points[points.mp_role == "BILLING"]
    above = billing.set_index("mp_no").cons_no
    return billing[billing.parent_mp_no.map(above) != billing.cons_no]


@functools.cache
def register_months(raw: Raw) -> pd.DataFrame:
    """One row per account and closed month: sums over its points, and whether one of them is not covered."""
    points = [p for p in _point_months(raw) if p["month"] in raw.months]
    rows = []
    for (account, month), of_month in pd.DataFrame(points).groupby(["account_no", "month"]):
        partial = bool(of_month.is_partial.any())
        sums = {c: of_month[c].sum(skipna=False) for c in (*REGISTERS, "max_demand_kw")}
        if partial:
            sums = dict.fromkeys(sums, math.nan)
        reactive = sums["lagging"] + sums["leading"]
        factor = sums["energy_kwh"] / math.hypot(sums["energy_kwh"], reactive) if sums["energy_kwh"] > 0 else math.nan
        rows.append({"account_no": account, "month": month, "is_partial": partial, "power_factor": factor} | sums)
    return pd.DataFrame(rows)


def _point_months(raw: Raw) -> list[dict]:
    freezes = raw["met_register_freeze"].query("freeze_kind == 'MONTH' and dir == 'FWD'").sort_values("version")
    freezes = freezes.drop_duplicates(["meter_asset_no", "freeze_ts", "energy_kind", "rate"], keep="last")
    keyed = freezes.set_index(["meter_asset_no", "freeze_ts", "energy_kind", "rate"])
    readings, demands = keyed.reading.to_dict(), keyed.max_demand_kw.to_dict()
    rollover = {m.meter_asset_no: 10.0**m.digits_int for m in raw["met_meter"].itertuples()}
    installed = raw.of("mkt_meter_install", "mp_no")
    months = []
    for point in counted_points(raw).itertuples():
        for month in raw.months:
            end = month + pd.offsets.MonthBegin(1)
            if end > raw.day + pd.Timedelta(days=1):
                continue  # not closed
            sums, demand, covered = dict.fromkeys(REGISTERS, 0.0), 0.0, 0
            for row in installed[point.mp_no]:
                first = max(row.install_date, month)
                last = end if pd.isna(row.remove_date) else min(row.remove_date, end)
                if first < last:
                    covered += (last - first).days
                    for name in REGISTERS:
                        sums[name] += _part(readings, rollover, row, name, first, last, is_end=last == end)
                    freeze = (row.meter_asset_no, _local(last), "ACTIVE", "T")
                    demand = max(demand, demands.get(freeze, math.nan) * row.multiplier)
            partial = covered < (end - month).days or math.isnan(sums["energy_kwh"])
            months.append(
                {"account_no": point.cons_no, "month": month, "is_partial": partial, "max_demand_kw": demand} | sums
            )
    return months


def _part(
    readings: dict, rollover: dict, row, name: str, first: pd.Timestamp, last: pd.Timestamp, *, is_end: bool
) -> float:
    """Last less first reading of one meter times its multiplier; at a cut the readings of the record of installation."""
    kind, rate, column = REGISTERS[name]
    begins = readings.get((row.meter_asset_no, _local(first), kind, rate), math.nan)
    ends = readings.get((row.meter_asset_no, _local(last), kind, rate), math.nan)
    if column and row.install_date == first and math.isnan(begins):
        begins = getattr(row, f"install_reading_{column}")
    if column and not is_end:
        ends = getattr(row, f"remove_reading_{column}")
    difference = ends - begins
    return (difference + (rollover[row.meter_asset_no] if difference < 0 else 0)) * row.multiplier


def _local(day: pd.Timestamp) -> pd.Timestamp:
    return day.tz_localize("Asia/Shanghai")
