"""Archives of the metering system: feeders, meters, metering points, instrument transformers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.accounts import ACCOUNTS_PER_FEEDER, ORGS, Account
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.outages import AREA, FLASH, OWN, PLANNED, SHEDDING, Outages, is_temporary
from include.lab.simulator.world import World

_SET_UP = date(2017, 6, 1)
_JOINING_FROM = date(2023, 6, 1)
_OUTAGE_KINDS = {PLANNED: "PLANNED", SHEDDING: "LOAD_SHEDDING"}


def _installed_at(a: Account, key: int) -> np.datetime64:
    """In the forenoon; of customers that join in the years shown, at the midnight from which their curves run."""
    joins = a.connect_on >= _JOINING_FROM
    return np.datetime64(a.connect_on, "s") + np.timedelta64(0 if joins else 36_000 + key % 7200, "s")


def at_evening(day: date | np.datetime64, minute: int = 0) -> np.datetime64:
    """18:10 and some minutes of a day: the nightly booking of changes to archives."""
    return np.datetime64(day, "D").astype("datetime64[s]") + np.timedelta64(65_400 + 60 * (minute % 180), "s")


def build_metering_archive(world: World, business_date: np.datetime64) -> dict[str, pa.Table]:
    """met_feeder, met_meter, met_measuring_point and met_it; of a plain utility none of them changes while the simulation runs."""
    return {
        "met_feeder": feeders(world),
        "met_meter": _meters(world, business_date),
        "met_measuring_point": _measuring_points(world, business_date),
        "met_it": _instrument_transformers(world, business_date),
    }


def feeder_size(world: World, feeder: int) -> tuple[int, int]:
    """Customers and kVA connected to a 10 kV feeder besides the simulated accounts; the rest is public supply."""
    return (
        int(integers(world.seed, "feeder customers", 18, 40, feeder)),
        int(integers(world.seed, "feeder kva", 8, 20, feeder)) * 1000,
    )


def feeders(world: World) -> pa.Table:
    rows: dict[str, dict] = {}
    for a in world.accounts:
        for name in filter(None, (a.main_feeder, a.backup_feeder)):
            number = a.number // ACCOUNTS_PER_FEEDER
            public = feeder_size(world, number) if name.startswith("10F") else (1, 2000)
            # the second source of an important customer comes from elsewhere; for one in three it was built too near
            is_elsewhere = name == a.backup_feeder and a.supply_mode == "DUAL_SOURCE" and a.number // 20 % 3 == 0
            row = rows.setdefault(
                name,
                {
                    "feeder_no": name,
                    "org_no": ORGS[a.org],
                    "substation": f"合成{number // 4 + 1 + 500 * is_elsewhere:03d}变电站",
                    "voltage_level": "AC10kV" if a.voltage == "AC380V" else a.voltage,
                    "customers_connected": public[0] if name.startswith("10") else 0,
                    "kva_connected": public[1] if name.startswith("10") else 0,
                    "valid_from": _SET_UP,
                    "src_updated_at": at_evening(_SET_UP, number),
                },
            )
            row["customers_connected"] += 1
            row["kva_connected"] += a.contract_cap + a.growth_kva
    return tables.from_rows("metering", "met_feeder", list(rows.values()))


def _meters(world: World, today: np.datetime64) -> pa.Table:
    p, rows = world.points, []
    for i, key in enumerate(p.key.tolist()):
        connect = p.begin[i].item()
        if not p.is_first[i] and p.begin[i] > today:
            continue
        removed = p.taken_away_on(i, today)
        made = connect - timedelta(days=60 + key % 90)
        is_high = p.side[i] == "HV_HV"
        rows.append(
            {
                "meter_asset_no": p.meter_no[i],
                "meter_type": str(p.wiring[i]),
                "accuracy_active": "0.2S" if is_high else "0.5S",
                "rated_voltage_v": "3x220/380" if not is_high else "3x100" if p.wiring[i] == "3P3W" else "3x57.7/100",
                "rated_current_a": "0.3(1.2)" if is_high else "1.5(6)",
                "const_imp_kwh": 20000 if is_high else 6400,
                "digits_int": int(p.digits[i]),
                "digits_dec": 4,
                "maker": f"合成仪表{key % 5 + 1}厂",
                "model": f"DTZ{key % 4 + 1}88",
                "manufactured_on": made,
                "verified_on": connect - timedelta(days=20 + key % 30),
                "verify_due": date(connect.year + 15, connect.month, 1),
                "status": "REMOVED" if removed else "RUNNING",
                "src_updated_at": at_evening(removed or connect, key),
            }
        )
    return tables.from_rows("metering", "met_meter", rows)


def _measuring_points(world: World, today: np.datetime64) -> pa.Table:
    p, rows = world.points, []
    for i, key in enumerate(p.key.tolist()):
        a = world.accounts[p.account[i]]
        if p.taken_away_on(i, today) or (not p.is_first[i] and p.begin[i] > today):
            continue
        rows.append(
            {
                "mp_no": p.mp_no[i],
                "cons_no": a.cons_no,
                "meter_asset_no": p.meter_no[i],
                "terminal_no": world.terminal_no[a.number],
                "comm_addr": p.meter_no[i][-12:],
                "mp_role": str(p.role[i]),
                "parent_mp_no": p.parent[i],
                "split_method": "METERED" if p.parent[i] else "NONE",
                "ct_ratio": float(p.ct[i]),
                "pt_ratio": float(p.pt[i]),
                "multiplier": float(p.ct[i] * p.pt[i]),
                "metering_side": str(p.side[i]),
                "wiring": str(p.wiring[i]),
                "read_cycle": "15min",
                "install_ts": _installed_at(a, key),
                "feeder_no": str(p.feeder[i]),
                "tg_no": a.tg_no,
                "tran_no": p.tran_no[i],
                "src_updated_at": at_evening(p.begin[i], key + 7),
            }
        )
    return tables.from_rows("metering", "met_measuring_point", rows)


def _instrument_transformers(world: World, today: np.datetime64) -> pa.Table:
    """A meter that is swapped keeps the transformers of the point, but for current transformers of another ratio."""
    p, rows = world.points, []
    for i, key in enumerate(p.key.tolist()):
        begin, is_first = p.begin[i].item(), bool(p.is_first[i])
        if not is_first and (p.ct[i] == p.ct[i - 1] or begin > today.item()):
            continue
        removed = p.taken_away_on(i, today)
        removed = removed if removed and p.ct[i] != p.ct[i + 1] else None
        phases = "AC" if p.wiring[i] == "3P3W" else "ABC"
        kinds = [("CT", int(p.ct[i]) * 5, 5)] + ([("PT", int(p.pt[i]) * 100, 100)] if p.pt[i] > 1 and is_first else [])
        for kind, primary, secondary in kinds:
            ended = removed if kind == "CT" else None
            for phase in phases:
                rows.append(
                    {
                        "it_asset_no": f"31{'1' if kind == 'CT' else '2'}{p.meter_no[i][4:]}{'ABC'.index(phase)}",
                        "phase": phase,
                        "kind": kind,
                        "ratio_primary": float(primary),
                        "ratio_secondary": float(secondary),
                        "accuracy": "0.2S" if kind == "CT" else "0.2",
                        "mp_no": p.mp_no[i],
                        "valid_from": begin,
                        "valid_to": ended and ended - timedelta(days=1),
                        "verify_due": date(begin.year + 15, begin.month, 1),
                        "src_updated_at": at_evening(ended or begin, key + 11),
                    }
                )
    return tables.from_rows("metering", "met_it", rows)


def build_supply_outages(world: World, outages: Outages, since: np.datetime64, until: np.datetime64) -> pa.Table:
    """met_supply_outage: what the supply side recorded of every outage, counted in its customers."""
    happened = np.flatnonzero((outages.day >= since) & (outages.day <= until) & (outages.kind != OWN))
    count = np.bincount(outages.affected_outage, minlength=len(outages.key))
    areas = {a.number // ACCOUNTS_PER_FEEDER: a.tg_no for a in world.accounts if a.tg_no}
    rows = []
    for n in happened.tolist():
        public, kva = feeder_size(world, int(outages.feeder[n]))
        part = 0.3 + 0.6 * float(uniform(world.seed, "section", outages.key[n]))
        kind = int(outages.kind[n])
        key, cause = int(outages.key[n]), ("EQUIPMENT", "WEATHER", "THIRD_PARTY")[int(part * 100) % 3]
        if outages.is_by_weather(n):
            cause = "WEATHER"
        area = areas.get(int(outages.feeder[n])) if kind == AREA else None
        start, end = _as_noted(world, outages, n)
        if area:
            public, kva = public // 4, kva // 8
        rows.append(
            {
                "outage_id": f"SO{outages.key[n]:010d}",
                "feeder_no": f"10F{outages.feeder[n]:05d}",
                "tg_no": area,
                "kind": _OUTAGE_KINDS.get(kind, "FAULT") if not is_temporary(world, key) else "TEMPORARY",
                "start_at": start,
                "end_at": end,
                "customers_interrupted": int(public * part) + int(count[n]),
                "kva_interrupted": int(kva * part) + 500 * int(count[n]),
                "cause_code": {PLANNED: "MAINTENANCE", SHEDDING: "SHORTAGE"}.get(kind, cause),
                "is_external": kind not in (PLANNED, SHEDDING) and cause == "THIRD_PARTY",
                "recv_ts": (outages.day[n] + 1).astype("datetime64[s]")
                + np.timedelta64(3600 + int(outages.key[n]) % 7200, "s"),
            }
        )
    return tables.from_rows("metering", "met_supply_outage", rows)


def _as_noted(world: World, outages: Outages, n: int) -> tuple[np.datetime64, np.datetime64]:
    """Start and end as the supply side notes them: full minutes, and the fault of an area from the first call of a customer on.

    A reclosing is noted to the second, by the switch itself.
    """
    start, end, kind = outages.start[n], outages.end[n], outages.kind[n]
    if kind == FLASH:
        return start, end
    minutes = int((end - start).astype(int)) // 60
    call = int(min(12, minutes // 2) * float(uniform(world.seed, "first call", outages.key[n]))) if kind == AREA else 0
    noted = start.astype("datetime64[m]") + call, (end + np.timedelta64(59, "s")).astype("datetime64[m]")
    return tuple(moment.astype("datetime64[s]") for moment in noted)


def build_supply_voltage(world: World, months: np.ndarray, business_date: np.datetime64) -> pa.Table:
    """met_supply_voltage: monthly monitors of all four classes, delivered on the 3rd of the following month."""
    monitors = []
    for a in world.accounts:
        number = a.number // ACCOUNTS_PER_FEEDER
        if a.number % ACCOUNTS_PER_FEEDER == 0:
            monitors.append((f"VA{number:05d}", "A", None, a.org))
            monitors.append((f"VC{number:05d}", "C", f"10F{number:05d}" if a.voltage == "AC10kV" else None, a.org))
        if a.voltage in ("AC35kV", "AC110kV"):
            monitors.append((f"VB{a.number:05d}", "B", a.main_feeder, a.org))
        if a.tg_no:
            monitors.append((f"VD{number:05d}", "D", a.main_feeder, a.org))
    known = {a.main_feeder for a in world.accounts}
    rows = []
    for month in months:
        received = (month + 1).astype("datetime64[D]").astype("datetime64[s]") + np.timedelta64(
            2 * 86_400 + 7 * 3600, "s"
        )
        if received > (business_date + 1).astype("datetime64[s]") + np.timedelta64(8 * 3600, "s"):
            continue
        minutes = int(((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)) * 1440
        for n, (monitor, kind, feeder, org) in enumerate(monitors):
            bad = float(uniform(world.seed, "supply voltage", n, month.astype(int))) ** 3
            over = int(minutes * 0.01 * bad)
            rows.append(
                {
                    "monitor_no": monitor,
                    "data_month": str(month).replace("-", ""),
                    "monitor_class": kind,
                    "feeder_no": feeder if feeder in known else None,
                    "org_no": ORGS[org],
                    "monitored_min": minutes,
                    "over_min": over,
                    "under_min": over // 3,
                    "recv_ts": received,
                }
            )
    return tables.from_rows("metering", "met_supply_voltage", rows)
