"""Day curves of 96 slots and the voltage statistics counted from them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.energy import Energy, fed_in
from include.lab.simulator.hashing import normal, uniform
from include.lab.simulator.outages import Outages, dead_at_slot_end
from include.lab.simulator.points import Points
from include.lab.simulator.shapes import SLOTS
from include.lab.simulator.tables import Fixed
from include.lab.simulator.world import World

# (data type, phase) of the rows of a point and a day, in the order of delivery
CHANNELS = {
    "3P3W": (("P", "T"), ("E+", "T"), ("RQ1", "T"), ("RQ4", "T"), ("U", "A"), ("U", "C"), ("I", "A"), ("I", "C")),
    "3P4W": (("P", "T"), ("E+", "T"), ("RQ1", "T"), ("RQ4", "T"), ("U", "A"), ("U", "B"), ("U", "C"), ("I", "A")),
    "ENERGY": (("P", "T"), ("E+", "T")),
}
# a works with own generation may feed in
CHANNELS |= {f"{wiring} FEED IN": (*CHANNELS[wiring], ("E-", "T")) for wiring in ("3P3W", "3P4W")}
_EXCURSION_SHARE = 0.05


def received_at(seed: int, point_key: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Receipt of the readings of a day: between 00:05 and 07:30 of the next morning, local datetime64[s]."""
    seconds = 300 + (uniform(seed, "receipt", point_key, day) ** 2 * 26_700).astype(np.int64)
    return (day.astype("datetime64[D]") + 1).astype("datetime64[s]") + seconds.astype("timedelta64[s]")


def voltage_limits(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit of each point, secondary volts: +-7 % up to 20 kV, +-5 % above."""
    band = np.where(np.isin(points.voltage, ("AC35kV", "AC110kV")) & (points.side == "HV_HV"), 0.05, 0.07)
    return np.round(points.nominal_v * (1 - band), 4), np.round(points.nominal_v * (1 + band), 4)


def build_curves(world: World, energy: Energy, outages: Outages) -> tuple[pa.Table, pa.Table]:
    """The tables met_interval_96 and met_voltage_daily of the window."""
    points = world.points
    channel = np.where(points.role == "BILLING", points.wiring, "ENERGY").astype(object)
    channel[points.solar_of >= 0] += " FEED IN"
    dead = _dead_slots(world, energy, outages)
    days = [_curves_of_day(world, energy, number, channel, dead) for number in range(len(energy.days))]
    order = [(point, kind, phase) for point in range(len(points)) for kind, phase in CHANNELS[channel[point]]]
    row_point = np.array([o[0] for o in order])
    count, per_day = len(energy.days), len(order)
    values = np.concatenate([d[0] for d in days])
    point = np.tile(row_point, count)
    day = np.repeat(energy.days, per_day)
    text = lambda items: pa.array(items).take(pa.array(np.tile(np.arange(per_day), count)))  # noqa: E731
    columns = {
        "mp_no": text([points.mp_no[o[0]] for o in order]),
        "data_date": day,
        "data_type": text([o[1] for o in order]),
        "phase": text([o[2] for o in order]),
        "version": np.ones(len(day), dtype=np.int32),
        "is_primary": np.zeros(len(day), dtype=bool),
        "point_flag": "1" * SLOTS,
        "recv_ts": received_at(world.seed, points.key[point], day),
        "collect_way": "AUTO",
        "batch_id": pa.array([f"B{str(d).replace('-', '')}" for d in energy.days]).take(
            pa.array(np.repeat(np.arange(count), per_day))
        ),
    }
    columns |= {f"v{k + 1}": np.ascontiguousarray(values[:, k]) for k in range(SLOTS)}
    curves = tables.build("metering", "met_interval_96", columns)
    arrived = ~is_lost(world, point, day)
    again = _read_again(world, curves, point, day, arrived, energy.days[-1])
    curves = pa.concat_tables([curves.filter(pa.array(arrived)), again]).combine_chunks()
    return curves, _voltage_table(world, energy, [d[1] for d in days])


def is_lost(world: World, point: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Point days of which no curve ever arrived: one in a thousand, and three days in a row once in a while; and those of other meters.

    None at the first twenty accounts, where one point would be a large part of all.
    """
    key, number = world.points.key[point], day.astype("datetime64[D]").astype(np.int64)
    in_a_row = uniform(world.seed, "lost days", key, number // 3) < 0.0003
    lost = ((uniform(world.seed, "lost day", key, day) < 0.001) | in_a_row) & (world.points.account[point] >= 20)
    return lost | ~world.points.is_there(point, day)


def _read_again(world: World, curves: pa.Table, point, day, arrived, last: np.datetime64) -> pa.Table:
    """Energy curves that were recalled two days later, with the same values, as version 2."""
    seed, key = world.seed, world.points.key[point]
    chosen = (uniform(seed, "read again", key, day) < 0.002) & (day + 1 <= last) & arrived
    is_energy = np.array(curves["data_type"].to_pylist(), dtype=object) == "E+"
    rows = np.flatnonzero(chosen & is_energy)
    received = (day[rows] + 2).astype("datetime64[s]") + (3600 + key[rows] % 7200).astype("timedelta64[s]")
    changed = {"version": np.full(len(rows), 2), "recv_ts": received, "collect_way": ["RECALL"] * len(rows)}
    table = curves.take(pa.array(rows))
    built = tables.build("metering", "met_interval_96", changed)
    for name in changed:
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), built[name])
    return table


def _dead_slots(world: World, energy: Energy, outages: Outages) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Day of the window -> (points, (n, 96) slots whose end lies in an outage)."""
    outage, point = outages.of_points(world.points)
    number = (outages.day[outage] - energy.days[0]).astype(np.int64)
    inside = (number >= 0) & (number < len(energy.days))
    outage, point, number = outage[inside], point[inside], number[inside]
    slots = dead_at_slot_end(outages.start[outage], outages.end[outage])
    return {d: (point[number == d], slots[number == d]) for d in np.unique(number).tolist()}


def slot_energy(energy: Energy, number: int, rows: np.ndarray, total: np.ndarray) -> np.ndarray:
    """(n, 96) integers of 10^-4 that add up to `total` of each row, by the day's shape with its outages."""
    cumulative = energy.library.cumulative[energy.shape[rows, number]]
    position = {p: i for i, p in enumerate(rows.tolist())}
    for n in np.flatnonzero(energy.broken_day == number):
        if (p := int(energy.broken_point[n])) in position:
            cumulative[position[p]] = energy.broken_cumulative[n]
    return np.diff(np.rint(total[:, None] * cumulative), axis=1)


def _curves_of_day(world: World, energy: Energy, number: int, channel: np.ndarray, dead: dict):
    """Values (rows, 96) of one day in the order of delivery, and the voltages (points, 3, 96) with dead slots zero."""
    points, day = world.points, energy.days[number]
    everyone = np.arange(len(points))
    active = slot_energy(energy, number, everyone, energy.total[:, number])
    billing = np.flatnonzero(points.role == "BILLING")
    volts = np.full((len(points), 3, SLOTS), np.nan)
    volts[billing] = _voltages(world, billing, day)
    for point, slots in [dead[number]] if number in dead else []:
        for p, off in zip(point, slots, strict=True):
            volts[p][:, off] = np.where(np.isnan(volts[p][:, off]), np.nan, 0.0)
    angle = energy.total[:, number] / np.hypot(energy.total[:, number], energy.q1[:, number]).clip(1)
    wires = np.where(points.wiring == "3P3W", 3**0.5, 3.0)
    current = active * 0.4 / (wires * points.nominal_v * np.where(angle > 0, angle, 1.0))[:, None]
    series = {
        ("P", "T"): lambda r: active[r] * 4 / 10_000,
        ("E+", "T"): lambda r: active[r] / 10_000,
        ("RQ1", "T"): lambda r: slot_energy(energy, number, r, energy.q1[r, number]) / 10_000,
        ("RQ4", "T"): lambda r: slot_energy(energy, number, r, energy.q4[r, number]) / 10_000,
    }
    for n, phase in enumerate("ABC"):
        series["U", phase] = lambda r, n=n: volts[r, n]
        series["I", phase] = lambda r, n=n: _current(world, current, volts, r, n, day)
    series["E-", "T"] = lambda r: (
        fed_in(active[points.solar_of[r]], active[r], points.multiplier[points.solar_of[r]], points.multiplier[r])
        / 10_000
    )
    sizes = np.array([len(CHANNELS[c]) for c in channel])
    offset = np.cumsum(sizes) - sizes
    values = np.empty((sizes.sum(), SLOTS))
    for name, channels in CHANNELS.items():
        rows = np.flatnonzero(channel == name)
        if not len(rows):
            continue
        for position, key in enumerate(channels):
            values[offset[rows] + position] = series[key](rows)
    return values, volts


def _current(world: World, current, volts, rows, phase: int, day) -> np.ndarray:
    unequal = 1 + 0.01 * normal(world.seed, "current", world.points.key[rows], phase, day)
    return np.where(volts[rows, phase] == 0, 0.0, np.round(current[rows] * unequal[:, None], 3))


def _voltages(world: World, rows: np.ndarray, day: np.datetime64) -> np.ndarray:
    """(n, 3, 96) secondary volts at slot ends; B of a three-wire point is not collected but drawn all the same."""
    seed, points = world.seed, world.points
    key = points.key[rows][:, None, None]
    phase, slot = np.arange(3)[None, :, None], np.arange(SLOTS)[None, None, :]
    deviation = 0.012 * (uniform(seed, "volt account", key) - 0.3) + 0.002 * normal(seed, "volt phase", key, phase)
    # at one point in fifty the phases are unequally loaded
    deviation = deviation + 0.015 * (phase - 1) * (uniform(seed, "volt unbalance", key) < 0.02)
    deviation = deviation - 0.008 * np.sin((slot - 40) / SLOTS * 2 * np.pi)
    deviation = deviation + 0.0025 * normal(seed, "volt slot", key, day, slot)
    deviation = deviation + 0.0006 * normal(seed, "volt noise", key, phase, day, slot)
    return np.round(points.nominal_v[rows][:, None, None] * (1 + deviation + _excursions(world, rows, day)), 1)


def _excursions(world: World, rows: np.ndarray, day: np.datetime64) -> np.ndarray:
    """(n, 1, 96) short voltage excursions beyond the limits at a few points, on few days."""
    seed, points = world.seed, world.points
    key = points.key[rows]
    prone = (uniform(seed, "volt prone", key) < _EXCURSION_SHARE) & np.isin(points.voltage[rows], ("AC10kV", "AC380V"))
    happens = prone & (uniform(seed, "volt happens", key, day) < 0.2)
    first = (uniform(seed, "volt first", key, day) * 90).astype(int)[:, None]
    length = 1 + (uniform(seed, "volt length", key, day) * 4).astype(int)[:, None]
    slot = np.arange(SLOTS)
    size = np.where(uniform(seed, "volt sign", key, day) < 0.7, 0.085, -0.085)[:, None]
    hit = happens[:, None] & (slot >= first) & (slot < first + length)
    return np.where(hit, size, 0.0)[:, None, :]


def _voltage_table(world: World, energy: Energy, volts: list[np.ndarray]) -> pa.Table:
    points = world.points
    low, high = voltage_limits(points)
    pairs = [
        (p, n)
        for p in np.flatnonzero(points.role == "BILLING")
        for n in range(3)
        if not (points.wiring[p] == "3P3W" and n == 1)
    ]
    point, phase = np.array([p for p, _ in pairs]), np.array([n for _, n in pairs])
    parts: dict[str, list] = {}
    for day, day_volts in zip(energy.days, volts, strict=True):
        u = np.rint(day_volts[point, phase] * 10)
        alive = u > 0
        minutes = 15 * alive.sum(axis=1)
        over = 15 * (u > np.rint(high[point] * 1e4)[:, None] / 1e3).sum(axis=1)
        under = 15 * (alive & (u < np.rint(low[point] * 1e4)[:, None] / 1e3)).sum(axis=1)
        top, bottom = u.argmax(axis=1), np.where(alive, u, np.inf).argmin(axis=1)
        row = np.arange(len(u))
        midnight = day.astype("datetime64[s]")
        at = lambda slot, midnight=midnight: midnight + (900 * (slot + 1)).astype("timedelta64[s]")  # noqa: E731
        values = {
            "data_date": np.full(len(u), day),
            "u_max": u[row, top],
            "u_max_ts": at(top),
            "u_min": u[row, bottom],
            "u_min_ts": at(bottom),
            "u_avg": np.rint(u.sum(axis=1) * 1000 / alive.sum(axis=1).clip(1)),
            "monitored_min": minutes,
            "over_min": over,
            "under_min": under,
            "ok_rate": np.rint(1e6 * (1 - (over + under) / minutes.clip(1))),
            "recv_ts": received_at(world.seed, points.key[point], np.full(len(u), day)),
        }
        for name, array in values.items():
            parts.setdefault(name, []).append(array)
    columns = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    lost = is_lost(world, np.tile(point, len(energy.days)), columns["data_date"])
    for name, scale in (("u_max", 1), ("u_min", 1), ("u_avg", 4), ("ok_rate", 4)):
        columns[name] = Fixed(columns[name].astype(np.int64), scale)
    count = len(energy.days)
    repeated = np.tile(np.arange(len(pairs)), count)
    columns |= {
        "mp_no": pa.array([points.mp_no[p] for p in point]).take(pa.array(repeated)),
        "phase": pa.array(["ABC"[n] for n in phase]).take(pa.array(repeated)),
        "version": np.ones(len(repeated), dtype=np.int32),
        "collect_way": "AUTO",
        "limit_hi": Fixed(np.tile(np.rint(high[point] * 1e4).astype(np.int64), count), 4),
        "limit_lo": Fixed(np.tile(np.rint(low[point] * 1e4).astype(np.int64), count), 4),
        "batch_id": np.char.add("B", np.char.replace(np.datetime_as_string(columns["data_date"]), "-", "")),
    }
    return tables.build("metering", "met_voltage_daily", columns).filter(pa.array(~lost))
