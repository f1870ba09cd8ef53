"""Defects in the metering system: curves, registers, events and points."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from include.lab.defects.scene import Defect, Scene
from include.lab.simulator.accounts import Account
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.shapes import SLOTS
from include.lab.simulator.simulation import Truth

_ZONE = ZoneInfo("Asia/Shanghai")
_CURVE = "met_interval_96"
_SLOTS = [f"v{k + 1}" for k in range(SLOTS)]


def _curve_row(scene: Scene, a: Account, data_type: str, phase: str, day) -> int:
    return scene.edit.find(_CURVE, mp_no=scene.mp(a), data_date=day, data_type=data_type, phase=phase)[0]


def _values(scene: Scene, row: int) -> dict[str, float]:
    return scene.edit.table(_CURVE).slice(row, 1).select(_SLOTS).to_pylist()[0]


def _live_day(scene: Scene, code: str, a: Account):
    """A recent day on which the point had supply in every slot, with the row of its energy curve."""
    order = sorted(scene.recent, key=lambda day: float(uniform(scene.seed, "day " + code, a.number, day.toordinal())))
    for day in order:
        rows = scene.edit.find(_CURVE, mp_no=scene.mp(a), data_date=day, data_type="E+", phase="T")
        # a curve that was read again would take the place of the spoilt one
        if len(rows) == 1 and min(_values(scene, rows[0]).values()) > 0:
            return day, rows[0]
    raise ValueError(f"account {a.cons_no} has no day without an outage")


def _unread_days(scene: Scene, a: Account) -> list:
    """Days without curves that leave a billed month with less than 90 % of its readings; none where the window is too short."""
    today = scene.simulation.business_date
    window = [today - timedelta(days=n) for n in range(1, scene.simulation.days)]
    month = today
    for _ in range(2):
        month = month.replace(day=1) - timedelta(days=1)
        inside = [day for day in window if (day.year, day.month) == (month.year, month.month)]
        least = month.day // 10 + 1
        if len(inside) >= least and scene.edit.find("mkt_bill", cons_no=a.cons_no, bill_month=f"{month:%Y%m}"):
            return inside[: max(least, -(-len(inside) // 3))]
    return []


def _ghost(scene: Scene, a: Account, number: int) -> None:
    """A third of a billed month without curves. Where the window holds less than 10 % of one, nothing can be tested."""
    days = _unread_days(scene, a)
    rules = ["XSR-02"] if days else []
    days = days or scene.recent[:1]
    rows = [r for day in days for r in scene.edit.find(_CURVE, mp_no=scene.mp(a), data_date=day)]
    scene.edit.delete(_CURVE, rows)
    key = {"mp_no": scene.mp(a), "month": f"{days[0]:%Y%m}"}
    scene.truth.append(Truth("X2", "marketing", "mkt_mp", key, "mp_no", scene.mp(a), rules))


def note_gaps(scene: Scene) -> None:
    """Notes the points that ordinary losses left with too few readings of a billed month: as unread as planted ones."""
    first = scene.simulation.business_date.replace(day=1)
    last = first - timedelta(days=1)
    days = [
        first - timedelta(days=n)
        for n in range(1, scene.simulation.days - (scene.simulation.business_date - first).days)
    ]
    days = [day for day in days if day.month == last.month]
    bills = scene.edit.table("mkt_bill").filter(pc.equal(scene.edit.table("mkt_bill")["bill_month"], f"{last:%Y%m}"))
    lines = scene.edit.table("mkt_bill_line")
    billed = set(lines.filter(pc.is_in(lines["bill_no"], bills["bill_no"].combine_chunks()))["mp_no"].to_pylist())
    curves = scene.edit.table(_CURVE)
    curves = curves.filter(pc.and_(pc.equal(curves["data_type"], "E+"), pc.equal(curves["phase"], "T")))
    received: dict[str, dict] = {}
    for mp, day, flags in zip(*(curves[c].to_pylist() for c in ("mp_no", "data_date", "point_flag")), strict=True):
        slots = received.setdefault(mp, {})
        slots[day] = max(slots.get(day, 0), flags.count("1"))
    planted = {t.right_value for t in scene.truth if t.defect_class == "X2"}
    points = scene.world.points
    for mp, account in zip(points.mp_no, points.account, strict=True):
        is_settled = scene.world.accounts[int(account)].is_settled(scene.simulation.business_date)
        missing = sum(SLOTS - received.get(mp, {}).get(day, 0) for day in days)
        if mp in billed and is_settled and mp not in planted and 10 * missing > SLOTS * last.day:
            key = {"mp_no": mp, "month": f"{last:%Y%m}"}
            scene.truth.append(Truth("X2", "marketing", "mkt_mp", key, "mp_no", mp, ["XSR-02"]))


def _may_go_unread(scene: Scene, a: Account) -> bool:
    """With one source; and with a billed day in the window, where the window is long enough for that."""
    return a.backup_feeder is None and (scene.simulation.days < 40 or bool(_unread_days(scene, a)))


def _may_lack(scene: Scene, a: Account) -> bool:
    """Enough energy on the day that would be spoilt: what is lacking must pass twice the multiplier."""
    try:
        _, row = _live_day(scene, "X12", a)
    except ValueError:
        return False
    return sum(_values(scene, row).values()) >= 4.2


def _bad_sum(scene: Scene, a: Account, number: int) -> None:
    """Slots that add up to two fifths of what the register says."""
    _, row = _live_day(scene, "X12", a)
    scene.note("X12", _CURVE, row, "v1", ["MET-12"])
    scene.edit.set(_CURVE, row, **{slot: round(v * 0.4, 4) for slot, v in _values(scene, row).items()})


def _flying(scene: Scene, a: Account, number: int) -> None:
    """More energy than the transformers can carry, of that day and of the archive, which only knows those of today."""
    day, row = _live_day(scene, "MET-08", a)
    values = _values(scene, row)
    running = max(a.running_on(day), a.running_on(scene.simulation.business_date))
    bound = 24 * 1.2 * running / float(scene.world.points.multiplier[scene.point_of[a.number]])
    factor = 1.3 * bound / sum(values.values())
    scene.note("MET-08", _CURVE, row, "v1", ["MET-08", "MET-12"])
    scene.edit.set(_CURVE, row, **{slot: round(v * factor, 4) for slot, v in values.items()})


def _zero_slot(scene: Scene, a: Account, number: int) -> None:
    """One missing slot delivered as zero in all energies."""
    day, row = _live_day(scene, "MET-32", a)
    slot = f"v{int(integers(scene.seed, 'zero slot', 30, 70, a.number))}"
    scene.note("MET-32", _CURVE, row, slot, ["MET-32"])
    for data_type in ("E+", "P", "RQ1", "RQ4"):
        scene.edit.set(_CURVE, _curve_row(scene, a, data_type, "T", day), **{slot: 0.0})


def _power_row(scene: Scene, a: Account) -> int | None:
    """The power curve of the last recent day, where the point had supply in every slot."""
    rows = scene.edit.find(_CURVE, mp_no=scene.mp(a), data_date=scene.recent[0], data_type="P", phase="T")
    return rows[0] if len(rows) == 1 and min(_values(scene, rows[0]).values()) > 0 else None


def _peak(scene: Scene, row: int) -> float:
    """Three and a half times the third highest slot."""
    return round(3.5 * sorted(_values(scene, row).values())[-3], 4)


def _may_peak(scene: Scene, a: Account) -> bool:
    """A peak above the floor of the spike check and below what the transformers carry."""
    row, multiplier = _power_row(scene, a), float(scene.world.points.multiplier[scene.point_of[a.number]])
    return row is not None and 60 < _peak(scene, row) * multiplier < 1.1 * a.running_on(scene.recent[0])


def _spike(scene: Scene, a: Account, number: int) -> None:
    row = _power_row(scene, a)
    scene.note("MET-10", _CURVE, row, "v1", ["MET-10"])
    scene.edit.set(_CURVE, row, **{f"v{20 + number % 60}": _peak(scene, row)})


def _stuck(scene: Scene, a: Account, number: int) -> None:
    """Power that stays at one value for five hours."""
    row = _power_row(scene, a)
    scene.note("MET-11", _CURVE, row, "v1", ["MET-11"])
    scene.edit.set(_CURVE, row, **{f"v{k}": scene.edit.value(_CURVE, row, "v40") for k in range(40, 60)})


def _curve_twice(scene: Scene, a: Account, number: int) -> None:
    day, _ = _live_day(scene, "MET-01", a)
    row = _curve_row(scene, a, "I", "A", day)
    scene.note("MET-01", _CURVE, row, "mp_no", ["MET-01"])
    scene.edit.copy(_CURVE, row, v40=round(scene.edit.value(_CURVE, row, "v40") + 0.111, 3))


def _short_curve(scene: Scene, a: Account, number: int) -> None:
    day, _ = _live_day(scene, "MET-02", a)
    row = _curve_row(scene, a, "I", "A", day)
    scene.note("MET-02", _CURVE, row, "v1", ["MET-02"])
    lost = range(20, 45)
    flags = "".join("0" if k in lost else "1" for k in range(1, SLOTS + 1))
    scene.edit.set(_CURVE, row, point_flag=flags, **{f"v{k}": None for k in lost})


def _overflow(scene: Scene, a: Account, number: int) -> None:
    """The overflow code of an instrument: of a recorder where the account has one, else in a current curve."""
    samples = scene.edit.find("met_pq_sample", mp_no=scene.mp(a))
    if samples:
        row = samples[-1 - number]
        scene.note("MET-31", "met_pq_sample", row, "pf", ["MET-31"])
        scene.edit.set("met_pq_sample", row, pf=Decimal("327.67"))
        return
    day, _ = _live_day(scene, "MET-31", a)
    row = _curve_row(scene, a, "I", "A", day)
    scene.note("MET-31", _CURVE, row, "v50", ["MET-31"])
    scene.edit.set(_CURVE, row, v50=9999.99)


def _voltage(scene: Scene, a: Account, number: int) -> None:
    day, _ = _live_day(scene, "MET-16", a)
    row = _curve_row(scene, a, "U", "A", day)
    scene.note("MET-16", _CURVE, row, "v33", ["MET-16"])
    scene.edit.set(_CURVE, row, v33=3200.0)


def _freeze_row(scene: Scene, a: Account, day) -> int:
    at = datetime(day.year, day.month, day.day, tzinfo=_ZONE)
    return scene.edit.find(
        "met_register_freeze", meter_asset_no=scene.meter(a), freeze_kind="DAY", freeze_ts=at, energy_kind="REACTIVE_Q4"
    )[0]


def _out_of_range(scene: Scene, a: Account, number: int) -> None:
    row = _freeze_row(scene, a, scene.simulation.business_date)
    top = 10 ** int(scene.world.points.digits[scene.point_of[a.number]])
    scene.note("MET-05", "met_register_freeze", row, "reading", ["MET-05"])
    scene.edit.set("met_register_freeze", row, reading=top + 3 if number % 2 else -3.2)


def _backwards(scene: Scene, a: Account, number: int) -> None:
    today = scene.simulation.business_date
    last = today if scene.simulation.days > 1 else today + timedelta(days=1)
    row, before = _freeze_row(scene, a, last), _freeze_row(scene, a, last - timedelta(days=1))
    scene.note("MET-06", "met_register_freeze", row, "reading", ["MET-06"])
    scene.edit.set(
        "met_register_freeze", row, reading=scene.edit.value("met_register_freeze", before, "reading") * Decimal("0.9")
    )


def _noon(scene: Scene, a: Account) -> datetime:
    """The start of the outage that is made up for an account."""
    day = scene.recent[0]
    return datetime(day.year, day.month, day.day, 12, 5 + a.number % 40, 11, tzinfo=_ZONE)


def _new_pair(scene: Scene, a: Account) -> tuple[int, dict]:
    """Add an outage that only the meter saw; the row and columns to copy its power-down from."""
    model = scene.edit.find("met_power_event", event="POWER_DOWN")[0]
    common = {
        "mp_no": scene.mp(a),
        "terminal_no": scene.world.terminal_no[a.number],
        "source": "METER",
        "phases": "ABC",
    }
    start = _noon(scene, a)
    for event, letter, moment in (("POWER_DOWN", "D", start), ("POWER_UP", "U", start + timedelta(minutes=47))):
        scene.edit.copy(
            "met_power_event",
            model,
            event_id=f"EX{a.number:08d}{letter}",
            event=event,
            event_ts=moment,
            recv_ts=moment + timedelta(seconds=20),
            **common,
        )
    scene.note("X14", "met_power_event", model, "event_ts", ["XSR-21"], event_id=f"EX{a.number:08d}D")
    return model, common | {"event_ts": start}


def _unseen_outage(scene: Scene, a: Account, number: int) -> None:
    _new_pair(scene, a)


def _recent_downs(scene: Scene, a: Account) -> list[int]:
    since = datetime.combine(scene.recent[-1], datetime.min.time(), tzinfo=_ZONE)
    return [
        r
        for r in scene.edit.find("met_power_event", mp_no=scene.mp(a), event="POWER_DOWN")
        if scene.edit.value("met_power_event", r, "event_ts") >= since
    ]


def _event_twice(scene: Scene, a: Account, number: int) -> None:
    """The head-end stored a report twice, ten minutes apart; without an outage to tell of, one that only the meter saw."""
    known, copy_id = _recent_downs(scene, a), f"EY{a.number:08d}D"
    row, changes = (known[0], {}) if known else _new_pair(scene, a)
    first = scene.edit.value("met_power_event", row, "recv_ts") if known else _noon(scene, a)
    scene.note("MET-21", "met_power_event", row, "event_ts", ["MET-21"], event_id=copy_id)
    scene.edit.copy("met_power_event", row, event_id=copy_id, recv_ts=first + timedelta(minutes=10), **changes)


def _clock(scene: Scene, a: Account, number: int) -> None:
    """A terminal whose clock is three quarters of an hour off, on one day: slow or fast."""
    day = scene.recent[number % len(scene.recent)]
    row = scene.edit.find(
        "met_collect_task", terminal_no=scene.world.terminal_no[a.number], data_date=day, task_code="REALTIME"
    )[0]
    scene.note("MET-04", "met_collect_task", row, "terminal_ts", ["MET-04"])
    off = timedelta(minutes=45 if number % 2 else -45)
    scene.edit.set("met_collect_task", row, terminal_ts=scene.edit.value("met_collect_task", row, "recv_ts") + off)


def _multiplier(scene: Scene, a: Account, number: int) -> None:
    row = scene.edit.find("met_measuring_point", mp_no=scene.mp(a))[0]
    scene.note("MET-27", "met_measuring_point", row, "multiplier", ["MET-27"])
    scene.edit.set(
        "met_measuring_point", row, multiplier=scene.edit.value("met_measuring_point", row, "multiplier") + 1
    )


def plant_bulk_edit(scene: Scene) -> None:
    """A bulk edit of the archive: the multiplier a hundred times too large on at least 15 % and 25 of the points."""
    table = scene.edit.table("met_measuring_point")
    count = min(table.num_rows, max(25, -(-table.num_rows * 15 // 100)))
    order = sorted(
        range(table.num_rows), key=lambda r: float(uniform(scene.seed, "bulk edit", int(scene.world.points.key[r])))
    )
    for row in sorted(order[:count]):
        ct_ratio, pt_ratio = (
            scene.edit.value("met_measuring_point", row, column) for column in ("ct_ratio", "pt_ratio")
        )
        scene.note("BULK", "met_measuring_point", row, "multiplier", ["MET-27"])
        scene.edit.set("met_measuring_point", row, multiplier=ct_ratio * pt_ratio * 100)


def _is_single(scene: Scene, a: Account) -> bool:
    return a.backup_feeder is None


def _is_surely_key(scene: Scene, a: Account) -> bool:
    """Strategic, important or very large customers: an outage of theirs must be explained."""
    return a.number % 20 in (0, 1, 2)


CLASSES = [
    Defect("X2", frozenset({"E", "I", "U"}), _ghost, 0.005, _may_go_unread),
    Defect("X12", frozenset({"E"}), _bad_sum, 0.01, _may_lack),
    Defect("MET-08", frozenset({"E"}), _flying, 0.0, _is_single),
    Defect("MET-32", frozenset({"E"}), _zero_slot),
    Defect("MET-10", frozenset({"E"}), _spike, 0.0, _may_peak, is_statistical=True),
    Defect("MET-11", frozenset({"E"}), _stuck, 0.0, lambda s, a: _power_row(s, a) is not None, is_statistical=True),
    Defect("MET-01", frozenset({"I"}), _curve_twice),
    Defect("MET-02", frozenset({"I"}), _short_curve),
    Defect("MET-31", frozenset({"I"}), _overflow),
    Defect("MET-16", frozenset({"U"}), _voltage),
    Defect("MET-04", frozenset({"clock"}), _clock),
    Defect("MET-05", frozenset({"register"}), _out_of_range),
    Defect("MET-06", frozenset({"register"}), _backwards),
    Defect("X14", frozenset({"event"}), _unseen_outage, 0.005, _is_surely_key),
    Defect(
        "MET-21",
        frozenset({"event"}),
        _event_twice,
        0.0,
        lambda s, a: a.number not in s.key_accounts or bool(_recent_downs(s, a)),
    ),
    Defect(
        "MET-27",
        frozenset({"point"}),
        _multiplier,
        0.0,
        lambda s, a: s.world.points.multiplier[s.point_of[a.number]] >= 400,
    ),
]
