"""Inspections of customer installations, hazards, violations and corrective actions."""

from __future__ import annotations

from datetime import date, timedelta
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.lab.simulator import tables
from include.lab.simulator.accounts import ORGS
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.marketing_archive import form_day
from include.lab.simulator.metering_archive import at_evening
from include.lab.simulator.world import World

_PLACES = ("高压室", "配电房", "变压器", "低压柜", "电缆沟", "自备发电机房", "计量柜", "直流屏")
_STATES = ("运行正常", "温度偏高", "标识缺失", "接头发热", "封堵不严", "绝缘工具超期", "通风不良", "记录齐全")


def build_inspections(
    world: World, made: dict[str, pa.Table], since: np.datetime64, business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_inspection, mkt_hazard, mkt_violation and mkt_corrective_action."""
    inspections = _inspections(world, since, business_date)
    hazards = _hazards(world, inspections, business_date.item())
    actions = _actions(world, hazards, made, business_date.item())
    build = lambda name, rows: tables.from_rows("marketing", name, rows)  # noqa: E731
    return {
        "mkt_inspection": build(
            "mkt_inspection", [{k: v for k, v in row.items() if k != "account"} for row in inspections]
        ),
        "mkt_hazard": build("mkt_hazard", hazards),
        "mkt_violation": build("mkt_violation", _violations(world, business_date)),
        "mkt_corrective_action": build("mkt_corrective_action", actions),
    }


def _inspections(world: World, since, business_date) -> list[dict]:
    today, rows = business_date.item(), []
    months = np.arange(since.astype("datetime64[M]"), business_date.astype("datetime64[M]") + 2)
    phase = integers(world.seed, "inspection phase", 0, 6, np.arange(len(world.accounts)))
    for month in months:
        number = int(month.astype(int))
        for i in np.flatnonzero(phase == number % 6).tolist():
            d = uniform(world.seed, "inspection", i, number, np.arange(8)).tolist()
            due = month.astype("datetime64[D]").item() + timedelta(days=4 + int(d[0] * 20))
            a = world.accounts[i]
            planned = form_day(a.org, due - timedelta(days=30))
            if planned > today:
                continue
            done = form_day(a.org, due + timedelta(days=int(d[1] * 7) - 4))
            is_done = done <= today
            text = (
                f"合成检查记录:{_PLACES[int(d[2] * 8)]}{_STATES[int(d[3] * 8)]},{_PLACES[int(d[4] * 8)]}{_STATES[int(d[5] * 8)]},"
                f"实测温度{20 + int(d[6] * 45)}度,接地电阻{1 + int(d[7] * 30) / 10}欧"
            )
            rows.append(
                {
                    "account": i,
                    "insp_no": f"IN{number:05d}{a.cons_no}",
                    "cons_no": a.cons_no,
                    "kind": "PERIODIC" if d[6] < 0.8 else "SPECIAL" if d[6] < 0.9 else "PROTECT_SUPPLY",
                    "due_on": due,
                    "done_on": done if is_done else None,
                    "inspector_no": f"I{ORGS[a.org]}{i % 2}" if is_done else None,
                    "customer_signed": d[4] < 0.98 if is_done else None,
                    "protection_setting_ok": d[7] < 0.96 if is_done and d[5] < 0.95 else None,
                    "result_text": text if is_done else None,
                    "src_updated_at": at_evening(done if is_done else planned, i),
                }
            )
    rows += _incidents(world, months, today)
    return rows


def _incidents(world: World, months: np.ndarray, today: date) -> list[dict]:
    """Looks after an incident in the customer's plant, on the day after it: a handful in a year."""
    rows = []
    for month in months:
        number = int(month.astype(int))
        chosen = uniform(world.seed, "incident", np.arange(len(world.accounts)), number) < 0.002
        for i in np.flatnonzero(chosen).tolist():
            a = world.accounts[i]
            done = form_day(a.org, month.astype("datetime64[D]").item() + timedelta(days=(i * 7 + number) % 27))
            if done > today:
                continue
            rows.append(
                {
                    "account": i,
                    "insp_no": f"II{number:05d}{a.cons_no}",
                    "cons_no": a.cons_no,
                    "kind": "INCIDENT",
                    "due_on": done,
                    "done_on": done,
                    "inspector_no": f"I{ORGS[a.org]}{i % 2}",
                    "customer_signed": True,
                    "protection_setting_ok": False,
                    "result_text": f"合成事故检查:{_PLACES[i % 8]}短路跳闸,保护定值需复核(合成{i + 1})",
                    "src_updated_at": at_evening(done, i),
                }
            )
    return rows


def _hazards(world: World, inspections: list[dict], today: date) -> list[dict]:
    rows = []
    for row in inspections:
        d = uniform(
            world.seed, "hazard", row["account"], int(np.datetime64(row["due_on"]).astype(int)), np.arange(4)
        ).tolist()
        if row["done_on"] is None or d[0] > 0.3:
            continue
        is_major = d[2] < 0.1 or row["kind"] == "INCIDENT"
        # of the major ones, one in five waits for spare parts far beyond its term
        waits = 90 if is_major and d[3] < 0.2 else 0
        rectified = row["done_on"] + timedelta(days=5 + int(d[1] * 30) + waits)
        is_rectified = rectified <= today
        rows.append(
            {
                "hazard_no": f"H{row['insp_no'][1:]}",  # its kind too: one day may bring two inspections
                "insp_no": row["insp_no"],
                "hazard_level": "MAJOR" if is_major else "GENERAL",
                "hazard_desc": f"合成隐患:{_PLACES[int(d[3] * 8)]}{_STATES[1 + int(d[1] * 6)]}",
                "rectify_due": row["done_on"] + timedelta(days=30),
                "rectified_on": rectified if is_rectified else None,
                "recheck_result": None if not is_rectified else "FAIL" if d[3] > 0.96 else "PASS",
                "reported_to_gov": is_major,
                "src_updated_at": at_evening(rectified if is_rectified else row["done_on"], row["account"] + 5),
            }
        )
        if d[0] < 0.05:  # a lesser one beside it
            place, state = _PLACES[int(d[2] * 8)], 1 + int(d[3] * 6)
            description = f"合成隐患:{place}{_STATES[state]}"
            if description == rows[-1]["hazard_desc"]:
                description = f"合成隐患:{place}{_STATES[1 + state % 6]}"
            rows.append(
                rows[-1]
                | {
                    "hazard_no": f"{rows[-1]['hazard_no']}B",
                    "hazard_level": "GENERAL",
                    "hazard_desc": description,
                    "reported_to_gov": False,
                }
            )
    return rows


def _violations(world: World, business_date) -> list[dict]:
    """Every twentieth account was found out once early on, and a few others in any year; the newest may not be settled."""
    rows, today = [], business_date.item()
    kinds = ("UNAUTH_CAPACITY", "UNAUTH_TARIFF", "UNAUTH_SEALED_USE", "OTHER")
    for a in world.accounts:
        cases = []
        if a.number % 20 == 17:
            found = date(2023, 8, 1) + timedelta(days=int(integers(world.seed, "violation", 0, 300, a.number)))
            cases.append((1, found, kinds[a.number // 20 % 4], 20))
        for year in range(2024, today.year + 1):
            share, when, kind = uniform(world.seed, "violation", a.number, year, np.arange(3)).tolist()
            if share < 0.02:
                found = date(year, 1, 5) + timedelta(days=int(when * 350))
                cases.append((year, found, "THEFT" if kind < 0.25 else kinds[int(kind * 4)], 20 + int(kind * 80)))
        for tag, found, kind, days in cases:
            settled = found + timedelta(days=days)
            if found > today:
                continue
            kwh = a.contract_cap * 10 + a.number
            rows.append(
                {
                    "violation_no": f"VI{a.cons_no}{tag}",
                    "cons_no": a.cons_no,
                    "kind": kind,
                    "found_on": found,
                    "recover_kwh": kwh,
                    "recover_yuan": round(kwh * 0.6, 2),
                    "penalty_yuan": round(kwh * 1.2, 2),
                    "settled_on": settled if settled <= today else None,
                    "src_updated_at": at_evening(settled if settled <= today else found, a.number),
                }
            )
    return rows


def _actions(world: World, hazards: list[dict], made: dict[str, pa.Table], today: date) -> list[dict]:
    rows = []
    cases = [
        ("INSPECTION", h["insp_no"], h["rectify_due"] - timedelta(days=29), "RECORD_MISSING")
        for h in hazards
        if h["hazard_level"] == "MAJOR" or (h["hazard_no"][-3:].isdigit() and int(h["hazard_no"][-3:]) % 4 == 1)
    ]
    wanted = made["mkt_ticket"].filter(pc.field("ticket_type") == "COMPLAINT").select(["ticket_no", "accepted_at"])
    cases += [
        ("TICKET", t["ticket_no"], t["accepted_at"].date() + timedelta(days=1), "SERVICE_QUALITY")
        for t in wanted.to_pylist()
    ]
    stages = made["mkt_app_stage"].filter(pc.is_valid(pc.field("return_to_stage")))
    cases += [
        ("APPLICATION", s["app_no"], s["end_at"].date() + timedelta(days=1), "STEP_ORDER")
        for s in stages.select(["app_no", "end_at"]).to_pylist()
    ]
    moved = made["mkt_outage_plan"].filter(pc.field("status") == "CANCELLED").select(["plan_no", "planned_start"])
    cases += [("OUTAGE_PLAN", p["plan_no"], p["planned_start"].date(), "OTHER") for p in moved.to_pylist()]
    for kind, case, found, code in cases:
        if found > today:
            continue
        number = crc32(case.encode())
        closed = found + timedelta(days=6 + number % 20)
        is_closed = closed <= today
        rows.append(
            {
                "action_no": f"CA{case}",
                "case_kind": kind,
                "case_no": case,
                "nonconformity_code": code,
                "found_on": found,
                "closed_on": closed if is_closed else None,
                "src_updated_at": at_evening(closed if is_closed else found, number),
            }
        )
    return rows
