"""How customers buy energy: agreements by calendar year, their monthly curves and settlements."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from include.simulator import tables
from include.simulator.billing import Bills, half_up
from include.simulator.hashing import integers, uniform
from include.simulator.metering_archive import at_evening
from include.simulator.tables import Fixed
from include.simulator.world import Account, World

_BAND_PERCENT = 5
# share of each hour in the contract energy of a month, parts of 1000
_HOURS = np.array([34, 33, 32, 32, 32, 33, 36, 40, 46, 48, 48, 46, 43, 46, 48, 48, 47, 46, 45, 46, 45, 43, 42, 41])


def is_trader(world: World, a: Account) -> bool:
    """Whether an account buys in the market; the others buy through the grid company (AGENT)."""
    if a.kind.cons_class != "LARGE_IND" or a.growth_on:
        return False
    return a.number % 20 in (0, 2) or float(uniform(world.seed, "trader", a.number)) < 0.25


def _monthly_units(a: Account) -> int:
    """Contract energy of a month, 10^-6 MWh."""
    return round(a.load_kw * 730 / 1000) * 1_000_000


def _price_fen(world: World, number: int, year: int) -> int:
    """Yuan per MWh x 100."""
    return int(integers(world.seed, "trade price", 38_000, 46_000, number, year))


def build_trade(world: World, bills: Bills, months: np.ndarray, business_date: np.datetime64) -> dict[str, pa.Table]:
    """con_trade_agreement, con_trade_settle and con_trade_curve."""
    traders = [a for a in world.accounts if is_trader(world, a)]
    return {
        "con_trade_agreement": _agreements(world, {a.number for a in traders}, business_date),
        "con_trade_settle": _settlements(world, traders, bills, business_date),
        "con_trade_curve": _curves(traders, np.arange(months[0], _last_agreed_month(business_date) + 1)),
    }


def _last_agreed_month(business_date: np.datetime64) -> np.datetime64:
    """The last month whose curve has been agreed: from the 25th of a month on, that is the next one."""
    month = business_date.astype("datetime64[M]")
    return month + int(business_date >= month.astype("datetime64[D]") + 24)


def _agreements(world: World, traders: set[int], business_date) -> pa.Table:
    rows = []
    for a in world.accounts:
        if a.number not in traders:
            rows.append(
                {
                    "agree_no": f"AG{a.cons_no}",
                    "cons_no": a.cons_no,
                    "trade_mode": "AGENT",
                    "valid_from": a.connect_on,
                    "src_updated_at": at_evening(a.connect_on, a.number),
                }
            )
            continue
        for year in range(2023, (business_date + 17).astype("datetime64[Y]").astype(int) + 1971):
            rows.append(
                {
                    "agree_no": f"TR{year}{a.cons_no}",
                    "cons_no": a.cons_no,
                    "trade_mode": "DIRECT" if a.number % 20 == 0 else "RETAIL",
                    "counterparty": f"合成售电公司{a.number % 7 + 1}"
                    if a.number % 20
                    else f"合成发电厂{a.number % 3 + 1}",
                    "valid_from": date(year, 1, 1),
                    "valid_to": date(year, 12, 31),
                    "annual_mwh": _monthly_units(a) * 12 // 10**6,
                    "price_kind": "FIXED",
                    "price_yuan_mwh": _price_fen(world, a.number, year) / 100,
                    "deviation_band_pct": _BAND_PERCENT,
                    "green_share": (a.number % 5) / 20,
                    "src_updated_at": at_evening(date(year - 1, 12, 15), a.number),
                }
            )
    return tables.from_rows("contract", "con_trade_agreement", rows)


def _settlements(world: World, traders, bills: Bills, business_date) -> pa.Table:
    is_theirs = np.isin(bills.account, [a.number for a in traders])
    settled = (bills.month + 1).astype("datetime64[D]") + 8
    rows = np.flatnonzero(is_theirs & (settled <= business_date))
    account, month = bills.account[rows], bills.month[rows]
    year = month.astype("datetime64[Y]").astype(int) + 1970
    cons = np.array([a.cons_no for a in world.accounts])[account]
    price = np.array([_price_fen(world, int(a), int(y)) for a, y in zip(account, year, strict=True)], dtype=np.int64)
    contract = np.array([_monthly_units(world.accounts[a]) // 100 for a in account], dtype=np.int64)
    actual = half_up(bills.bill["kwh"][rows], 1000)
    beyond = np.maximum(np.abs(actual - contract) * 100 - contract * _BAND_PERCENT, 0)
    return tables.build(
        "contract",
        "con_trade_settle",
        {
            "agree_no": np.char.add(np.char.add("TR", year.astype(str)), cons),
            "trade_month": tables.months_as_text(month),
            "version": np.ones(len(rows), dtype=np.int32),
            "contract_mwh": Fixed(contract, 4),
            "actual_mwh": Fixed(actual, 4),
            "deviation_mwh": Fixed(actual - contract, 4),
            "settle_yuan": Fixed(half_up(actual * price, 10_000), 2),
            "penalty_yuan": Fixed(half_up(beyond * price, 10**7), 2),
            "src_updated_at": settled[rows].astype("datetime64[s]") + np.timedelta64(70_200, "s"),
        },
    )


def _curves(traders, months: np.ndarray) -> pa.Table:
    edges = np.concatenate([[0], np.cumsum(_HOURS)])
    units = np.array([_monthly_units(a) for a in traders], dtype=np.int64)
    hourly = np.diff(units[:, None] * edges // edges[-1], axis=1)
    agreement, month, hour = (g.ravel() for g in np.indices((len(traders), len(months), 24)))
    year = (months.astype("datetime64[Y]").astype(int) + 1970).astype(str)[month]
    cons = np.array([a.cons_no for a in traders])[agreement]
    return tables.build(
        "contract",
        "con_trade_curve",
        {
            "agree_no": np.char.add(np.char.add("TR", year), cons),
            "trade_month": tables.months_as_text(months)[month],
            "slot": hour + 1,
            "slot_cnt": np.full(len(hour), 24),
            "mwh": Fixed(hourly[agreement, hour], 6),
            "src_updated_at": (months[month] - 1).astype("datetime64[D]").astype("datetime64[s]")
            + np.timedelta64(24 * 86_400 + 68_400, "s"),
        },
    )
