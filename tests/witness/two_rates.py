"""The two rates of accounts and organisations, from events, records, curves and monitors (formulas 3.2, 3.3, S27; O1, O5)."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from tests.witness import outages
from tests.witness.outages import Dark
from tests.witness.raw import Raw, month_of, parameter, rounded, rows_in_force
from tests.witness.registers import counted_points

MART = "mart_two_rates"
KEYS = ["entity_kind_code", "entity_no", "month_start_date", "side_code"]
LEFT_OUT = {
    "nt_basis": "a sentence",
    "voltage_unbalance_pct": "has a scenario of its own",
    "major_event_days": "no year of these seeds has five before it: not enough history",
}
PCT = (
    *("rs_pct", "rs_2_pct", "rs_3_pct", "aihc_h", "aihc_prearranged_h", "aihc_fault_h", "aitc", "aitc_prearranged"),
    *("aitc_fault", "saifi", "caifi", "maifi", "maifi_e", "asifi", "cemi_share", "celid_single_share"),
    *("celid_total_share", "rs_target_distance", "voltage_target_distance"),
)
DECIMALS = (
    dict.fromkeys(PCT, 8)
    | dict.fromkeys(("saidi_min", "caidi_min", "ctaidi_min", "asidi_min", "customer_minutes"), 6)
    | dict.fromkeys((f"voltage_class_{name}_pct" for name in "abcd"), 6)
    | {"asai": 10, "voltage_ok_pct": 6, "coverage_pct": 6, "period_hours": 4, "nt": 0}
    | dict.fromkeys(("voltage_monitored_minutes", "voltage_over_minutes", "voltage_under_minutes"), 0)
    | dict.fromkeys(("valid_points", "outage_points", "missing_points", "interruptions", "customer_interruptions"), 0)
    | dict.fromkeys(("sustained_minutes", "sustained_minutes_ieee_1366"), 2)
    | dict.fromkeys(("rs_target_pct", "voltage_target_pct"), 4)
)
PREARRANGED = ("PLANNED", "TEMPORARY", "LOAD_SHEDDING")


def witness(raw: Raw) -> pd.DataFrame:
    customers = raw["mkt_customer"].set_index("cons_no")
    accounts = sorted(outages.paths_of(raw))
    rows = []
    for month in raw.months:
        for side in ("SUPPLY", "CUSTOMER"):
            period = _period(raw, month, side)
            if period is None:
                continue
            of_side = outages.by_records(raw) if side == "SUPPLY" else outages.by_meters(raw)
            hit = {a: [(d, 1.0, customers.running_cap_kva[a]) for d in of_side[a]] for a in accounts}
            cemi = {a: _many_or_long(raw, of_side[a], month) for a in accounts}
            for account in accounts:
                kva = customers.running_cap_kva[account]
                row = _reliability(raw, hit[account], 1, kva, period, month)
                row |= _per_customer_hit(row, {account: hit[account]}, period)
                row |= cemi[account] | voltage(raw, [account], side, month)
                row |= _targets(raw, row, customers.loc[[account]], month)
                rows.append(
                    _named("ACCOUNT", account, side, month)
                    | row
                    | {"account_no": account, "org_no": customers.org_no[account]}
                )
            for org, members in customers.loc[accounts].groupby("org_no"):
                rows.append(_of_organisation(raw, org, members, side, hit, cemi, period, month))
    return pd.DataFrame(rows).replace({np.nan: None}).infer_objects()


def _named(kind: str, entity: str, side: str, month: pd.Timestamp) -> dict:
    return {"entity_kind_code": kind, "entity_no": entity, "side_code": side, "month_start_date": month}


def _period(raw: Raw, month: pd.Timestamp, side: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """The known part of a month; on the customer side since collection began."""
    begins = max(month, raw.collected_from) if side == "CUSTOMER" else month
    ends = raw.report_day(month) + pd.Timedelta(days=1)
    return (begins.tz_localize("Asia/Shanghai"), ends.tz_localize("Asia/Shanghai")) if begins < ends else None


def _of_organisation(
    raw: Raw, org: str, members: pd.DataFrame, side: str, hit: dict, cemi: dict, period: tuple, month
) -> dict:
    if side == "SUPPLY":
        feeders = {f.feeder_no: f for f in raw["met_feeder"].itertuples() if f.org_no == org}
        nt = sum(f.customers_connected for f in feeders.values())
        kva = sum(f.kva_connected for f in feeders.values())
        records = [r for r in raw["met_supply_outage"].itertuples() if r.feeder_no in feeders]
        dark = [
            (
                Dark(r.start_at, outages.end_of(raw, r.end_at), r.kind, r.is_external),
                r.customers_interrupted,
                r.kva_interrupted,
            )
            for r in records
        ]
        row = _reliability(raw, dark, nt, kva, period, month)
        row |= {"caifi": None, "ctaidi_min": None}
    else:
        nt, kva = len(members), members.running_cap_kva.sum()
        row = _reliability(raw, [d for a in members.index for d in hit[a]], nt, kva, period, month)
        sustained, day = row["sustained_minutes_ieee_1366"], raw.report_day(month)
        row["maifi_e"] = sum(_momentary_events(hit[a], sustained, period, day) for a in members.index) / nt
        row |= _per_customer_hit(row, {a: hit[a] for a in members.index}, period)
    row |= {name: np.mean([cemi[a][name] for a in members.index]) for name in next(iter(cemi.values()))}
    row |= _monitors(raw, org, month) if side == "SUPPLY" else voltage(raw, list(members.index), side, month)
    row |= _targets(raw, row, members, month)
    return _named("ORGANISATION", org, side, month) | row | {"account_no": None, "org_no": org}


# -- reliability


def _reliability(raw: Raw, dark: list[tuple], nt: float, connected: float, period: tuple, month: pd.Timestamp) -> dict:
    """Indices of a month from (interruption, customers, kVA): minutes where they fall, interruptions where they begin."""
    day = raw.report_day(month)
    dlt = parameter("reliability_parameters", "sustained_minutes", day)
    ieee = parameter("reliability_parameters", "sustained_minutes_ieee_1366", day)
    hours = (period[1] - period[0]).total_seconds() / 3600
    sums = dict.fromkeys(("cmi", "pre", "fault", "external", "shed", "ci", "n", "ci_pre", "ci_fault"), 0.0)
    cmi_ieee = ci_ieee = kva = kva_min = momentary = 0.0
    for one, customers, capacity in dark:
        minutes = max((min(one.ends, period[1]) - max(one.starts, period[0])).total_seconds() / 60, 0.0)
        begins = period[0] <= one.starts < period[1]
        if one.minutes > dlt:
            sums["cmi"] += customers * minutes
            sums["external"] += customers * minutes * bool(one.is_external)
            sums["shed"] += customers * minutes * (one.kind == "LOAD_SHEDDING")
            part = "pre" if one.kind in PREARRANGED else "fault" if one.kind else None
            if part:
                sums[part] += customers * minutes
                sums[f"ci_{part}"] += customers * begins
            sums["ci"] += customers * begins
            sums["n"] += begins
        if one.minutes > ieee:
            cmi_ieee += customers * minutes
            kva_min += capacity * minutes
            ci_ieee += customers * begins
            kva += capacity * begins
        elif begins:
            momentary += customers
    minutes_of_all = 60 * hours * nt
    return {
        "rs_pct": (1 - sums["cmi"] / minutes_of_all) * 100,
        "rs_2_pct": (1 - (sums["cmi"] - sums["external"]) / minutes_of_all) * 100,
        "rs_3_pct": (1 - (sums["cmi"] - sums["shed"]) / minutes_of_all) * 100,
        "aihc_h": sums["cmi"] / 60 / nt,
        "aihc_prearranged_h": sums["pre"] / 60 / nt,
        "aihc_fault_h": sums["fault"] / 60 / nt,
        "aitc": sums["ci"] / nt,
        "aitc_prearranged": sums["ci_pre"] / nt,
        "aitc_fault": sums["ci_fault"] / nt,
        "saifi": ci_ieee / nt,
        "saidi_min": cmi_ieee / nt,
        "caidi_min": cmi_ieee / ci_ieee if ci_ieee else None,
        "asai": 1 - cmi_ieee / nt / (60 * hours),
        "maifi": momentary / nt,
        "maifi_e": _momentary_events(dark, ieee, period, day) / nt,
        "asifi": kva / connected,
        "asidi_min": kva_min / connected,
        "interruptions": sums["n"],
        "customer_interruptions": sums["ci"],
        "customer_minutes": sums["cmi"],
        "nt": float(nt),
        "period_hours": hours,
        "sustained_minutes": dlt,
        "sustained_minutes_ieee_1366": ieee,
    }


def _momentary_events(dark: list[tuple], sustained: float, period: tuple, day: pd.Timestamp) -> float:
    """Customers of reclosing sequences, each the largest of its momentary interruptions; none if it ends in a sustained one."""
    within = pd.Timedelta(minutes=parameter("reliability_parameters", "momentary_sequence_minutes", day))
    total, sequence = 0.0, []
    for one, customers, _ in sorted(dark, key=lambda row: row[0].starts):
        if sequence and one.starts - sequence[-1][0].starts > within:
            total += _event(sequence, sustained, period)
            sequence = []
        sequence.append((one, customers))
    return total + (_event(sequence, sustained, period) if sequence else 0.0)


def _event(sequence: list[tuple], sustained: float, period: tuple) -> float:
    if sequence[-1][0].minutes > sustained or not period[0] <= sequence[0][0].starts < period[1]:
        return 0.0
    return max(customers for one, customers in sequence if one.minutes <= sustained)


def _per_customer_hit(row: dict, hit: dict[str, list], period: tuple) -> dict:
    """CAIFI and CTAIDI: over the customers that were interrupted, as far as it is known which."""
    ieee = row["sustained_minutes_ieee_1366"]
    begun = [
        account
        for account, dark in hit.items()
        if any(one.minutes > ieee and period[0] <= one.starts < period[1] for one, _, _ in dark)
    ]
    if not begun:
        return {"caifi": None, "ctaidi_min": None}
    nt = row["nt"]
    return {"caifi": row["saifi"] * nt / len(begun), "ctaidi_min": row["saidi_min"] * nt / len(begun)}


def _many_or_long(raw: Raw, dark: list[Dark], month: pd.Timestamp) -> dict:
    """CEMI and CELID of one account: sustained interruptions that began in the twelve months to the month."""
    day = raw.report_day(month)
    since = (month - pd.DateOffset(months=11)).tz_localize("Asia/Shanghai")
    until = (day + pd.Timedelta(days=1)).tz_localize("Asia/Shanghai")
    ieee = parameter("reliability_parameters", "sustained_minutes_ieee_1366", day)
    hours = [one.minutes / 60 for one in dark if one.minutes > ieee and since <= one.starts < until]
    limits = {
        c: parameter("reliability_parameters", c, day)
        for c in ("cemi_interruptions_min", "celid_single_hours", "celid_total_hours")
    }
    return {
        "cemi_share": float(len(hours) >= limits["cemi_interruptions_min"]),
        "celid_single_share": float(max(hours, default=0) >= limits["celid_single_hours"]),
        "celid_total_share": float(sum(hours) >= limits["celid_total_hours"]),
    }


# -- voltage


def voltage(raw: Raw, accounts: list[str], side: str, month: pd.Timestamp) -> dict:
    names = ("voltage_ok_pct", "voltage_monitored_minutes", "voltage_over_minutes", "voltage_under_minutes")
    row = dict.fromkeys(
        (*names, *(f"voltage_class_{c}_pct" for c in "abcd"), "valid_points", "outage_points", "missing_points")
    )
    row["coverage_pct"] = None
    if side == "SUPPLY":
        feeders = {feeder for account in accounts for feeder in outages.paths_of(raw)[account]}
        monitors = [m for m in _monitor_rows(raw, month) if m.feeder_no in feeders]
        minutes = [sum(getattr(m, c) for m in monitors) for c in ("monitored_min", "over_min", "under_min")]
        return row | dict(zip(names, (_ok(*minutes), *minutes), strict=True)) if monitors else row
    judged = [_judged(raw).get((account, month)) for account in accounts]
    counts = np.sum([j for j in judged if j is not None], axis=0)
    if not np.any(counts):
        return row
    valid, over, under, missing, energy_valid, expected = counts
    return row | {
        "voltage_ok_pct": _ok(valid, over, under),
        "voltage_monitored_minutes": valid * 15,
        "voltage_over_minutes": over * 15,
        "voltage_under_minutes": under * 15,
        "valid_points": valid,
        "outage_points": 0.0,
        "missing_points": missing,
        "coverage_pct": energy_valid / expected * 100,
    }


def _ok(monitored: float, over: float, under: float) -> float | None:
    return (1 - (over + under) / monitored) * 100 if monitored else None


@functools.cache
def _judged(raw: Raw) -> dict[tuple[str, pd.Timestamp], np.ndarray]:
    """By account and month: valid, over and under voltages, missing ones; valid and expected energy slots."""
    volts = raw.curves("U")
    energy = raw.curves("E+").droplevel("phase")
    archive = raw["mkt_mp"].set_index("mp_no").voltage_level
    found: dict[tuple[str, pd.Timestamp], np.ndarray] = {}
    for point in counted_points(raw).itertuples():
        level, side, wiring = archive[point.mp_no], point.metering_side, point.wiring
        of_point = volts.loc[[point.mp_no]] if point.mp_no in volts.index.get_level_values("mp_no") else volts.iloc[:0]
        for (_, day, phase), values in zip(of_point.index, of_point.to_numpy(), strict=True):
            if wiring == "3P3W" and phase == "B":
                continue  # three wires have no voltage of B
            low, high = _limits(level, side, wiring, day)
            valid = (~np.isnan(values)).sum()
            counts = [valid, (values > high).sum(), (values < low).sum(), 96 - valid, 0, 0]
            key = (point.cons_no, day.replace(day=1))
            found[key] = found.get(key, np.zeros(6)) + counts
        for day, slots in energy.loc[point.mp_no].notna().sum(axis=1).items() if point.mp_no in energy.index else ():
            key = (point.cons_no, day.replace(day=1))
            found[key] = found.get(key, np.zeros(6)) + np.array([0, 0, 0, 0, slots, 96])
    return found


@functools.cache
def _limits(level: str, side: str, wiring: str, day: pd.Timestamp) -> tuple[float, float]:
    (row,) = [
        row
        for row in rows_in_force("voltage_limits", day)
        if (row.voltage_level_code, row.metering_side_code, row.wiring_code) == (level, side, wiring)
    ]
    return float(row.lower_limit_v), float(row.upper_limit_v)


@functools.cache
def _monitor_rows(raw: Raw, month: pd.Timestamp) -> list:
    rows = raw["met_supply_voltage"]
    return list(rows[month_of(rows.data_month) == month].itertuples())


def _monitors(raw: Raw, org: str, month: pd.Timestamp) -> dict:
    """The composite V = 0.5 A + 0.5 (B + C + D) / 3 of the classes that there are."""
    rows = [m for m in _monitor_rows(raw, month) if m.org_no == org]
    row = voltage(raw, [], "SUPPLY", month)
    if not rows:
        return row
    classes = {}
    for name in "abcd":
        of_class = [m for m in rows if m.monitor_class == name.upper()]
        if of_class:
            classes[name] = _ok(
                *(sum(getattr(m, c) for m in of_class) for c in ("monitored_min", "over_min", "under_min"))
            )
        row[f"voltage_class_{name}_pct"] = classes.get(name)
    weight = parameter("reliability_parameters", "composite_weight_class_a", raw.report_day(month))
    others = [pct for name, pct in classes.items() if name != "a"]
    row["voltage_ok_pct"] = (
        weight * classes["a"] + (1 - weight) * np.mean(others) if others and "a" in classes else None
    )
    for column, source in (("monitored", "monitored_min"), ("over", "over_min"), ("under", "under_min")):
        row[f"voltage_{column}_minutes"] = float(sum(getattr(m, source) for m in rows))
    return row


# -- targets


def _targets(raw: Raw, row: dict, members: pd.DataFrame, month: pd.Timestamp) -> dict:
    """The promise of the area where there is one, else the regulation of the voltage level; of several accounts their mean."""
    day = raw.report_day(month)
    found = {}
    for measure, name, places in (("RS", "rs", 8), ("VOLTAGE", "voltage", 6)):
        value = row["rs_pct" if name == "rs" else "voltage_ok_pct"]
        targets = [
            t
            for member in members.itertuples()
            if (t := _target(measure, member.urban_rural, member.voltage_level, day))
        ]
        promised = [t for t in targets if t.basis_code == "PROMISE"] or targets
        pct = rounded(np.mean([float(t.target_pct) for t in promised]), 4) if promised else None
        distance = None if value is None or pct is None else rounded(value, places) - pct
        found |= {
            f"{name}_target_pct": pct,
            f"{name}_target_basis_code": promised[0].basis_code if promised else None,
            f"{name}_target_distance": distance,
            f"is_{name}_target_met": None if distance is None else bool(round(distance, 8) >= 0),
        }
    return found


@functools.cache
def _target(measure: str, area: str, level: str, day: pd.Timestamp):
    kv = float(level.removeprefix("AC").removesuffix("kV")) if level.endswith("kV") else 0.0
    rows = [
        t
        for t in rows_in_force("rate_targets", day)
        if t.measure_code == measure and t.area_class_code in (area, "ANY") and float(t.voltage_from_kv or 0) <= kv
    ]
    return min(rows, key=lambda t: t.basis_code != "PROMISE", default=None)
