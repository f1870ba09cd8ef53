"""Events, alarms, collection tasks and power-quality samples of the metering system."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.curves import slot_energy
from include.lab.simulator.energy import Energy
from include.lab.simulator.hashing import choice, integers, normal, uniform
from include.lab.simulator.outages import Outages
from include.lab.simulator.registers import rolled
from include.lab.simulator.tables import Fixed
from include.lab.simulator.world import World

_TASKS = ("CURVE96", "FREEZE", "VOLTAGE", "REALTIME")
_ALARMS = ("PF_LOW", "OVER_DEMAND", "UNBALANCE", "OVERLOAD", "CLOCK_ERR", "BATTERY_LOW")


def _seconds(count) -> np.ndarray:
    return np.asarray(count).astype("timedelta64[s]")


def build_power_events(world: World, outages: Outages, since: np.datetime64, until: np.datetime64) -> pa.Table:
    """met_power_event: each point that loses supply reports it, and reports its return."""
    seed, points = world.seed, world.points
    outage, point = outages.of_points(points)
    kept = (outages.day[outage] >= since) & (outages.day[outage] <= until)
    outage, point = outage[kept], point[kept]
    outage, point = np.repeat(outage, 2), np.repeat(point, 2)
    is_up = np.tile([False, True], len(outage) // 2)
    key, pkey = outages.key[outage], points.key[point]
    moment = np.where(is_up, outages.end[outage], outages.start[outage])
    source = choice(seed, "event source", ("METER", "TERMINAL"), key, pkey)
    return tables.build(
        "metering",
        "met_power_event",
        {
            "event_id": np.array(
                [f"EV{k:010d}{q:08d}{'U' if up else 'D'}" for k, q, up in zip(key, pkey, is_up, strict=True)]
            ),
            "mp_no": np.array(points.mp_no)[point],
            "terminal_no": np.array(world.terminal_no)[points.account[point]],
            "event": np.where(is_up, "POWER_UP", "POWER_DOWN"),
            "event_ts": moment,
            "recv_ts": moment + _seconds(5 + uniform(seed, "event delay", key, pkey, is_up.astype(int)) * 90),
            "source": source,
            "phases": np.where(points.wiring[point] == "3P3W", "AC", "ABC"),
            "is_valid": np.ones(len(point), dtype=bool),
        },
    )


def build_alarms(world: World, energy: Energy, since: np.datetime64) -> pa.Table:
    """met_event_alarm: dips since `since`; of the window about one other record per account in six weeks, one a day from recorders."""
    seed, points = world.seed, world.points
    billing = np.flatnonzero(points.role == "BILLING")
    key = points.key[billing][:, None]
    has_recorder = (points.account[billing] % 20 == 2)[:, None]
    happens = (uniform(seed, "alarm", key, energy.days) < 0.025) | has_recorder
    row, day = np.nonzero(happens & points.is_there(billing[:, None], energy.days))
    point = billing[row]
    pkey, date = points.key[point], energy.days[day]
    code = choice(seed, "alarm code", _ALARMS, pkey, date)
    start = date.astype("datetime64[s]") + _seconds(integers(seed, "alarm start", 3600, 79_200, pkey, date))
    length = integers(seed, "alarm length", 300, 5400, pkey, date)
    shown = rolled(world, energy.day_registers["T"])
    opening, total = shown[point, day], energy.total[point, day].astype(np.int64)
    part = ((start - date.astype("datetime64[s]")).astype(int)) * total // 86_400
    others = tables.build(
        "metering",
        "met_event_alarm",
        {
            "alarm_id": np.array([f"AL{str(d).replace('-', '')}{k:08d}" for d, k in zip(date, pkey, strict=True)]),
            "mp_no": np.array(points.mp_no)[point],
            "meter_asset_no": np.array(points.meter_no)[point],
            "terminal_no": np.array(world.terminal_no)[points.account[point]],
            "event_code": code,
            "start_ts": start,
            "end_ts": start + _seconds(length),
            "reading_at_start": Fixed(opening + part, 4),
            "reading_at_end": Fixed(opening + part + length * total // 86_400, 4),
            "recv_ts": start + _seconds(length) + _seconds(30 + pkey % 60),
        },
    )

    return pa.concat_tables([_dips(world, np.arange(since, energy.days[-1] + 1)), others]).combine_chunks()


def _dips(world: World, days: np.ndarray) -> pa.Table:
    """Voltage dips of a second; the points of one feeder in eight see them five times as often."""
    seed, points = world.seed, world.points
    billing = np.flatnonzero(points.role == "BILLING")
    key = points.key[billing][:, None]
    is_prone = (points.account[billing] // 8 % 8 == 3)[:, None]
    happens = uniform(seed, "dip", key, days) < np.where(is_prone, 0.03, 0.006)
    row, day = np.nonzero(happens & points.is_there(billing[:, None], days))
    point = billing[row]
    pkey, date = points.key[point], days[day]
    start = date.astype("datetime64[s]") + _seconds(integers(seed, "dip start", 3600, 79_200, pkey, date))
    return tables.build(
        "metering",
        "met_event_alarm",
        {
            "alarm_id": np.array([f"AD{str(d).replace('-', '')}{k:08d}" for d, k in zip(date, pkey, strict=True)]),
            "mp_no": np.array(points.mp_no)[point],
            "meter_asset_no": np.array(points.meter_no)[point],
            "terminal_no": np.array(world.terminal_no)[points.account[point]],
            "event_code": "VOLTAGE_DIP",
            "start_ts": start,
            "end_ts": start + _seconds(1),
            "recv_ts": start + _seconds(31 + pkey % 60),
        },
    )


def build_tasks(world: World, energy: Energy) -> pa.Table:
    """met_collect_task: four tasks of each terminal and day, all of them complete but for a reply now and then."""
    seed, accounts = world.seed, len(world.accounts)
    day, account, task = (
        g.ravel()
        for g in np.meshgrid(np.arange(len(energy.days)), np.arange(accounts), np.arange(len(_TASKS)), indexing="ij")
    )
    date = energy.days[day]
    expected = np.array([768, 7, 24, 96])[task]
    received = expected - ((task == 3) & (uniform(seed, "task", account, date) < 0.08))
    reply = (date + 1).astype("datetime64[s]") + _seconds(
        300 + uniform(seed, "task reply", account, date, task) * 18_000
    )
    drift = (normal(seed, "clock", account, date) * 12).astype(np.int64)
    stamp = np.where(task == 3, reply + _seconds(drift), np.datetime64("NaT"))
    return tables.build(
        "metering",
        "met_collect_task",
        {
            "terminal_no": np.array(world.terminal_no)[account],
            "data_date": date,
            "task_code": np.array(_TASKS)[task],
            "expected_cnt": expected,
            "received_cnt": received,
            "success_rate": received / expected,
            "fail_reason": [None if ok else "TIMEOUT" for ok in (received == expected).tolist()],
            "terminal_ts": stamp.astype("datetime64[s]"),
            "recv_ts": reply,
        },
    )


def build_samples(world: World, energy: Energy, outages: Outages) -> pa.Table:
    """met_pq_sample: a recorder at every twentieth account (from the third), six minutes a day from 10:00 on."""
    seed, points = world.seed, world.points
    rows = np.flatnonzero((points.key % 4 == 0) & (points.account % 20 == 2))
    count = 12
    parts: dict[str, list] = {}
    outage, hit = outages.of_points(points)
    for number, day in enumerate(energy.days):
        slot_kwh = slot_energy(energy, number, rows, energy.total[rows, number])[:, 40:41] / 10_000
        step = np.arange(count)
        moment = (
            day.astype("datetime64[s]")
            + _seconds(36_000 + 30 * step)[None, :]
            + np.zeros((len(rows), 1), "timedelta64[s]")
        )
        dark = np.zeros(moment.shape, dtype=bool)
        for o, p in zip(*(x[np.isin(hit, rows) & (outages.day[outage] == day)] for x in (outage, hit)), strict=True):
            dark |= (rows == p)[:, None] & (moment >= outages.start[o]) & (moment < outages.end[o])
        key = points.key[rows][:, None]
        kilowatts = (
            slot_kwh * 4 * points.multiplier[rows][:, None] * (1 + 0.02 * normal(seed, "sample", key, day, step))
        )
        volts = 10_000 / 3**0.5 * (1 + 0.01 * normal(seed, "sample volt", key, day, step))
        factor = 0.93 + 0.01 * normal(seed, "sample factor", key, day, step)
        ampere = kilowatts * 1000 / (3 * volts * factor)
        live = lambda values, dark=dark: np.where(dark, 0.0, values).ravel()  # noqa: E731
        values = {
            "mp_no": np.repeat(np.array(points.mp_no)[rows], count),
            "sampled_at": moment.ravel(),
            "u_a": live(volts),
            "u_b": live(volts * 1.001),
            "u_c": live(volts * 0.999),
            "i_a": live(ampere),
            "i_b": live(ampere * 1.01),
            "i_c": live(ampere * 0.99),
            "p_kw": live(kilowatts),
            "q_kvar": live(kilowatts * np.sqrt(1 / factor**2 - 1)),
            "pf": live(factor),
            "recv_ts": moment.ravel() + np.timedelta64(20, "s"),
        }
        for name, array in values.items():
            parts.setdefault(name, []).append(array)
    return tables.build("metering", "met_pq_sample", {name: np.concatenate(arrays) for name, arrays in parts.items()})
