"""Frozen registers: every day of the window, and the monthly freeze with the maximum demand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.lab.simulator import days as calendar
from include.lab.simulator import tables
from include.lab.simulator.curves import received_at
from include.lab.simulator.energy import REGISTERS, Energy
from include.lab.simulator.tables import Fixed
from include.lab.simulator.world import World

# register -> energy kind, rate
NAMES = {
    "T": ("ACTIVE", "T"),
    "SHARP": ("ACTIVE", "SHARP"),
    "PEAK": ("ACTIVE", "PEAK"),
    "FLAT": ("ACTIVE", "FLAT"),
    "VALLEY": ("ACTIVE", "VALLEY"),
    "DEEP": ("ACTIVE", "DEEP"),
    "Q1": ("REACTIVE_Q1", "T"),
    "Q4": ("REACTIVE_Q4", "T"),
    "FED_IN": ("ACTIVE", "T"),
}


def rolled(world: World, readings: np.ndarray) -> np.ndarray:
    """Readings as the register shows them, (points, ...) in 10^-4: they begin again at 10^digits_int."""
    top = 10 ** (world.points.digits.astype(np.int64) + 4)
    return readings % top.reshape(-1, *([1] * (readings.ndim - 1)))


def build_registers(world: World, energy: Energy) -> pa.Table:
    """The table met_register_freeze."""
    today = energy.days[-1]
    day_freezes = np.concatenate([[energy.days[0]], energy.days + 1])
    parts = [
        _freezes(world, today, "DAY", day_freezes, energy.day_registers, None, None),
        _freezes(world, today, "MONTH", energy.months, energy.month_registers, energy.demand, energy.demand_at),
    ]
    return pa.concat_tables(parts).combine_chunks()


def _of_its_meter(world: World, today: np.datetime64, point: np.ndarray, freeze: np.ndarray) -> np.ndarray:
    """Whether the meter of a point was there at a freeze, the moments of its installation and of its removal included.

    A meter that takes the place of another tomorrow is not known today, though tonight's freeze is its first one.
    """
    points = world.points
    is_known = points.is_first[point] | (points.begin[point] <= today)
    return is_known & (points.begin[point] <= freeze) & (freeze <= points.end[point])


def _freezes(world, today, kind: str, freezes, registers, demand, demand_at) -> pa.Table:
    points = world.points
    pairs = [
        (p, n)
        for p in range(len(points))
        for n in range(len(REGISTERS))
        if (
            world.is_rich and points.solar_of[p] >= 0
            if REGISTERS[n] == "FED_IN"
            else points.role[p] == "BILLING" or NAMES[REGISTERS[n]][0] == "ACTIVE"
        )
    ]
    point, register = np.array([p for p, _ in pairs]), np.array([n for _, n in pairs])
    stacked = np.stack([rolled(world, registers[name]) for name in REGISTERS], axis=1)
    reading = stacked[point, register].T.ravel()  # by freeze, then point and register
    count = len(freezes)
    repeated = pa.array(np.tile(np.arange(len(pairs)), count))
    freeze = np.repeat(freezes.astype("datetime64[s]"), len(pairs))
    closed_day = np.repeat(freezes.astype("datetime64[D]") - 1, len(pairs))
    columns = {
        "meter_asset_no": pa.array([points.meter_no[p] for p in point]).take(repeated),
        "freeze_kind": kind,
        "freeze_ts": freeze,
        "energy_kind": pa.array([NAMES[REGISTERS[n]][0] for n in register]).take(repeated),
        "dir": pa.array(["REV" if REGISTERS[n] == "FED_IN" else "FWD" for n in register]).take(repeated),
        "rate": pa.array([NAMES[REGISTERS[n]][1] for n in register]).take(repeated),
        "version": np.ones(len(freeze), dtype=np.int32),
        "reading": Fixed(reading, 4),
        "recv_ts": received_at(world.seed, np.tile(points.key[point], count), closed_day),
        "collect_way": "AUTO",
        "batch_id": np.char.add("B", np.char.replace(np.datetime_as_string(closed_day), "-", "")),
    }
    if demand is not None:
        has = (register == 0)[:, None] & (freezes.astype("datetime64[D]") > calendar.ANCHOR)
        # a meter that took the place of another knows no demand of the month before it
        replaces = ~points.is_first[point][:, None] & (points.begin[point][:, None] == freezes.astype("datetime64[D]"))
        has &= ~replaces
        moment = np.where(has, demand_at[point], np.datetime64("NaT"))
        columns |= {
            "max_demand_kw": Fixed(demand[point].T.ravel(), 4, ~has.T.ravel()),
            "max_demand_ts": moment.T.ravel(),
        }
    kept = _of_its_meter(world, today, np.tile(point, count), freeze.astype("datetime64[D]"))
    return tables.build("metering", "met_register_freeze", columns).filter(pa.array(kept))
