"""Energy of every metering point: daily totals, their split by rate, registers and maximum demand.

A day's total is drawn first, as an integer of 10^-4 secondary kWh, and then split over the slots by the rounded
cumulative shape of the day. So the slots add up to the total exactly, and registers of years can be built without
building the slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from include.lab.simulator import days as calendar
from include.lab.simulator.hashing import integers, normal, uniform
from include.lab.simulator.outages import Outages, supplied_share
from include.lab.simulator.points import BELOW
from include.lab.simulator.prices import DEEP_MONTHS, SHARP_MONTHS
from include.lab.simulator.shapes import FAMILIES, SEGMENT_EDGES, SHIFTS, SLOTS, VARIANTS, Shapes, build_library
from include.lab.simulator.stories import fading
from include.lab.simulator.world import World

CHUNK = 400
REGISTERS = ("T", "SHARP", "PEAK", "FLAT", "VALLEY", "DEEP", "Q1", "Q4", "FED_IN")
_SEGMENT_RATES = ("VALLEY", "FLAT", "PEAK", "DEEP", "PEAK", "SHARP", "PEAK", "FLAT")
# what a rate of some months is in the others
_SEASONAL = {"SHARP": (SHARP_MONTHS, "PEAK"), "DEEP": (DEEP_MONTHS, "FLAT")}
_FED_IN_SHARE = 0.3  # of what the sun gives beyond what the grid does: within a slot clouds pass and machines stop
_HIDDEN = 0.006  # capacitive energy beside the inductive: idle hours with capacitors switched on


@dataclass
class Energy:
    """What the curves, registers and bills are made of; units are 10^-4 secondary kWh, kvarh and kW.

    total, q1, q4, shape: (points, window days). day_registers: register -> (points, window days + 1), the first
    column opens the window. month_registers: register -> (points, months). demand, demand_at: (points, months), of the
    month before each; none of that before the world begins.
    last_registers: register -> (points,), the reading with which the meter was taken away, or the newest one.
    broken_*: the point days of the window that an outage cuts, with the cumulative shape of each, (n, 97).
    """

    library: Shapes
    days: np.ndarray
    months: np.ndarray
    total: np.ndarray
    q1: np.ndarray
    q4: np.ndarray
    shape: np.ndarray
    day_registers: dict[str, np.ndarray]
    month_registers: dict[str, np.ndarray]
    last_registers: dict[str, np.ndarray]
    demand: np.ndarray
    demand_at: np.ndarray
    broken_point: np.ndarray
    broken_day: np.ndarray
    broken_cumulative: np.ndarray


def build_energy(world: World, outages: Outages, window: np.ndarray, months: np.ndarray) -> Energy:
    """Totals and registers; `window` are the days with curves, `months` the first days of the register months."""
    library = build_library(world.seed)
    # the points of an account stay together
    edges = np.append(
        np.unique(np.searchsorted(world.points.account, world.points.account[::CHUNK])), len(world.points)
    )
    parts = [
        _Chunk(world, outages, library, window, months, np.arange(low, high)).run()
        for low, high in pairwise(edges.tolist())
    ]
    join = lambda name: np.concatenate([p[name] for p in parts])  # noqa: E731
    gather = lambda name: {r: np.concatenate([p[name][r] for p in parts]) for r in REGISTERS}  # noqa: E731
    return Energy(
        library,
        window,
        months,
        join("total"),
        join("q1"),
        join("q4"),
        join("shape"),
        gather("day_registers"),
        gather("month_registers"),
        gather("last_registers"),
        join("demand"),
        join("demand_at"),
        join("broken_point"),
        join("broken_day"),
        join("broken_cumulative"),
    )


class _Chunk:
    """One slice of metering points over all days from the anchor to the last day of the window."""

    def __init__(self, world, outages, library, window, months, rows):
        self.world, self.outages, self.library, self.window, self.months, self.rows = (
            world,
            outages,
            library,
            window,
            months,
            rows,
        )
        self.days = np.arange(calendar.ANCHOR, max(window[-1], months[-1] - 1) + 1)
        points = world.points
        self.key, self.account, self.role = points.key[rows], points.account[rows], points.role[rows]
        self.family, self.rest_day, self.load_kw = points.family[rows], points.rest_day[rows], points.load_kw[rows]
        self.multiplier = points.multiplier[rows]
        self.begin, self.end = points.begin[rows], points.end[rows]

    def run(self) -> dict:
        """Everything that `Energy` holds, for the slice."""
        types = self._day_types()
        shape = self._shape(types)
        total = self._total(types)
        highest = total * self.library.highest[shape]
        broken = self._cut_by_outages(shape, total, highest)
        segments = self._segments(shape, total, broken)
        q1, q4 = self._reactive(total)
        cumulative = self._registers(total, segments, q1, q4, self._fed_in(shape, total, broken))
        at_day = np.concatenate([[self.window[0] - 1], self.window]) - calendar.ANCHOR + 1
        at_month = self.months - calendar.ANCHOR
        at_end = np.clip((self.end - calendar.ANCHOR).astype(int), 0, len(self.days))
        demand, demand_at = self._demand(shape, total, highest, broken)
        w0 = int((self.window[0] - calendar.ANCHOR).astype(int))
        in_window = broken[1] >= w0
        return {
            "total": total[:, w0:],
            "q1": q1[:, w0:],
            "q4": q4[:, w0:],
            "shape": shape[:, w0:].astype(np.int32),
            "day_registers": {r: c[:, at_day.astype(int)] for r, c in cumulative.items()},
            "month_registers": {r: c[:, at_month.astype(int)] for r, c in cumulative.items()},
            "last_registers": {r: c[np.arange(len(c)), at_end] for r, c in cumulative.items()},
            "demand": demand,
            "demand_at": demand_at,
            "broken_point": self.rows[broken[0][in_window]],
            "broken_day": broken[1][in_window] - w0,
            "broken_cumulative": broken[2][in_window],
        }

    def _day_types(self) -> np.ndarray:
        """(n, days): working day, rest day or holiday of each point; factories have their own rest day."""
        public = np.broadcast_to(calendar.day_types(self.days), (len(self.rows), len(self.days)))
        own = np.where(calendar.weekdays(self.days) == self.rest_day[:, None], calendar.WEEKEND, calendar.WORKDAY)
        return np.where((self.rest_day[:, None] >= 0) & (public != calendar.HOLIDAY), own, public)

    def _shape(self, types: np.ndarray) -> np.ndarray:
        load = self._load_key()
        variant = integers(self.world.seed, "variant", 0, VARIANTS, load, self.days)
        shift = integers(self.world.seed, "shift", 0, len(SHIFTS), load)
        return Shapes.index(self.family[:, None], types, variant, shift)

    def _load_key(self) -> np.ndarray:
        """What draws the load of a point: one below another sees the very same load as the first point of its account."""
        return np.where(np.isin(self.role, BELOW), self.account * 4, self.key)[:, None]

    def _total(self, types: np.ndarray) -> np.ndarray:
        """(n, days) total of each day before outages, as float that holds an integer."""
        seed = self.world.seed
        load = self._load_key()
        year_part = (self.days - calendar.ANCHOR).astype(np.float64) / 365.25
        season = np.cos((year_part + (150 - 205) / 365.25) * 2 * np.pi)  # 1 in late July, -1 in late January
        kinds = [self.world.accounts[a].kind for a in self.account]
        factors = np.array([[1.0, k.rest_factor, k.holiday_factor] for k in kinds])
        summer, winter = np.array([k.summer for k in kinds])[:, None], np.array([k.winter for k in kinds])[:, None]
        scale = 1 + summer * np.clip(season, 0, None) ** 2 + winter * np.clip(-season, 0, None) ** 2
        scale = scale * np.take_along_axis(factors, types.astype(np.int64), axis=1)
        scale *= 1 + (uniform(seed, "growth rate", self.account)[:, None] * 0.06 - 0.03) * year_part
        scale *= 1 + 0.045 * normal(seed, "day", load, self.days)
        scale *= self._running_share()
        if self.world.is_rich:
            scale *= fading(np.array([self.world.accounts[a].story.fades for a in self.account]), self.days)
        is_pv = (self.family == FAMILIES.index("PV"))[:, None]
        sun = (1 + 0.35 * season) * (0.35 + 0.65 * uniform(seed, "sun", load // 4000, self.days))
        scale = np.where(is_pv, sun, scale)
        daily = self.load_kw * 24 / self.multiplier * 10_000
        daily = np.where(self.role == "CHECK", daily * 0.998, daily)
        is_there = (self.begin[:, None] <= self.days) & (self.days < self.end[:, None])
        return np.rint(daily[:, None] * scale) * is_there

    def _running_share(self) -> np.ndarray:
        """(n, days): a works that rests a transformer draws no more than the others can carry."""
        share = np.ones((len(self.rows), len(self.days)))
        for row, number in enumerate(self.account.tolist()):
            account = self.world.accounts[number]
            for start, end in account.suspensions:
                low, high = np.clip(
                    (np.array([start, end], dtype="datetime64[D]") - calendar.ANCHOR).astype(int), 0, None
                )
                share[row, low:high] = account.running_on(start) / account.running_cap
        return share

    def _cut_by_outages(self, shape, total, highest):
        """Take the energy that was not supplied out of the totals; return the cut days and their shapes."""
        outage, point = self.outages.of_points(self.world.points)
        mine = (point >= self.rows[0]) & (point <= self.rows[-1])
        outage, row = outage[mine], point[mine] - self.rows[0]
        day = (self.outages.day[outage] - calendar.ANCHOR).astype(np.int64)
        seen = day < len(self.days)
        outage, row, day = outage[seen], row[seen], day[seen]
        supplied = supplied_share(self.outages.start[outage], self.outages.end[outage])
        cells, cell = np.unique(row * len(self.days) + day, return_inverse=True)  # a day may be cut twice
        row, day = np.divmod(cells, len(self.days))
        share = self.library.share[shape[row, day]]
        np.multiply.at(share, cell, supplied)
        left = share.sum(axis=1)
        safe = np.where(left > 0, left, 1.0)
        cumulative = np.zeros((len(row), SLOTS + 1))
        np.cumsum(share / safe[:, None], axis=1, out=cumulative[:, 1:])
        cumulative = np.where(cumulative >= cumulative[:, -1:], 1.0, cumulative)
        total[row, day] = np.rint(total[row, day] * left)
        highest[row, day] = total[row, day] * (share.max(axis=1) / safe)
        return row, day, cumulative

    def _segments(self, shape, total, broken) -> dict[str, np.ndarray]:
        """Energy by rate: the differences of the rounded cumulative curve at the edges of the rates."""
        month = self.days.astype("datetime64[M]").astype(int) % 12 + 1
        rates = {rate: np.zeros_like(total) for rate in ("SHARP", "PEAK", "FLAT", "VALLEY", "DEEP")}
        row, day, cumulative = broken
        before = np.zeros_like(total)
        for number, edge in enumerate(SEGMENT_EDGES[1:]):
            after = np.rint(total * self.library.cumulative[:, edge][shape])
            after[row, day] = np.rint(total[row, day] * cumulative[:, edge])
            rate, part = _SEGMENT_RATES[number], after - before
            if rate in _SEASONAL:
                months, otherwise = _SEASONAL[rate]
                in_season = np.isin(month, months)
                rates[rate] += part * in_season
                rates[otherwise] += part * ~in_season
            else:
                rates[rate] += part
            before = after
        return rates

    def _reactive(self, total) -> tuple[np.ndarray, np.ndarray]:
        seed = self.world.seed
        draw = uniform(seed, "power factor", self.account)
        factor = np.where(
            draw < 0.72,
            0.905 + 0.07 * draw / 0.72,
            np.where(draw < 0.95, 0.85 + 0.24 * (draw - 0.72), 0.80 + 0.9 * (draw - 0.95)),
        )
        month = self.days.astype("datetime64[M]").astype(int)
        drift = 0.012 * normal(seed, "power factor month", self.account[:, None], month)
        factor = np.clip(factor[:, None] + drift, 0.78, 0.99)
        tangent = np.sqrt(1 / factor**2 - 1) * (
            1 + 0.03 * normal(seed, "power factor day", self.key[:, None], self.days)
        )
        billing = (self.role == "BILLING")[:, None]
        q1 = np.rint(total * tangent) * billing
        return q1, np.rint(q1 * _HIDDEN)

    def _fed_in(self, shape, total, broken) -> np.ndarray:
        """(n, days) energy fed into the grid; nothing in a plain utility, whose meters have no register for it."""
        fed, solar_of = np.zeros_like(total), self.world.points.solar_of[self.rows] - self.rows[0]
        broken_at = {(r, d): n for n, (r, d) in enumerate(zip(broken[0].tolist(), broken[1].tolist(), strict=True))}
        for row in np.flatnonzero(solar_of >= 0) if self.world.is_rich else ():
            slots = []
            for r in (int(solar_of[row]), int(row)):
                cumulative = self.library.cumulative[shape[r]]
                for day in [d for other, d in broken_at if other == r]:
                    cumulative[day] = broken[2][broken_at[r, day]]
                slots.append(np.diff(np.rint(total[r][:, None] * cumulative), axis=1))
            fed[row] = fed_in(*slots, self.multiplier[solar_of[row]], self.multiplier[row]).sum(axis=1)
        return fed

    def _registers(self, total, rates, q1, q4, fed) -> dict[str, np.ndarray]:
        """Readings since installation at 00:00 of each day, (n, days + 1), as integers that have not rolled over."""
        seed, base_total = self.world.seed, 0
        age = ((calendar.ANCHOR - self.begin).astype(int) + 1).clip(0)
        registers = {}
        shares = {"SHARP": 0.02, "PEAK": 0.33, "FLAT": 0.33, "VALLEY": 0.30, "DEEP": 0.02}
        mean_plain = np.rint(self.load_kw * 24 / self.multiplier * 10_000)
        for name, daily in (*rates.items(), ("Q1", q1), ("Q4", q4)):
            share = shares.get(name, 0.4 if name == "Q1" else 0.0024)
            base = np.rint(mean_plain * age * share * (0.9 + 0.2 * uniform(seed, "base " + name, self.key)))
            if name == "Q1":
                base = self._about_to_roll_over(base, mean_plain)
            registers[name] = _running(base, daily)
            base_total = base_total + (base if name in shares else 0)
        registers["T"] = _running(base_total, total)
        registers["FED_IN"] = _running(0, fed)
        return {name: registers[name] for name in REGISTERS}

    def _about_to_roll_over(self, base, mean_plain) -> np.ndarray:
        """The few meters with five digits came with a used reactive register, which rolls over in some of these years.

        Only that one: were the active total to roll over before its rates do, the rates would not add up to it.
        """
        digits = self.world.points.digits[self.rows]
        days = 1400 * uniform(self.world.seed, "roll over", self.key)
        return np.where(digits < 6, 10.0 ** (digits + 4) - np.rint(0.45 * mean_plain * days), base)

    def _demand(self, shape, total, highest, broken) -> tuple[np.ndarray, np.ndarray]:
        """Largest average of a slot in the month before each freeze, and the end of that slot."""
        before = calendar.first_of(self.months[:1].astype("datetime64[M]") - 1)
        index = (np.concatenate([before, self.months]) - calendar.ANCHOR).astype(int)
        row = np.arange(len(self.rows))
        demand = np.zeros((len(row), len(self.months)), dtype=np.int64)
        moment = np.zeros(demand.shape, dtype="datetime64[s]")
        broken_at = {(r, d): n for n, (r, d) in enumerate(zip(broken[0].tolist(), broken[1].tolist(), strict=True))}
        for number, (low, high) in enumerate(pairwise(index)):
            if low < 0:
                continue
            day = low + highest[:, low:high].argmax(axis=1)
            cumulative = self.library.cumulative[shape[row, day]]
            for r, d in zip(row.tolist(), day.tolist(), strict=True):
                if (r, d) in broken_at:
                    cumulative[r] = broken[2][broken_at[r, d]]
            slots = np.diff(np.rint(total[row, day][:, None] * cumulative), axis=1)
            best = slots.argmax(axis=1)
            demand[:, number] = 4 * slots[row, best]
            moment[:, number] = self.days[day].astype("datetime64[s]") + (900 * (best + 1)).astype("timedelta64[s]")
        return demand, moment


def fed_in(solar: np.ndarray, drawn: np.ndarray, solar_multiplier, multiplier) -> np.ndarray:
    """What a point feeds in while its solar plant gives more than the grid does, in the units of its own meter."""
    over = solar * np.reshape(solar_multiplier, (-1, 1)) - drawn * np.reshape(multiplier, (-1, 1))
    return np.rint(_FED_IN_SHARE * over.clip(0) / np.reshape(multiplier, (-1, 1)))


def _running(base, daily: np.ndarray) -> np.ndarray:
    cumulative = np.empty((len(daily), daily.shape[1] + 1), dtype=np.int64)
    cumulative[:, 0] = base
    np.cumsum(daily.astype(np.int64), axis=1, out=cumulative[:, 1:])
    cumulative[:, 1:] += cumulative[:, :1]
    return cumulative
