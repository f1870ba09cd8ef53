"""How customers buy energy: agreements by calendar year, their monthly curves and settlements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.accounts import Account
from include.lab.simulator.billing import Bills, half_up
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.metering_archive import at_evening
from include.lab.simulator.tables import Fixed
from include.lab.simulator.world import World

_BAND_PERCENT = 5
_BOOKED_BEFORE = 17  # days before the first day of an agreement
# share of each hour in the contract energy of a month, parts of 1000
_HOURS = np.array([34, 33, 32, 32, 32, 33, 36, 40, 46, 48, 48, 46, 43, 46, 48, 48, 47, 46, 45, 46, 45, 43, 42, 41])


def is_trader(world: World, a: Account) -> bool:
    """Whether an account buys in the market; the others buy through the grid company (AGENT)."""
    if a.kind.cons_class != "LARGE_IND" or a.growth_on:
        return False
    return a.number % 20 in (0, 2) or float(uniform(world.seed, "trader", a.number)) < 0.25


def market_from(world: World, a: Account) -> date | None:
    """First day on which an account buys in the market; None for those that never do. One in five of the rest goes there in these years."""
    if is_trader(world, a):
        return max(date(2023, 1, 1), a.connect_on)
    if a.kind.cons_class == "AGRI" or a.growth_on or float(uniform(world.seed, "switcher", a.number)) >= 0.2:
        return None
    month = int(integers(world.seed, "switch month", 0, 60, a.number))
    return max(date(2024 + month // 12, month % 12 + 1, 1), a.connect_on)


@dataclass(frozen=True)
class Agreement:
    """A market agreement of one account; both days inclusive."""

    number: str
    account: Account
    first: date
    last: date


def _market_agreements(world: World, business_date: np.datetime64) -> list[Agreement]:
    """By calendar year, for some by half-year; now and then the second half has none."""
    found = []
    for a in world.accounts:
        begin = market_from(world, a)
        for year in range(2023, (business_date + 17).astype("datetime64[Y]").astype(int) + 1971) if begin else ():
            lapses = float(uniform(world.seed, "lapse", a.number, year)) < 0.03
            halves = [("", date(year, 1, 1), date(year, 12, 31))]
            if lapses or a.number % 7 == 3:
                halves = [("", date(year, 1, 1), date(year, 6, 30)), ("H", date(year, 7, 1), date(year, 12, 31))]
            for tag, first, last in halves[: 1 if lapses else 2]:
                if begin <= last:
                    found.append(Agreement(f"TR{year}{tag}{a.cons_no}", a, max(first, begin), last))
    return found


def _monthly_units(a: Account) -> int:
    """Contract energy of a month, 10^-6 MWh."""
    return round(a.load_kw * 730 / 1000) * 1_000_000


def _price_fen(world: World, number: int, year: int) -> int:
    """Yuan per MWh x 100."""
    return int(integers(world.seed, "trade price", 38_000, 46_000, number, year))


def build_trade(world: World, bills: Bills, months: np.ndarray, business_date: np.datetime64) -> dict[str, pa.Table]:
    """con_trade_agreement, con_trade_settle and con_trade_curve."""
    agreements = _market_agreements(world, business_date)
    until = _last_agreed_month(business_date)
    of_month = {
        (g.account.number, int(month)): g
        for g in agreements
        for month in range(_month(g.first), min(_month(g.last), int(until.astype(int))) + 1)
    }
    return {
        "con_trade_agreement": _agreements(world, agreements, business_date.item()),
        "con_trade_settle": _settlements(world, of_month, bills, business_date),
        "con_trade_curve": _curves(of_month, int(months[0].astype(int))),
    }


def _month(day: date) -> int:
    """Number of the month of a day, as numpy counts them."""
    return int(np.datetime64(day, "M").astype(int))


def _last_agreed_month(business_date: np.datetime64) -> np.datetime64:
    """The last month whose curve has been agreed: from the 25th of a month on, that is the next one."""
    month = business_date.astype("datetime64[M]")
    return month + int(business_date >= month.astype("datetime64[D]") + 24)


def _agreements(world: World, agreements: list[Agreement], today: date) -> pa.Table:
    rows = []
    for a in world.accounts:
        begin = market_from(world, a)
        if begin is None or begin > a.connect_on:
            booked = begin and begin - timedelta(days=_BOOKED_BEFORE)  # with the agreement that follows it
            left = begin is not None and booked <= today
            rows.append(
                {
                    "agree_no": f"AG{a.cons_no}",
                    "cons_no": a.cons_no,
                    "trade_mode": "AGENT",
                    "valid_from": a.connect_on,
                    "valid_to": begin - timedelta(days=1) if left else None,
                    "src_updated_at": at_evening(booked if left else a.connect_on, a.number),
                }
            )
    for g in agreements:
        a = g.account
        booked = g.first - timedelta(days=_BOOKED_BEFORE)
        if booked > today:
            continue
        is_spread = a.number % 5 == 1
        rows.append(
            {
                "agree_no": g.number,
                "cons_no": a.cons_no,
                "trade_mode": "DIRECT" if a.number % 20 == 0 else "RETAIL",
                "counterparty": f"合成售电公司{a.number % 7 + 1}" if a.number % 20 else f"合成发电厂{a.number % 3 + 1}",
                "valid_from": g.first,
                "valid_to": g.last,
                "annual_mwh": _monthly_units(a) * (_month(g.last) - _month(g.first) + 1) // 10**6,
                "price_kind": "SPREAD" if is_spread else "INDEX" if a.number % 5 == 3 else "FIXED",
                "price_yuan_mwh": -8 - a.number % 17 if is_spread else _price_fen(world, a.number, g.first.year) / 100,
                "deviation_band_pct": _BAND_PERCENT,
                "green_share": (a.number % 5) / 20,
                "src_updated_at": at_evening(booked, a.number),
            }
        )
    return tables.from_rows("contract", "con_trade_agreement", rows)


def _settlements(world: World, of_month: dict[tuple[int, int], Agreement], bills: Bills, business_date) -> pa.Table:
    pairs = list(zip(bills.account.tolist(), bills.month.astype(int).tolist(), strict=True))
    settled = np.maximum((bills.month + 1).astype("datetime64[D]") + 8, bills.issued_on)
    rows = np.flatnonzero(np.array([pair in of_month for pair in pairs]) & (settled <= business_date))
    account, month = bills.account[rows], bills.month[rows]
    year = month.astype("datetime64[Y]").astype(int) + 1970
    price = np.array([_price_fen(world, int(a), int(y)) for a, y in zip(account, year, strict=True)], dtype=np.int64)
    contract = np.array([_monthly_units(world.accounts[a]) // 100 for a in account], dtype=np.int64)
    actual = half_up(bills.bill["kwh"][rows], 1000)
    beyond = np.maximum(np.abs(actual - contract) * 100 - contract * _BAND_PERCENT, 0)
    return tables.build(
        "contract",
        "con_trade_settle",
        {
            "agree_no": [of_month[pairs[n]].number for n in rows.tolist()],
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


def _curves(of_month: dict[tuple[int, int], Agreement], first_month: int) -> pa.Table:
    edges = np.concatenate([[0], np.cumsum(_HOURS)])
    wanted = sorted(key for key in of_month if key[1] >= first_month)
    units = np.array([_monthly_units(of_month[key].account) for key in wanted], dtype=np.int64)
    hourly = np.diff(units[:, None] * edges // edges[-1], axis=1)
    row, hour = (g.ravel() for g in np.indices((len(wanted), 24)))
    months = np.array([month for _, month in wanted]).astype("datetime64[M]")
    return tables.build(
        "contract",
        "con_trade_curve",
        {
            "agree_no": np.array([of_month[key].number for key in wanted])[row],
            "trade_month": tables.months_as_text(months)[row],
            "slot": hour + 1,
            "slot_cnt": np.full(len(hour), 24),
            "mwh": Fixed(hourly[row, hour], 6),
            "src_updated_at": (months[row] - 1).astype("datetime64[D]").astype("datetime64[s]")
            + np.timedelta64(24 * 86_400 + 68_400, "s"),
        },
    )
