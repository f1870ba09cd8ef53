"""Interruptions of the medium-voltage feeders: planned work and faults, and who is without supply.

Each feeder has in each month at most one planned outage (4th to 14th) and at most one fault (16th to 27th), so two
never meet. None runs over midnight. Accounts with two sources and those at 35 kV and above are not interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.simulator.days import ANCHOR, first_of
from include.simulator.hashing import uniform
from include.simulator.shapes import SLOTS
from include.simulator.world import ACCOUNTS_PER_FEEDER, World

PLANNED, FAULT = 0, 1


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

    @property
    def day(self) -> np.ndarray:
        return self.start.astype("datetime64[D]")

    def of_points(self, points) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (row of the outage, row of the point) for every metering point that loses supply."""
        order = np.argsort(points.account, kind="stable")
        sorted_accounts = points.account[order]
        first = np.searchsorted(sorted_accounts, self.affected_account, "left")
        count = np.searchsorted(sorted_accounts, self.affected_account, "right") - first
        outage = np.repeat(self.affected_outage, count)
        offsets = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return outage, order[np.repeat(first, count) + offsets]


def build_outages(world: World, until: np.datetime64) -> Outages:
    """All outages whose planned or actual start lies between the anchor and the end of day `until`."""
    seed = world.seed
    feeder_count = -(-len(world.accounts) // ACCOUNTS_PER_FEEDER)
    months = np.arange(ANCHOR.astype("datetime64[M]"), until.astype("datetime64[M]") + 1)
    feeder, month, kind = (
        g.ravel() for g in np.meshgrid(np.arange(feeder_count), np.arange(len(months)), [PLANNED, FAULT], indexing="ij")
    )
    happens = uniform(seed, "outage", feeder, month, kind) < np.where(kind == PLANNED, 0.30, 0.28)
    feeder, month, kind = feeder[happens], month[happens], kind[happens]
    planned = kind == PLANNED
    draw = lambda stream: uniform(seed, stream, feeder, month, kind)  # noqa: E731
    day = (
        first_of(months[month])
        + np.where(planned, 3, 15)
        + (draw("outage day") * np.where(planned, 11, 12)).astype(int)
    )
    minute = np.where(planned, 8 * 60 + 30 * (draw("outage start") * 4).astype(int), 360 + (draw("outage start") * 840))
    planned_start = day.astype("datetime64[s]") + (minute.astype(int) * 60).astype("timedelta64[s]")
    delay = np.where(planned, draw("outage delay") * 600, draw("outage delay") * 59).astype(int)
    start = planned_start + delay.astype("timedelta64[s]")
    length = np.where(planned, 7200 + draw("outage length") * 10800, 360 + draw("outage length") ** 2 * 9000).astype(
        int
    )
    end = start + length.astype("timedelta64[s]")
    planned_end = planned_start + (-(-(length + delay) // 1800) * 1800 + 1800).astype("timedelta64[s]")
    on_feeder = _exposed(world, feeder[:, None] * ACCOUNTS_PER_FEEDER + np.arange(ACCOUNTS_PER_FEEDER)).any(axis=1)
    kept = (day <= until) & (day >= ANCHOR) & on_feeder
    arrays = [
        a[kept] for a in (feeder * 100_000 + month * 2 + kind, feeder, kind, planned_start, planned_end, start, end)
    ]
    outage, account = _affected(world, arrays[0], arrays[1])
    return Outages(*arrays, outage, account)


def _affected(world: World, key: np.ndarray, feeder: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    account = feeder[:, None] * ACCOUNTS_PER_FEEDER + np.arange(ACCOUNTS_PER_FEEDER)
    hit = _exposed(world, account) & (uniform(world.seed, "hit", key[:, None], account) < 0.85)
    outage, column = np.nonzero(hit)
    return outage, account[outage, column]


def _exposed(world: World, account: np.ndarray) -> np.ndarray:
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
