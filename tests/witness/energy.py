"""How an account uses energy: curves, registers, rates and power factor (formulas 3.4, 3.6, S25; oracles O6, O13)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tests.witness import tariff
from tests.witness.raw import Raw, in_force, month_of, parameter, rounded, seed
from tests.witness.registers import RATES, counted_points, register_months

MART = "mart_energy_structure"
KEYS = ["account_no", "month_start_date"]
LEFT_OUT: dict[str, str] = dict.fromkeys(
    ("estimated_kwh", "estimated_share", "is_over_estimated", "estimated_slots", "outage_slots"),
    "estimation and interruptions have scenarios of their own; these seeds have neither",
) | {"power_factor_difference_code": "only of months collected whole, and these seeds have none"}
DECIMALS = (
    dict.fromkeys(
        (
            "energy_kwh",
            "sub_metered_kwh",
            "own_energy_kwh",
            "export_kwh",
            "lagging_kvarh",
            "leading_kvarh",
            "max_kw",
            "min_kw",
        ),
        4,
    )
    | dict.fromkeys(
        ("average_kw", "base_kw", "working_day_average_kw", "rest_day_average_kw", "transformer_load_rate"), 6
    )
    | dict.fromkeys(("load_factor", "peak_valley_rate", "base_load_share", "rest_day_ratio", "register_load_factor"), 8)
    | dict.fromkeys(("utilisation_hours", "register_energy_kwh", "register_max_demand_kw", "billed_loss_kwh"), 4)
    | dict.fromkeys((f"{rate}_share" for rate in RATES), 8)
    | dict.fromkeys(("power_factor", "power_factor_with_leading", "power_factor_as_billed"), 8)
    | dict.fromkeys(("power_factor_adjustment_pct", "power_factor_with_leading_adjustment_pct"), 4)
    | {"power_factor_as_billed_adjustment_pct": 4}
    | dict.fromkeys(("power_factor_adjustment_cny", "power_factor_billed_cny", "power_factor_difference_cny"), 2)
    | dict.fromkeys(("metering_point_days", "expected_slots", "valid_slots", "missing_slots"), 0)
)


def witness(raw: Raw) -> pd.DataFrame:
    curves = {kind: _of_accounts(raw, kind) for kind in ("E+", "E-", "RQ1", "RQ4", "P")}
    registers = register_months(raw).set_index(["account_no", "month"])
    usage = tariff.usage_months(raw)
    recomputed = tariff.witness(raw).set_index(KEYS)
    bills = raw["mkt_bill"].assign(month=lambda b: month_of(b.bill_month))
    billed = bills.groupby(["cons_no", "month"]).pf_adj_charge.sum()
    base = bills.groupby(["cons_no", "month"]).pf_adj_base.sum()
    lines = raw["mkt_bill_line"].merge(bills[["bill_no", "cons_no", "month"]], on="bill_no")
    losses = (lines.tran_loss_kwh + lines.line_loss_kwh).groupby([lines.cons_no, lines.month]).sum()
    rows = []
    for customer in raw["mkt_customer"].itertuples():
        for month in raw.months:
            if customer.open_date > raw.report_day(month):
                continue
            key = (customer.cons_no, month)
            row = _by_curves(raw, curves, *key) | _by_registers(registers, *key)
            row |= _rates(raw, curves, usage, *key) | _power_factors(raw, row, losses, *key)
            closed = month + pd.offsets.MonthEnd(0) <= raw.day
            row["is_whole_month"] = closed and raw.collected_from <= month
            row["power_factor_billed_cny"] = billed.get(key)
            pct = row["power_factor_as_billed_adjustment_pct"]
            if row["is_whole_month"] and key in billed and pct is not None:
                row["power_factor_adjustment_cny"] = tariff.cny(pct / 100 * base[key])
                row["power_factor_difference_cny"] = row["power_factor_adjustment_cny"] - billed[key]
            else:
                row["power_factor_adjustment_cny"] = recomputed.pf_cost_cny.get(key)
                row["power_factor_difference_cny"] = None
            row |= _less_sub_meters(raw, curves, row["energy_kwh"], *key)
            rows.append({"account_no": customer.cons_no, "month_start_date": month} | row)
    return pd.DataFrame(rows).replace({np.nan: None}).infer_objects()


def _less_sub_meters(raw: Raw, curves: dict, energy: float | None, account: str, month: pd.Timestamp) -> dict:
    """Points of other accounts behind a point of the account; these seeds have none, so nothing is deducted."""
    points = raw["met_measuring_point"].set_index("mp_no")
    below = points[points.parent_mp_no.isin(points.index[points.cons_no == account]) & (points.cons_no != account)]
    assert below.empty, "a sub-meter of another account: work its month out here"
    return {"sub_metered_kwh": 0.0, "own_energy_kwh": energy}


# -- by curves


def _of_accounts(raw: Raw, kind: str) -> dict[tuple[str, pd.Timestamp], pd.DataFrame]:
    """Curves of the counted points by account and month; one row a point and day, 96 columns."""
    values = raw.curves(kind).droplevel("phase")
    owner = counted_points(raw).set_index("mp_no").cons_no
    values = values[values.index.get_level_values("mp_no").isin(owner.index)]
    months = values.index.get_level_values("data_date").to_period("M").to_timestamp()
    return dict(list(values.groupby([values.index.get_level_values("mp_no").map(owner), months])))


def _by_curves(raw: Raw, curves: dict, account: str, month: pd.Timestamp) -> dict:
    energy = curves["E+"].get((account, month))
    points = sum(owner == account for owner in counted_points(raw).cons_no)
    first, last = max(month, raw.collected_from), raw.report_day(month)
    days = max((last - first).days + 1, 0)
    row: dict = {"metering_point_days": points * days, "expected_slots": 96 * points * days}
    row["valid_slots"] = 0 if energy is None else int(energy.notna().sum().sum())
    row["missing_slots"] = row["expected_slots"] - row["valid_slots"]
    sums = {"energy_kwh": "E+", "export_kwh": "E-", "lagging_kvarh": "RQ1", "leading_kvarh": "RQ4"}
    for name, kind in sums.items():
        of_kind = curves[kind].get((account, month))
        row[name] = None if of_kind is None else of_kind.sum().sum()
    power = curves["P"].get((account, month))
    measures = ("max_kw", "min_kw", "average_kw", "load_factor", "peak_valley_rate", "utilisation_hours", "base_kw")
    row |= dict.fromkeys(
        (*measures, "base_load_share", "working_day_average_kw", "rest_day_average_kw", "rest_day_ratio")
    )
    row |= {"transformer_load_rate": None, "max_kw_slot_started_at": None}
    if power is None:
        return row
    load = power.groupby(level="data_date").sum(min_count=points)  # of all points together
    highest, lowest, mean = load.max().max(), load.min().min(), rounded(np.nanmean(load), 6)
    works = seed("working_days").set_index("date").is_working_day
    is_working = np.array([works[str(day.date())] == "true" for day in load.index])
    base = rounded(load.min(axis=1).mean(), 6)  # ratios below are those of the figures as shown
    working, resting = (rounded(np.nanmean(load[days]), 6) for days in (is_working, ~is_working))
    day, slot = load.stack().idxmax()
    row |= {
        "max_kw": highest,
        "max_kw_slot_started_at": (day + pd.Timedelta(minutes=15 * (slot - 1))).tz_localize("Asia/Shanghai"),
        "min_kw": lowest,
        "average_kw": mean,
        "load_factor": mean / highest,
        "peak_valley_rate": (highest - lowest) / highest,
        "utilisation_hours": row["energy_kwh"] / highest,
        "base_kw": base,
        "base_load_share": base / mean,
        "working_day_average_kw": working,
        "rest_day_average_kw": resting,
        "rest_day_ratio": resting / working,
    }
    return row


# -- by registers


def _by_registers(registers: pd.DataFrame, account: str, month: pd.Timestamp) -> dict:
    names = ("is_register_month_partial", "register_energy_kwh", "register_max_demand_kw", "register_load_factor")
    if (account, month) not in registers.index:
        return dict.fromkeys(names)
    row = registers.loc[(account, month)]
    hours = month.days_in_month * 24
    return dict(
        zip(
            names,
            (bool(row.is_partial), row.energy_kwh, row.max_demand_kw, row.energy_kwh / (row.max_demand_kw * hours)),
            strict=True,
        )
    )


# -- rates


def _rates(raw: Raw, curves: dict, usage: dict, account: str, month: pd.Timestamp) -> dict:
    """Shares of the rates, of the bill, else of the registers, else of the curves by the periods of the month."""
    used = usage.get((account, month))
    if used:
        is_split = any(used["rates"].values())
        shares = {
            f"{rate}_share": kwh / used["energy_kwh"] if is_split else None for rate, kwh in used["rates"].items()
        }
        return shares | {"rate_basis_code": used["usage_basis_code"]}
    energy = curves["E+"].get((account, month))
    if energy is None:
        return {f"{rate}_share": None for rate in RATES} | {"rate_basis_code": None}
    scheme = parameter("mart_parameters", "tou_scheme_code", month)
    periods = in_force("tou_periods", month)
    periods = periods[(periods.scheme_code == scheme) & (periods.month_of_year == str(month.month))]
    rate_of = periods.set_index(periods.slot_no.astype(int)).rate_code
    by_rate = energy.sum().groupby(rate_of).sum() / energy.sum().sum()
    return {f"{rate}_share": by_rate.get(rate.upper()) for rate in RATES} | {"rate_basis_code": "CURVES"}


# -- power factor


def _power_factors(raw: Raw, row: dict, losses: pd.Series, account: str, month: pd.Timestamp) -> dict:
    terms = tariff.terms_of(raw, account, month) or {}
    standard = terms.get("power_factor_standard_code")
    basis = parameter("mart_parameters", "reactive_basis", month)
    active, lagging, leading = row["energy_kwh"], row["lagging_kvarh"], row["leading_kvarh"]
    loss = losses.get((account, month))
    found = {"power_factor_standard_code": standard, "reactive_basis_code": basis, "billed_loss_kwh": loss}
    factors = dict.fromkeys(("power_factor", "power_factor_with_leading", "power_factor_as_billed"))
    if active and lagging is not None:
        both = abs(lagging) + abs(leading or 0)
        billed = both if basis == "lagging_plus_leading" else lagging
        factors["power_factor"] = active / math.hypot(active, lagging)
        factors["power_factor_with_leading"] = active / math.hypot(active, both)
        factors["power_factor_as_billed"] = (active + (loss or 0)) / math.hypot(active + (loss or 0), billed)
    found |= factors
    found |= {
        f"{name}_adjustment_pct": tariff.adjustment_pct(standard, factor, month) for name, factor in factors.items()
    }
    if row["max_kw"] is not None and factors["power_factor"] is not None:
        running = raw["mkt_customer"].set_index("cons_no").running_cap_kva[account]
        found["transformer_load_rate"] = row["max_kw"] / (factors["power_factor"] * running)
    return found
