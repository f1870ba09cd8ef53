"""The bill recomputed for each way of paying the basic charge (formulas 3.4 to 3.6, S09; oracles O6, O8)."""

from __future__ import annotations

import functools
import math

import pandas as pd

from tests.witness.raw import Raw, in_force, month_of, parameter, rounded
from tests.witness.registers import register_months

MART = "mart_tariff_advice"
KEYS = ["account_no", "month_start_date"]
LEFT_OUT: dict[str, str] = {}
RATES = ("sharp", "peak", "flat", "valley", "deep")
KVA_KW_KWH = ("charged_capacity_kva", "contract_capacity_kva", "contract_demand_kw", "max_demand_kw", "energy_kwh")
CNY = (
    *("power_factor_adjustment_base_cny", "pf_cost_cny", "capacity_charge_cny", "contract_demand_charge_cny"),
    *("actual_demand_charge_cny", "demand_discount_cny", "basic_charge_cny", "energy_charge_cny", "fund_charge_cny"),
    *("other_charge_cny", "total_charge_cny", "billed_basic_charge_cny", "billed_total_cny", "single_part_total_cny"),
    *("capacity_total_cny", "contract_demand_total_cny", "actual_demand_total_cny", "saving_cny", "shift_value_cny"),
)
DECIMALS = (
    dict.fromkeys(KVA_KW_KWH, 4)
    | dict.fromkeys(CNY, 2)
    | {f"{rate}_share": 8 for rate in RATES}
    | {"demand_per_kva": 6, "break_even_demand_per_kva": 6, "kwh_per_kva": 6, "power_factor": 8}
    | {"power_factor_adjustment_pct": 4, "average_price_cny_per_kwh": 6, "shiftable_kwh": 4}
)
TOTALS = {
    "NONE": "single_part_total_cny",
    "BY_CAPACITY": "capacity_total_cny",
    "BY_CONTRACT_MD": "contract_demand_total_cny",
    "BY_ACTUAL_MD": "actual_demand_total_cny",
}
CHARGES = {
    "BY_CAPACITY": "capacity_charge_cny",
    "BY_CONTRACT_MD": "contract_demand_charge_cny",
    "BY_ACTUAL_MD": "actual_demand_charge_cny",
}


@functools.cache
def witness(raw: Raw) -> pd.DataFrame:
    usage = usage_months(raw)
    rows = []
    for month in raw.months:
        if month + pd.offsets.MonthEnd(0) > raw.day:
            continue  # not closed
        for account in sorted(raw.of("mkt_tariff_assign", "cons_no")):
            terms, used = terms_of(raw, account, month), usage.get((account, month))
            if terms and used:
                rows.append({"account_no": account, "month_start_date": month} | _advice(terms, used, month))
    return pd.DataFrame(rows)


# -- what was used


@functools.cache
def usage_months(raw: Raw) -> dict[tuple[str, pd.Timestamp], dict]:
    """By account and month: energy, its rates, demand and power factor as billed, else by the registers."""
    used = {
        (row.account_no, row.month): {
            "usage_basis_code": "REGISTERS",
            "energy_kwh": row.energy_kwh,
            "rates": {rate: row[rate] for rate in RATES},
            "power_factor": row.power_factor,
            "max_demand_kw": row.max_demand_kw,
        }
        for _, row in register_months(raw).iterrows()
        if not row.is_partial
    }
    bills = raw["mkt_bill"].assign(month=lambda b: month_of(b.bill_month))
    for (account, month), of_month in bills.groupby(["cons_no", "month"]):
        valid = (
            of_month[of_month.kwh_total > 0].sort_values("bill_no").iloc[-1]
        )  # the bill that stands after a correction
        used[account, month] = {
            "usage_basis_code": "BILL",
            "energy_kwh": of_month.kwh_total.sum(),
            "rates": {rate: of_month[f"kwh_{rate}"].sum() for rate in RATES},
            "power_factor": valid.pf_actual,
            "max_demand_kw": valid.md_actual_kw,
            "billed_basic_charge_cny": of_month.basic_charge.sum(),
            "billed_total_cny": of_month.total_charge.sum(),
        }
    return used


# -- what was agreed


def terms_of(raw: Raw, account: str, month: pd.Timestamp) -> dict | None:
    """Tariff, contract and transformers on the last day of the month."""
    day = month + pd.offsets.MonthEnd(0)
    tariffs = [row for row in raw.of("mkt_tariff_assign", "cons_no")[account] if valid_on(row, day)]
    if not tariffs:
        return None
    tariff = min(tariffs, key=lambda row: row.mp_no)
    contract = contract_on(raw, account, day)
    standards = [row.pf_standard for row in tariffs if row.pf_standard != "NONE"]
    return {
        "tariff_code": tariff.tariff_code,
        "basic_mode_code": tariff.basic_mode,
        "is_tou": bool(tariff.is_tou),
        "power_factor_standard_code": max(standards, default=None),
        "contract_capacity_kva": contract and contract.contract_cap_kva,
        "agreed_kw": tariff.contract_md_kw,
        "charged_capacity_kva": charged_capacity(raw, account, month),
    }


def valid_on(row, day: pd.Timestamp) -> bool:
    return row.valid_from <= day and (pd.isna(row.valid_to) or day <= row.valid_to)


def contract_on(raw: Raw, account: str, day: pd.Timestamp):
    """The version in force; an effective contract that renews itself has no end. None if there is none."""
    rows = [
        row
        for row in raw.of("con_contract", "cons_no")[account]
        if row.status != "DRAFT" and row.kind != "PROTOCOL" and row.valid_from <= day
        if valid_on(row, day) or (row.auto_renew and row.status == "EFFECTIVE")
    ]
    return max(rows, key=lambda row: (row.valid_from, row.version), default=None)


def charged_capacity(raw: Raw, account: str, month: pd.Timestamp) -> float | None:
    """Transformers that a capacity charge counts: a sealed cold backup never, a rest of fifteen days or more not, by thirtieths."""
    rows = raw.of("mkt_transformer", "cons_no")[account]
    last = month + pd.offsets.MonthEnd(0)
    if not rows:  # supplied without a transformer of its own: what the contract says
        contract = contract_on(raw, account, last)
        return contract and contract.contract_cap_kva
    days = parameter("tariff_parameters", "proration_days", month)
    charged = 0.0
    for row in rows:
        begins, ends = max(row.state_from, month), last if pd.isna(row.state_to) else min(row.state_to, last)
        if begins <= ends and _is_charged(row, month):
            whole = begins == month and ends == last
            charged += row.cap_kva * (1 if whole else min(((ends - begins).days + 1) / days, 1))
    return charged


def _is_charged(row, month: pd.Timestamp) -> bool:
    shortest = parameter("tariff_parameters", "suspension_min_days", month)
    rested = math.inf if pd.isna(row.state_to) else (row.state_to - row.state_from).days + 1
    if row.state in ("RUN", "REMOVED"):
        return row.state == "RUN"
    return row.primary_backup == "HOT_BACKUP" or (rested < shortest and row.primary_backup == "MAIN")


# -- what it costs


def _advice(terms: dict, used: dict, month: pd.Timestamp) -> dict:
    now = terms["basic_mode_code"]
    options = {
        mode: _bill(terms, used, mode, tariff, month)
        for mode, tariff in _options(terms["tariff_code"], terms["contract_capacity_kva"], month).items()
    }
    if now not in options:
        options[now] = _bill(terms, used, now, terms["tariff_code"], month)
    current = options[now]
    demand_kva = terms["charged_capacity_kva"]
    best = min(options, key=lambda mode: (options[mode]["total"], mode != now, mode))
    energy, rates = used["energy_kwh"], used["rates"]
    prices = _prices(terms["tariff_code"], month)
    shares = {f"{rate}_share": kwh / energy if terms["is_tou"] else None for rate, kwh in rates.items()}
    by_demand = CHARGES.keys() & options.keys()
    row = {name: terms[name] for name in ("tariff_code", "basic_mode_code", "is_tou", "charged_capacity_kva")}
    row |= {name: terms[name] for name in ("contract_capacity_kva", "power_factor_standard_code")}
    row |= {name: used.get(name) for name in ("usage_basis_code", "energy_kwh", "max_demand_kw", "power_factor")}
    row |= {name: used.get(name) for name in ("billed_basic_charge_cny", "billed_total_cny")}
    row |= shares
    row |= {column: options.get(mode, {}).get("basic") for mode, column in CHARGES.items()}
    row |= {column: options.get(mode, {}).get("total") for mode, column in TOTALS.items()}
    row |= {
        "contract_demand_kw": contract_demand(terms, used, month) if by_demand else None,
        "contract_demand_basis_code": ("AGREED" if terms["agreed_kw"] > 0 else "PROPOSED") if by_demand else None,
        "demand_per_kva": used["max_demand_kw"] / demand_kva if demand_kva else None,
        "break_even_demand_per_kva": _break_even(terms, month),
        "kwh_per_kva": energy / terms["contract_capacity_kva"] if terms["contract_capacity_kva"] else None,
        "power_factor_adjustment_pct": current["pct"],
        "power_factor_adjustment_base_cny": current["base"],
        "pf_cost_cny": current["pf"],
        "demand_discount_cny": current["discount"],
        "basic_charge_cny": current["basic"],
        "energy_charge_cny": current["energy"],
        "fund_charge_cny": current["fund"],
        "other_charge_cny": current["other"],
        "total_charge_cny": current["total"],
        "advised_mode_code": best,
        "saving_cny": current["total"] - options[best]["total"],
        "average_price_cny_per_kwh": (current["total"] - current["fund"]) / energy,
    }
    if terms["is_tou"]:
        share = parameter("saving_parameters", "shiftable_share", month)
        dear = {rate: rates[rate] * share for rate in ("sharp", "peak")}
        row["shiftable_kwh"] = sum(dear.values())
        row["shift_value_cny"] = sum(
            kwh * (prices["ENERGY", rate.upper()] - prices["ENERGY", "VALLEY"]) for rate, kwh in dear.items()
        )
    return row


@functools.cache
def _options(tariff: str, capacity: float, month: pd.Timestamp) -> dict[str, str]:
    """Ways of paying that are open by the capacity of the contract, each with the tariff it is then on."""
    rows = in_force("tariff_options", month)
    rows = rows[rows.tariff_code == tariff]
    open_ = (rows.above_capacity_kva.replace("", "-1").astype(float) < capacity) & (
        capacity < rows.below_capacity_kva.replace("", "inf").astype(float)
    )
    return dict(zip(rows.basic_mode_code[open_], rows.option_tariff_code[open_], strict=True))


@functools.cache
def _prices(tariff: str, month: pd.Timestamp) -> dict[tuple[str, str], float]:
    rows = in_force("tariff_prices", month)
    rows = rows[rows.tariff_code == tariff]
    return {(row.component_code, row.rate_code): float(row.price_cny) for row in rows.itertuples()}


def contract_demand(terms: dict, used: dict, month: pd.Timestamp) -> float | None:
    """Agreed, else proposed for the month's own demand; never below 40 % of the charged capacity."""
    wanted = terms["agreed_kw"]
    if not wanted > 0:
        wanted = used["max_demand_kw"] * parameter("tariff_parameters", "proposed_contract_demand_share", month)
    floor = parameter("tariff_parameters", "contract_demand_floor_share", month)
    return max(wanted, floor * (terms["charged_capacity_kva"] or 0))


def _bill(terms: dict, used: dict, mode: str, tariff: str, month: pd.Timestamp) -> dict:
    """Each part is rounded before it is added, as a bill prints it (oracle O7)."""
    prices, energy = _prices(tariff, month), used["energy_kwh"]
    discount = 0.0
    if mode == "BY_CAPACITY":
        basic = cny(terms["charged_capacity_kva"] * prices["CAPACITY", "T"])
    elif mode == "NONE":
        basic = 0.0
    else:
        charge = cny(_demand_billed(terms, used, mode, month) * prices["DEMAND", "T"])
        needed = parameter("tariff_parameters", "demand_discount_kwh_per_kva", month)
        if energy / terms["contract_capacity_kva"] >= needed:
            discount = cny(charge * parameter("tariff_parameters", "demand_discount_share", month))
        basic = cny(charge - discount)
    if terms["is_tou"]:
        energy_charge = sum(cny(kwh * prices["ENERGY", rate.upper()]) for rate, kwh in used["rates"].items() if kwh)
    else:
        energy_charge = cny(energy * prices["ENERGY", "T"])
    pct = adjustment_pct(terms["power_factor_standard_code"], used["power_factor"], month)
    pf = cny((pct or 0) / 100 * cny(basic + energy_charge))
    fund = cny(energy * prices["FUND", "T"])
    other = cny(energy * prices["LINE_LOSS", "T"]) + cny(energy * prices["SYSTEM_OPERATION", "T"])
    return {
        "basic": basic,
        "discount": discount,
        "energy": energy_charge,
        "pct": pct,
        "base": basic + energy_charge,
        "pf": pf,
        "fund": fund,
        "other": other,
        "total": cny(basic + energy_charge + pf + fund + other),
    }


def _demand_billed(terms: dict, used: dict, mode: str, month: pd.Timestamp) -> float:
    """The month's demand; of a contract demand C the part above 105 % is billed double: C + 2 x (MD - 1.05 C)."""
    demand = used["max_demand_kw"]
    if mode == "BY_ACTUAL_MD":
        return demand
    agreed = contract_demand(terms, used, month)
    limit = agreed * parameter("tariff_parameters", "over_demand_limit_share", month)
    factor = parameter("tariff_parameters", "over_demand_factor", month)
    return agreed + (factor * (demand - limit) if demand > limit else 0)


def cny(amount: float) -> float:
    return rounded(amount, 2)


def _break_even(terms: dict, month: pd.Timestamp) -> float | None:
    """Capacity price over demand price of the tariff that an option to pay by demand is on."""
    tariff = terms["tariff_code"]
    prices = _prices(_options(tariff, terms["contract_capacity_kva"], month).get("BY_ACTUAL_MD", tariff), month)
    return prices["CAPACITY", "T"] / prices["DEMAND", "T"] if ("DEMAND", "T") in prices else None


def adjustment_pct(standard: str | None, power_factor: float | None, month: pd.Timestamp) -> float | None:
    """The tables of 1983 at the power factor rounded half-up to two decimals, percent."""
    if standard is None or power_factor is None or pd.isna(power_factor):
        return None
    return _table_of_1983(month)[standard, rounded(power_factor, 2)]


@functools.cache
def _table_of_1983(month: pd.Timestamp) -> dict[tuple[str, float], float]:
    rows = in_force("power_factor_adjustment", month).itertuples()
    return {(row.standard, float(row.power_factor)): float(row.pct) for row in rows}
