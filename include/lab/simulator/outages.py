"""Interruptions of the medium-voltage feeders and of single customers, and who is without supply.

A feeder is overhauled in one month of its own, once a year, and now and then taken out at short notice; faults come more
often where lines run overland. Each feeder has in each month at most one planned outage and at most one fault, one of them
from the 4th to the 14th and the other from the 16th to the 27th, the planned one first at every other feeder; load is shed
on the 1st, a reclosing makes one or two short interruptions on the 2nd, the fault of a transformer area comes on the 3rd,
one of the customer's own plant, which only its meter sees, on the 15th, and the storm of a rich utility on a 28th. So two
kinds never meet. None runs over
midnight. Accounts with two sources and those at 35 kV and above are not interrupted. The others lose supply once or twice a
year, for a few hours in all, which makes the 99.9 % and more that utilities of large cities report.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from include.lab.simulator import stories
from include.lab.simulator.accounts import ACCOUNTS_PER_FEEDER, ORG_AREAS
from include.lab.simulator.days import ANCHOR, first_of
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.shapes import SLOTS
from include.lab.simulator.world import World

PLANNED, FAULT, SHEDDING, FLASH, AREA, OWN, STORM = range(7)
# kind -> day of the month (0-based), probability by feeder and month, or by account and month where it is OWN
_RARE = {SHEDDING: (0, 0.01), FLASH: (1, 0.06), AREA: (2, 0.03), OWN: (14, 0.01)}
_LONGEST = {SHEDDING: 7200, FLASH: 120, AREA: 9000, OWN: 5400, STORM: 32_000}
_SHORT_NOTICE_SHARE = 0.012  # of the feeder months without an overhaul
_FAULT_SHARE = {"URBAN": 0.04, "RURAL": 0.08, "REMOTE": 0.10}
_LONG_REPAIR_SHARE = 0.12  # of the faults overland: a storm has brought a line down
STORM_SECONDS = 29_000  # no other outage lasts that long
_SECTION_SHARE = 0.8  # of the customers of a feeder behind the switch that opens at a fault


@dataclass
class Outages:
    """Outages as columns; times are local datetime64[s]. `account` and `outage` of `affected_*` are row numbers."""

    key: np.ndarray
    feeder: np.ndarray
    kind: np.ndarray
    planned_start: np.ndarray
    planned_end: np.ndarray
    start: np.ndarray
    end: np.ndarray
    affected_outage: np.ndarray
    affected_account: np.ndarray

    @cached_property
    def day(self) -> np.ndarray:
        return self.start.astype("datetime64[D]")

    def is_by_weather(self, n: int) -> bool:
        """Whether a storm made an outage: one of a day, or one that has brought a single line down."""
        return bool(self.kind[n] == STORM or (self.end[n] - self.start[n]).astype(int) > STORM_SECONDS)

    def of_points(self, points) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (row of the outage, row of the point) for every metering point that loses supply."""
        order = np.argsort(points.account, kind="stable")
        sorted_accounts = points.account[order]
        first = np.searchsorted(sorted_accounts, self.affected_account, "left")
        count = np.searchsorted(sorted_accounts, self.affected_account, "right") - first
        outage = np.repeat(self.affected_outage, count)
        offsets = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        point = order[np.repeat(first, count) + offsets]
        there = points.is_there(point, self.day[outage])
        return outage[there], point[there]


def build_outages(world: World, until: np.datetime64) -> Outages:
    """All outages whose planned or actual start lies between the anchor and the end of day `until`."""
    seed = world.seed
    feeder_count = -(-len(world.accounts) // ACCOUNTS_PER_FEEDER)
    months = np.arange(ANCHOR.astype("datetime64[M]"), until.astype("datetime64[M]") + 1)
    feeder, month, kind = (
        g.ravel() for g in np.meshgrid(np.arange(feeder_count), np.arange(len(months)), [PLANNED, FAULT], indexing="ij")
    )
    at_fault = np.array([_FAULT_SHARE[area] for area in ORG_AREAS])[feeder % len(ORG_AREAS)]
    if world.is_rich:
        at_fault = np.where(stories.is_weak(feeder), stories.WEAK_FAULT_SHARE, at_fault)
    happens = uniform(seed, "outage", feeder, month, kind) < np.where(kind == PLANNED, _SHORT_NOTICE_SHARE, at_fault)
    happens |= (kind == PLANNED) & is_overhauled(seed, feeder, month)
    feeder, month, kind = feeder[happens], month[happens], kind[happens]
    planned = kind == PLANNED
    draw = lambda stream: uniform(seed, stream, feeder, month, kind)  # noqa: E731
    first_half = planned ^ (feeder % 2 == 1)
    day = (
        first_of(months[month])
        + np.where(first_half, 3, 15)
        + (draw("outage day") * np.where(first_half, 11, 12)).astype(int)
    )
    early = planned & (draw("outage early") < 0.05)
    overland = np.array(ORG_AREAS)[feeder % len(ORG_AREAS)] != "URBAN"
    takes_long = ~planned & overland & (draw("long repair") < _LONG_REPAIR_SHARE)
    minute = np.where(planned, 8 * 60 + 30 * (draw("outage start") * 4).astype(int), 360 + (draw("outage start") * 840))
    minute = np.where(takes_long, 360 + draw("outage start") * 420, minute)
    planned_start = day.astype("datetime64[s]") + (minute.astype(int) * 60).astype("timedelta64[s]")
    delay = np.where(planned, draw("outage delay") * 600, draw("outage delay") * 59).astype(int)
    delay = np.where(early, -60 - (draw("outage delay") * 1140).astype(int), delay)
    start = planned_start + delay.astype("timedelta64[s]")
    length = np.where(planned, 5400 + draw("outage length") * 7200, 360 + draw("outage length") ** 2 * 9000)
    length = np.where(takes_long, STORM_SECONDS + 100 + draw("outage length") * 7200, length).astype(int)
    end = start + length.astype("timedelta64[s]")
    planned_end = planned_start + (-(-(length + delay) // 1800) * 1800 + 1800).astype("timedelta64[s]")
    on_feeder = exposed(world, feeder[:, None] * ACCOUNTS_PER_FEEDER + np.arange(ACCOUNTS_PER_FEEDER)).any(axis=1)
    kept = (day <= until) & (day >= ANCHOR) & on_feeder
    arrays = [
        a[kept] for a in (feeder * 100_000 + month * 2 + kind, feeder, kind, planned_start, planned_end, start, end)
    ]
    rare = [_rare(world, months, code, until) for code in (*_RARE, *([STORM] if world.is_rich else []))]
    key, feeder, kind, *times = (np.concatenate([one, *others]) for one, *others in zip(arrays, *rare, strict=True))
    outage, account = _affected(world, key, feeder, kind)
    hit = np.isin(kind, (PLANNED, FAULT)) | (np.bincount(outage, minlength=len(key)) > 0)
    position = np.cumsum(hit) - 1
    return Outages(key[hit], feeder[hit], kind[hit], *(t[hit] for t in times), position[outage], account)


def _rare(world: World, months: np.ndarray, kind: int, until: np.datetime64) -> list[np.ndarray]:
    """The outages of a rarer kind, in the columns of `Outages`; `planned_*` are the actual times."""
    seed, (day_of_month, share) = world.seed, _RARE.get(kind, (stories.STORM_DAY - 1, 1.0))
    places = (
        np.arange(len(world.accounts)) if kind == OWN else np.arange(-(-len(world.accounts) // ACCOUNTS_PER_FEEDER))
    )
    times = np.arange(2) if kind == FLASH else np.arange(1)
    place, month, time = (g.ravel() for g in np.meshgrid(places, np.arange(len(months)), times, indexing="ij"))
    stream = f"outage kind {kind}"
    probability = np.full(len(place), share)
    if kind == STORM:
        by_area = np.array([stories.STORM_SHARE[area] for area in ORG_AREAS])[place % len(ORG_AREAS)]
        probability = by_area * (months[month].astype(int) % 12 + 1 == stories.STORM_MONTH)
    elif kind == FLASH and world.is_rich:
        probability = np.where(stories.is_weak(place), stories.WEAK_FLASH_SHARE, share)
    # the second interruption of a reclosing follows the first one in half of the cases
    happens = uniform(seed, stream, place, month, 0) < np.where(time == 0, probability, probability / 2)
    place, month, time = place[happens], month[happens], time[happens]
    draw = lambda name: uniform(seed, f"{stream} {name}", place, month)  # noqa: E731
    day = first_of(months[month]) + day_of_month
    second = 25_200 + (draw("start") * 50_400).astype(int) + time * 200
    if kind == STORM:  # in the morning, and over before midnight
        second = 21_600 + (draw("start") * 25_200).astype(int)
    length = 30 + (draw("length") ** 2 * _LONGEST[kind]).astype(int)
    if kind == STORM:
        length += 3600
    start = day.astype("datetime64[s]") + second.astype("timedelta64[s]")
    end = start + length.astype("timedelta64[s]")
    feeder = place // ACCOUNTS_PER_FEEDER if kind == OWN else place
    part = place % ACCOUNTS_PER_FEEDER if kind == OWN else time
    key = feeder * 100_000 + kind * 10_000 + month * 20 + part
    kept = (day <= until) & (day >= ANCHOR)
    return [a[kept] for a in (key, feeder, np.full(len(key), kind), start, end, start, end)]


def _affected(world: World, key: np.ndarray, feeder: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    place = np.arange(ACCOUNTS_PER_FEEDER)
    account = feeder[:, None] * ACCOUNTS_PER_FEEDER + place
    # work on a line takes out all of it
    behind = uniform(world.seed, "hit", key[:, None], account) < np.where(kind == PLANNED, 1, _SECTION_SHARE)[:, None]
    hit = exposed(world, account) & behind
    in_area = np.array([a.tg_no is not None for a in world.accounts])[np.minimum(account, len(world.accounts) - 1)]
    hit &= np.where((kind == AREA)[:, None], in_area, True)
    alone = exposed(world, account) & (key[:, None] % 20 == place)
    hit = np.where((kind == OWN)[:, None], alone, hit)
    # both interruptions of a reclosing hit the same customers
    first = exposed(world, account) & (uniform(world.seed, "hit", key[:, None] // 2 * 2, account) < _SECTION_SHARE)
    hit = np.where((kind == FLASH)[:, None], first, hit)
    outage, column = np.nonzero(hit)
    return outage, account[outage, column]


def exposed(world: World, account: np.ndarray) -> np.ndarray:
    """Whether the account exists and hangs on its 10 kV feeder alone."""
    exposed = np.array([a.voltage in ("AC10kV", "AC380V") and a.backup_feeder is None for a in world.accounts])
    inside = account < len(exposed)
    return inside & exposed[np.where(inside, account, 0)]


def supplied_share(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Share of each slot of the day of the outage with supply, (n, 96)."""
    midnight = start.astype("datetime64[D]").astype("datetime64[s]")
    begin, finish = ((t - midnight).astype(np.int64)[:, None] for t in (start, end))
    slot = np.arange(SLOTS) * 900
    overlap = np.minimum(finish, slot + 900) - np.maximum(begin, slot)
    return 1 - np.clip(overlap, 0, 900) / 900


def dead_at_slot_end(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """True where the end of the slot, when voltage and current are taken, lies in the outage, (n, 96)."""
    midnight = start.astype("datetime64[D]").astype("datetime64[s]")
    begin, finish = ((t - midnight).astype(np.int64)[:, None] for t in (start, end))
    instant = (np.arange(SLOTS) + 1) * 900
    return (instant > begin) & (instant <= finish)


def is_overhauled(seed: int, feeder: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Whether a feeder is overhauled in a month counted from the anchor: once a year, so that work is done in one outage."""
    return month % 12 == integers(seed, "overhaul", 0, 12, feeder)


def is_temporary(world: World, key: int) -> bool:
    """Whether an outage is a planned one that was called for at short notice."""
    feeder, rest = divmod(key, 100_000)
    return rest < 10_000 and rest % 2 == PLANNED and not is_overhauled(world.seed, feeder, rest // 2)
