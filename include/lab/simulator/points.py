"""The metering points of the simulated accounts: what each measures, with which meter and which ratio."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from include.lab.simulator.accounts import Account
from include.lab.simulator.hashing import uniform
from include.lab.simulator.shapes import FAMILIES

CT_SERIES = (5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 600, 750, 800, 1000, 1200, 1500, 2000)
LINE_KV = {"AC380V": 0.4, "AC10kV": 10.0, "AC35kV": 35.0, "AC110kV": 110.0}
BELOW = ("CHECK", "SUB")  # roles of points that measure what their account's first point measures, or parts of it


@dataclass
class Points:
    """Metering points as columns, each with the meter that it has from `begin` to before `end`.

    A point whose meter was swapped has two rows of one key. `load_kw` is the mean primary power on a plain working day.
    """

    key: np.ndarray
    account: np.ndarray
    mp_no: list[str]
    meter_no: list[str]
    role: np.ndarray
    wiring: np.ndarray
    side: np.ndarray
    voltage: np.ndarray
    ct: np.ndarray
    pt: np.ndarray
    nominal_v: np.ndarray
    digits: np.ndarray
    feeder: np.ndarray
    family: np.ndarray
    rest_day: np.ndarray
    load_kw: np.ndarray
    tran_no: list[str | None]
    parent: list[str | None]
    begin: np.ndarray
    end: np.ndarray

    @cached_property
    def multiplier(self) -> np.ndarray:
        return self.ct * self.pt

    @cached_property
    def is_first(self) -> np.ndarray:
        """Whether a row is the first one of its point."""
        return np.diff(self.key, prepend=-1) != 0

    @cached_property
    def solar_of(self) -> np.ndarray:
        """Row of the solar plant behind each billing point, -1 where there is none."""
        solar = np.flatnonzero((self.role == "GENERATION") & (self.family == FAMILIES.index("PV")))
        row_of = dict(zip(self.account[solar].tolist(), solar.tolist(), strict=True))
        bills = (self.role == "BILLING").tolist()
        return np.array(
            [row_of.get(a, -1) if bill else -1 for a, bill in zip(self.account.tolist(), bills, strict=True)]
        )

    def taken_away_on(self, row: int, day: np.datetime64) -> date | None:
        """The day, until `day`, on which the meter of a row gave way to another one at its point."""
        has_next = row + 1 < len(self) and not self.is_first[row + 1]
        return self.end[row].item() if has_next and self.end[row] <= day else None

    def is_there(self, row: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Whether the meters of rows measure on days."""
        return (self.begin[row] <= day) & (day < self.end[row])

    def __len__(self) -> int:
        return len(self.key)


def _scrambled(number: int) -> int:
    """A number of 18 digits of its own for each point, as asset numbers do not count up."""
    return (number * 982_451_653 + 401_234_567_890_123_457) % 10**18


def _ct_primary(cap_kva: float, kilovolts: float) -> int:
    current = cap_kva / (3**0.5 * kilovolts)
    return next((value for value in CT_SERIES if value >= current), CT_SERIES[-1])


class _Row(NamedTuple):
    """A metering point before its meters are known; `cap_kva` is what its current transformers are made for."""

    account: Account
    order: int
    role: str
    feeder: str
    load_kw: float
    family: str
    side: str
    cap_kva: float


def _rows_of(a: Account) -> list[_Row]:
    place, cap = a.number % 20, a.contract_cap + a.growth_kva
    family = "CHARGING" if a.story.has_battery else a.kind.family
    own = lambda order, role, feeder, share: _Row(  # noqa: E731
        a, order, role, feeder, a.load_kw * share, family, a.side, cap
    )
    if a.backup_feeder:
        rows = [own(0, "BILLING", a.main_feeder, 0.6), own(1, "BILLING", a.backup_feeder, 0.4)]
    else:
        second = a.story.second_point
        rows = [own(0, "BILLING", a.main_feeder, 1.0 - second)]
        rows += [own(1, "BILLING", a.main_feeder, second)] if second else []
    if place == 14 and (a.number // 20) % 2 == 0:
        rows.append(own(2, "CHECK", a.main_feeder, 1.0))
    if a.story.has_battery:
        rows.append(_Row(a, 2, "GENERATION", a.main_feeder, a.self_gen_kva * 0.05, "BATTERY", "HV_LV", a.self_gen_kva))
    if place == 6:
        rows.append(_Row(a, 3, "GENERATION", a.main_feeder, a.self_gen_kva * 0.16, "PV", "HV_LV", a.self_gen_kva))
    return rows + [own(n, "SUB", a.main_feeder, share) for n, share in enumerate(a.story.sub_meters, 2)]


def _ct_ratios(row: _Row) -> list[int]:
    """CT ratio of each meter that the point has had."""
    kilovolts = LINE_KV[row.account.voltage] if row.side == "HV_HV" else 0.4
    primary = _ct_primary(row.cap_kva, kilovolts)
    if row.account.story.swapped_on is None:
        return [primary // 5]
    smaller = CT_SERIES[CT_SERIES.index(primary) - 1] if row.account.story.swap_enlarges else primary
    return [smaller // 5, primary // 5]


def build_points(seed: int, accounts: list[Account]) -> Points:
    """The points of all accounts, one row for each meter that a point has had or will have."""
    found = [(row, n, ct) for a in accounts for row in _rows_of(a) for n, ct in enumerate(_ct_ratios(row))]
    rows, nth = [row for row, *_ in found], np.array([n for _, n, _ in found])
    key = np.array([row.account.number * 4 + row.order for row in rows])
    side = np.array([row.side for row in rows])
    voltage = np.array([row.account.voltage for row in rows])
    is_high = side == "HV_HV"
    kilovolts = [LINE_KV[v] if high else 0.4 for v, high in zip(voltage, is_high, strict=True)]
    wiring = np.where(is_high & (voltage != "AC110kV"), "3P3W", "3P4W")
    nominal = np.where(~is_high, 220.0, np.where(wiring == "3P3W", 100.0, 57.735))
    few_digits = is_high & (uniform(seed, "digits", key) < 0.01) & (nth == 0)
    swapped = np.array([row.account.story.swapped_on or "NaT" for row in rows], dtype="datetime64[D]")
    begin = np.array([row.account.connect_on for row in rows], dtype="datetime64[D]")
    end = np.array([row.account.closed_on or date.max for row in rows], dtype="datetime64[D]")
    return Points(
        key=key,
        account=np.array([row.account.number for row in rows]),
        mp_no=[f"{row.account.cons_no}{row.order + 1:02d}" for row in rows],
        meter_no=[f"3130{_scrambled(k):018d}" for k in (key + nth * 10**9).tolist()],
        role=np.array([row.role for row in rows]),
        wiring=wiring,
        side=side,
        voltage=voltage,
        ct=np.array([ct for *_, ct in found]),
        pt=np.where(is_high, np.array([int(kv * 10) for kv in kilovolts]), 1),
        nominal_v=nominal,
        digits=np.where(few_digits, 5, 6),
        feeder=np.array([row.feeder for row in rows]),
        family=np.array([FAMILIES.index(row.family) for row in rows]),
        rest_day=np.array(
            [-1 if row.account.rest_day is None or row.role == "GENERATION" else row.account.rest_day for row in rows]
        ),
        load_kw=np.array([row.load_kw for row in rows]),
        tran_no=[row.account.transformers[0].tran_no if row.account.transformers else None for row in rows],
        parent=[f"{row.account.cons_no}01" if row.role in BELOW else None for row in rows],
        begin=np.where(nth > 0, swapped, begin),
        end=np.where((nth == 0) & ~np.isnat(swapped), swapped, end),
    )
