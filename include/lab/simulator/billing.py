"""Bills of the closed months, from the monthly registers to the last fen, and how they were paid.

All sums are integers: energy in 10^-4 kWh, prices in 10^-6 yuan per kWh, money in fen. Halves are rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from include.lab.simulator import days as calendar
from include.lab.simulator.accounts import Account
from include.lab.simulator.energy import Energy
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.power_factor import adjustment_units
from include.lab.simulator.prices import (
    CAPACITY_PRICE,
    DEMAND_DISCOUNT_KWH_PER_KVA,
    DEMAND_PRICE,
    FLAT_PRICE,
    FUND_PRICE,
    LINE_LOSS_PRICE,
    RATE_PERCENT,
    SYSTEM_OP_PRICE,
)
from include.lab.simulator.registers import rolled
from include.lab.simulator.world import World

TOU_RATES = ("SHARP", "PEAK", "FLAT", "VALLEY", "DEEP")
_FIRST_BILL_CHECKED = 24  # days: the readings of a new customer are checked on site before it is billed
_LOSS_PARTS = 12  # transformer loss of customers metered on the low side, parts of 1000 of the energy read


@dataclass
class Bills:
    """One element per bill (accounts x months) or per line; `line_bill` is the row of the bill of a line."""

    account: np.ndarray
    month: np.ndarray
    bill: dict[str, np.ndarray]
    line: dict[str, np.ndarray]
    issued_on: np.ndarray

    def __len__(self) -> int:
        return len(self.account)


def half_up(numerator: np.ndarray, denominator: int) -> np.ndarray:
    """Integer division with halves rounded away from zero."""
    return np.sign(numerator) * ((2 * np.abs(numerator) + denominator) // (2 * denominator))


def build_bills(world: World, energy: Energy, business_date: np.datetime64) -> Bills:
    """All bills of the months with bills that have been issued by the business date."""
    months = calendar.bill_months(business_date)
    line = _lines(world, energy, len(months))
    shape = (len(world.accounts), len(months))
    bill = _charges(world, months, line, _sums(line, shape))
    account, month = (g.ravel() for g in np.indices(shape))
    issued = calendar.first_of(months[month] + 1) + integers(
        world.seed, "issue", 0, 3, account, months[month].astype(int)
    )
    joined = np.array([a.connect_on for a in world.accounts], dtype="datetime64[M]")[account]
    issued = issued + np.where(months[month] == joined, _FIRST_BILL_CHECKED, 0)
    kept = issued <= business_date
    position = np.cumsum(kept) - 1
    first, last = (calendar.first_of(months + n)[line["month"]] for n in (0, 1))
    there = (world.points.begin[line["point"]] < last) & (first < world.points.end[line["point"]])
    line = {name: values[there] for name, values in line.items()}
    line_bill = line["account"] * shape[1] + line["month"]
    line = {name: values[kept[line_bill]] for name, values in line.items()} | {
        "bill": position[line_bill[kept[line_bill]]]
    }
    order = np.lexsort((line["position"], line["bill"]))
    line = {name: values[order] for name, values in line.items()}
    return Bills(account[kept], months[month[kept]], {n: v.ravel()[kept] for n, v in bill.items()}, line, issued[kept])


def _lines(world: World, energy: Energy, month_count: int) -> dict[str, np.ndarray]:
    points = world.points
    shown = {name: rolled(world, energy.month_registers[name]) for name in ("T", *TOU_RATES)}
    is_tou = np.array([world.accounts[a].is_tou for a in points.account])
    flat = np.array([FLAT_PRICE[world.accounts[a].tariff] // 100 for a in points.account])
    orders = points.key % 4
    parts: dict[str, list] = {}
    for number, rate in enumerate(("T", *TOU_RATES)):
        rows = np.flatnonzero((points.role == "BILLING") & (is_tou == (rate != "T")))
        register = energy.month_registers[rate][rows, : month_count + 1]
        read = np.diff(register, axis=1) * points.multiplier[rows][:, None]
        loss = np.where((points.side[rows] == "HV_LV")[:, None], half_up(read * _LOSS_PARTS, 1000), 0)
        price = (flat[rows] * RATE_PERCENT[rate] // 100)[:, None]
        values = {
            "point": rows[:, None],
            "account": points.account[rows][:, None],
            "month": np.arange(month_count)[None, :],
            "rate": np.array([[number]]),
            "prev": shown[rate][rows, :month_count],
            "curr": shown[rate][rows, 1 : month_count + 1],
            "read": read,
            "loss": loss,
            "billed": read + loss,
            "price": price,
            "charge": half_up((read + loss) * price, 10**8),
            "q": np.diff(energy.month_registers["Q1"][rows, : month_count + 1], axis=1)
            * points.multiplier[rows][:, None]
            * (number in (0, 1)),
            "q4": np.diff(energy.month_registers["Q4"][rows, : month_count + 1], axis=1)
            * points.multiplier[rows][:, None]
            * (number in (0, 1)),
            "demand": (energy.demand[rows, 1 : month_count + 1] * points.multiplier[rows][:, None])
            * (number in (0, 1)),
            "position": (orders[rows] * (1 + len(TOU_RATES)) + number)[:, None],
        }
        for name, array in values.items():
            parts.setdefault(name, []).append(np.broadcast_to(array, read.shape).ravel())
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _sums(line: dict, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Per account and month: energy by rate, reactive energy, demand of all feeds and the energy charge."""
    where = line["account"] * shape[1] + line["month"]

    def add(name: str, rows=slice(None)) -> np.ndarray:
        total = np.zeros(shape[0] * shape[1], dtype=np.int64)
        np.add.at(total, where[rows], line[name][rows])
        return total.reshape(shape)

    sums = {name: add(name) for name in ("billed", "q", "q4", "demand", "charge")}
    return sums | {rate: add("billed", line["rate"] == n + 1) for n, rate in enumerate(TOU_RATES)}


def _charges(world: World, months: np.ndarray, line: dict, sums: dict) -> dict[str, np.ndarray]:
    accounts = world.accounts
    firsts = [day.item() for day in calendar.first_of(months)]
    terms = [[a.terms_on(day) for day in firsts] for a in accounts]
    mode = np.array([[t.basic_mode for t in row] for row in terms])
    cap = np.array([[a.cap_on(day) for day in firsts] for a in accounts])
    running = np.array([[a.running_on(day) for day in firsts] for a in accounts])
    agreed = np.array([[t.contract_md or 0 for t in row] for row in terms]) * 10_000
    kwh, demand = sums["billed"], sums["demand"]
    over = np.maximum(demand * 100 - agreed * 105, 0)
    contract_qty = agreed + half_up(2 * over, 100)
    quantity = np.select(
        [mode == "BY_CAPACITY", mode == "BY_CONTRACT_MD", mode == "BY_ACTUAL_MD"],
        [running * 10_000, contract_qty, demand],
        0,
    )
    price = np.where(mode == "BY_CAPACITY", CAPACITY_PRICE, np.where(mode == "NONE", 0, DEMAND_PRICE)) // 10**6
    quantity = half_up(quantity * _days_of_thirty(accounts, months), 30)
    gross = half_up(quantity * price, 10_000)
    earns = (np.isin(mode, ("BY_CONTRACT_MD", "BY_ACTUAL_MD"))) & (kwh >= cap * DEMAND_DISCOUNT_KWH_PER_KVA * 10_000)
    discount = np.where(earns, half_up(gross * 10, 100), 0)
    basic = gross - discount
    reactive = sums["q"] + sums["q4"]
    factor = np.floor(kwh / np.hypot(kwh, reactive).clip(1) * 10_000 + 1e-7).astype(np.int64)
    percent = np.stack([adjustment_units(a.pf_standard, factor[i]) for i, a in enumerate(accounts)])
    base = basic + sums["charge"]
    adjustment = half_up(base * percent, 10**6)
    fund, loss, system = (half_up(kwh * (p // 100), 10**8) for p in (FUND_PRICE, LINE_LOSS_PRICE, SYSTEM_OP_PRICE))
    return {
        "kwh": kwh,
        **{rate: sums[rate] for rate in TOU_RATES},
        "kvarh_fwd": sums["q"],
        "kvarh_rev": sums["q4"],
        "factor": factor,
        "percent": percent,
        "base": base,
        "quantity": quantity,
        "basic_price": np.broadcast_to(price, kwh.shape),
        "basic": basic,
        "mode": mode,
        "demand": demand,
        "energy": sums["charge"],
        "fund": fund,
        "line_loss": loss,
        "system": system,
        "adjustment": adjustment,
        "discount": discount,
        "per_kva": kwh / (cap * 10_000),
        "total": basic + sums["charge"] + fund + loss + system + adjustment,
    }


def _days_of_thirty(accounts: list[Account], months: np.ndarray) -> np.ndarray:
    """(accounts, months) the days for which the basic charge is owed: thirty for a whole month, whatever its length."""
    begin = np.array([a.connect_on for a in accounts], dtype="datetime64[D]")[:, None]
    end = np.array([a.closed_on or date.max for a in accounts], dtype="datetime64[D]")[:, None]
    first, last = calendar.first_of(months), calendar.first_of(months + 1)
    is_part = ((first < begin) & (begin < last)) | ((first < end) & (end < last))
    days = (np.minimum(end, last) - np.maximum(begin, first)).astype(int)
    return np.where(is_part, np.clip(days, 0, 30), 30)


@dataclass
class Payments:
    """How each bill was or will be paid. `first`, `second` are days; `second` is NaT for a bill paid at once.

    `bounced` marks a payment that the bank took back two days later and that was repeated three days after that.
    The penalty of a bill paid in two parts is on the rest alone. `waived` penalties are noted and not charged.
    """

    first: np.ndarray
    second: np.ndarray
    due: np.ndarray
    late_days: np.ndarray
    late_days_next_year: np.ndarray
    penalty: np.ndarray
    penalty_next_year: np.ndarray
    bounced: np.ndarray
    waived: np.ndarray

    @cached_property
    def again(self) -> np.ndarray:
        """The day of the payment that stands in place of a bounced one."""
        return self.first + 5

    @cached_property
    def last(self) -> np.ndarray:
        """The day on which everything is paid."""
        return np.where(self.bounced, self.again, np.where(np.isnat(self.second), self.first, self.second))

    @cached_property
    def owed_penalty(self) -> np.ndarray:
        return np.where(self.waived, 0, self.penalty + self.penalty_next_year)


def build_payments(world: World, bills: Bills) -> Payments:
    """The days and penalties of payment; 2 permille a day, 3 permille from 1 January of the year after the due day."""
    seed, account, month = world.seed, bills.account, bills.month.astype(int)
    draw = lambda stream: uniform(seed, stream, account, month)  # noqa: E731
    due = bills.issued_on + 20
    prone = uniform(seed, "late account", account) < 0.12
    late = draw("late") < np.where(prone, 0.35, 0.012)
    days_late = np.where(late, integers(seed, "late days", 1, 26, account, month), 0)
    days_late = np.where(draw("unpaid") < 0.006, 60 + integers(seed, "unpaid days", 0, 120, account, month), days_late)
    # one account in a hundred does not pay from July to October until the winter, another one keeps last November's bill
    days_late = np.where((account % 100 == 57) & np.isin(month % 12, (6, 7, 8, 9)), 150, days_late)
    days_late = np.where((account % 100 == 77) & (month % 12 == 10), 400, days_late)
    # every other customer that leaves owes its last bill for half a year
    left = np.array([a.closed_on or "NaT" for a in world.accounts], dtype="datetime64[D]") - 1
    days_late = np.where((bills.month == left.astype("datetime64[M]")[account]) & (account % 40 == 4), 190, days_late)
    late = days_late > 0
    first = np.where(late, due + days_late, bills.issued_on + integers(seed, "pay", 1, 12, account, month))
    parts = ~late & (uniform(seed, "pay parts", account) < 0.10)
    rest_late = parts & (draw("rest late") < 0.08)
    rest_days = np.where(rest_late, integers(seed, "rest days", 5, 60, account, month), 0)
    second = np.where(rest_late, due + rest_days, first + integers(seed, "pay second", 3, 8, account, month))
    second = np.where(parts, second, np.datetime64("NaT", "D"))
    days_late = days_late + rest_days
    last = np.where(parts, second, first)
    new_year = (due.astype("datetime64[Y]") + 1).astype("datetime64[D]")
    after = np.clip((last - new_year).astype(int) + 1, 0, None) * (days_late > 0)
    before = days_late - after
    total = bills.bill["total"]
    unpaid = np.where(rest_late, total - total * 6 // 10, total)
    penalty = half_up(unpaid * before * 2, 1000), half_up(unpaid * after * 3, 1000)
    bounced = ~late & ~parts & (draw("bounced") < 0.006)
    waived = (days_late > 0) & (draw("waived") < 0.06)
    return Payments(first, second, due, before, after, *penalty, bounced, waived)
