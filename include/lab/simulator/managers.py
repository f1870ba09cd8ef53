"""Account managers: one for the accounts of each feeder, their hand-overs, visits and assessments."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.accounts import ACCOUNTS_PER_FEEDER, ORGS
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.metering_archive import at_evening
from include.lab.simulator.world import World

_DIMENSIONS = (
    ("KNOWLEDGE", "0.15"),
    ("PROFESSIONAL", "0.20"),
    ("SKILL", "0.15"),
    ("COMMUNICATION", "0.15"),
    ("ETHICS", "0.15"),
    ("PERFORMANCE", "0.20"),
)


def manager_count(world: World) -> int:
    return -(-len(world.accounts) // ACCOUNTS_PER_FEEDER)


def handover_of(seed: int, number: int) -> date | None:
    """The day on which manager `number` took over from one who left; None for most, who were there from the start."""
    if number % 4 != 2:
        return None
    return date(2023, 9, 1) + timedelta(days=int(integers(seed, "handover", 0, 300, number)))


def _swaps(world: World, account: int, until: date) -> list[date]:
    """Days on which an account goes from its feeder's manager to the neighbouring one or back: one in ten accounts a year."""
    if account < ACCOUNTS_PER_FEEDER:
        return []
    days = []
    for year in range(2025, until.year + 1):
        share, when = uniform(world.seed, "manager swap", account, year, np.arange(2)).tolist()
        if share < 0.10:
            days.append(date(year, 1, 10) + timedelta(days=int(when * 340)))
    return [day for day in days if day <= until]


def manager_on(world: World, account: int, day: date) -> str:
    """Staff number of the primary manager of an account on a day."""
    return [
        manager
        for start, manager in _primary(world, account, day)
        if start <= day or start == world.accounts[account].connect_on
    ][-1]


def _primary(world: World, account: int, until: date) -> list[tuple[date, str]]:
    """Days on which a primary manager took an account over, from its connection to `until`."""
    number, connect = account // ACCOUNTS_PER_FEEDER, world.accounts[account].connect_on
    handover = handover_of(world.seed, number)
    spans = [(handover, f"M{number:04d}")] if handover and handover > connect else []
    spans.insert(0, (connect, f"{'L' if spans else 'M'}{number:04d}"))
    days = [day for day in _swaps(world, account, until) if day > connect]
    return spans + [(day, f"M{number - n % 2:04d}") for n, day in enumerate(days, 1)]


def build_managers(world: World, business_date: np.datetime64) -> dict[str, pa.Table]:
    """mkt_manager, mkt_manager_assign and mkt_manager_assessment."""
    return {
        "mkt_manager": _managers(world, business_date.item()),
        "mkt_manager_assign": _assignments(world, business_date.item()),
        "mkt_manager_assessment": _assessments(world, business_date),
    }


def _managers(world: World, today: date) -> pa.Table:
    rows = []
    for n in range(manager_count(world)):
        handover = handover_of(world.seed, n)
        phase = int(integers(world.seed, "certificate", 0, 1095, n))
        first = date(2017, 1, 10) + timedelta(days=phase)
        certified = first + timedelta(days=(today - first).days // 1095 * 1095)
        row = {
            "org_no": ORGS[n % len(ORGS)],
            "cert_level": ("初级", "中级", "高级")[n % 3],
            "training_hours_12m": 24 + n * 7 % 40,
        }
        rows.append(
            row
            | {
                "manager_no": f"M{n:04d}",
                "manager_name": f"合成经理{n + 1:03d}",
                "status": "ACTIVE",
                "posted_on": handover or date(2017, 3, 1),
                "certified_on": certified,
                "cert_valid_to": certified + timedelta(days=1095),
                "src_updated_at": at_evening(certified, n),
            }
        )
        if handover:
            rows.append(
                row
                | {
                    "manager_no": f"L{n:04d}",
                    "manager_name": f"合成经理{n + 1:03d}前任",
                    "status": "LEFT",
                    "posted_on": date(2017, 3, 1),
                    "left_on": handover - timedelta(days=1),
                    "certified_on": date(2022, 5, 10),
                    "cert_valid_to": date(2025, 5, 9),
                    "src_updated_at": at_evening(handover, n),
                }
            )
    return tables.from_rows("marketing", "mkt_manager", rows)


def _assignments(world: World, today: date) -> pa.Table:
    rows = []
    for a in world.accounts:
        number = a.number // ACCOUNTS_PER_FEEDER
        primary = _primary(world, a.number, today)
        days = [day for day in _swaps(world, a.number, today) if day > a.connect_on]
        # the backup is the neighbour, who changes places with the primary manager
        first = max(handover_of(world.seed, number - 1) or a.connect_on, a.connect_on)
        backup = [
            (first, f"M{number - 1:04d}"),
            *((day, f"M{number - 1 + n % 2:04d}") for n, day in enumerate(days, 1)),
        ]
        for role, spans in (("PRIMARY", primary), ("BACKUP", backup if number > 0 else [])):
            for n, (start, manager) in enumerate(spans):
                end = spans[n + 1][0] if n + 1 < len(spans) else None
                rows.append(
                    {
                        "cons_no": a.cons_no,
                        "assign_role": role,
                        "manager_no": manager,
                        "valid_from": start,
                        "valid_to": end - timedelta(days=1) if end else None,
                        "src_updated_at": at_evening(end or start, a.number + (role == "BACKUP")),
                    }
                )
    return tables.from_rows("marketing", "mkt_manager_assign", rows)


def _assessments(world: World, business_date: np.datetime64) -> pa.Table:
    this = business_date.astype("datetime64[M]").astype(int) // 3
    rows = []
    for quarter in range(this - 5, this):
        start = (np.datetime64(0, "M") + (quarter + 1) * 3).astype("datetime64[D]")
        if start + 9 > business_date:
            continue
        period = f"{1970 + quarter // 4}Q{quarter % 4 + 1}"
        for n in range(manager_count(world)):
            for d, (dimension, weight) in enumerate(_DIMENSIONS):
                if dimension == "ETHICS" and (n * 5 + quarter) % 40 == 0:
                    continue  # nobody judged it in that quarter
                score = 70 + 28 * float(uniform(world.seed, "assessment", n, quarter, d))
                rows.append(
                    {
                        "manager_no": f"M{n:04d}",
                        "period": period,
                        "dimension": dimension,
                        "raw_score": round(score, 1),
                        "weight": weight,
                        "src_updated_at": at_evening(start + 9, n),
                    }
                )
    return tables.from_rows("marketing", "mkt_manager_assessment", rows)
