"""Planned outages as marketing keeps them: the plan, the customers it hits, and the notices sent to them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.simulator import tables
from include.simulator.hashing import uniform
from include.simulator.outages import PLANNED, Outages
from include.simulator.world import World

LEAD_DAYS = 10


def plan_number(outage_key: int) -> str:
    return f"PL{outage_key:010d}"


def build_plans(
    world: World, outages: Outages, since: np.datetime64, business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_outage_plan, mkt_outage_affected and mkt_outage_notice; a plan is published ten days ahead."""
    day = outages.planned_start.astype("datetime64[D]")
    shown = (outages.kind == PLANNED) & (day >= since) & (day - LEAD_DAYS <= business_date)
    hit = np.bincount(outages.affected_outage, minlength=len(outages.key)) > 0
    plans, affected, notices = [], [], []
    midnight = (business_date + 1).astype("datetime64[s]")
    of_outage: dict[int, list[int]] = {}
    for outage, account in zip(outages.affected_outage.tolist(), outages.affected_account.tolist(), strict=True):
        of_outage.setdefault(outage, []).append(account)
    for n in np.flatnonzero(shown & hit).tolist():
        key = int(outages.key[n])
        plan, moved = plan_number(key), float(uniform(world.seed, "plan moved", key)) < 0.15
        published = (day[n] - LEAD_DAYS).astype("datetime64[s]") + np.timedelta64(66_000 + key % 3600, "s")
        is_done = bool(day[n] <= business_date)
        plans.append(
            {
                "plan_no": plan,
                "plan_version": 2 if moved else 1,
                "kind": "PLANNED",
                "feeder_no": f"10F{outages.feeder[n]:05d}",
                "planned_start": outages.planned_start[n],
                "planned_end": outages.planned_end[n],
                "actual_start": outages.start[n] if is_done else None,
                "actual_end": outages.end[n] if is_done else None,
                "status": "DONE" if is_done else "PUBLISHED",
                "reason": ("线路检修", "设备更换", "配合市政工程")[key % 3],
                "src_updated_at": day[n].astype("datetime64[s]") + np.timedelta64(72_000, "s")
                if is_done
                else published,
            }
        )
        notices += _notices(world, outages, n, None, moved, midnight)
        for account in of_outage[n]:
            excused = float(uniform(world.seed, "excused", key, account)) < 0.03
            affected.append(
                {
                    "plan_no": plan,
                    "cons_no": world.accounts[account].cons_no,
                    "exception_code": "OWN_REQUEST" if excused else None,
                    "src_updated_at": published,
                }
            )
            if not excused:
                notices += _notices(world, outages, n, account, moved, midnight)
    build = lambda name, rows: tables.from_rows("marketing", name, rows)  # noqa: E731
    return {
        "mkt_outage_plan": build("mkt_outage_plan", plans),
        "mkt_outage_affected": build("mkt_outage_affected", affected),
        "mkt_outage_notice": build("mkt_outage_notice", notices),
    }


def _notices(world: World, outages: Outages, n: int, account: int | None, moved: bool, midnight) -> list[dict]:
    """The notices of one plan to one account (or to the public) that have been sent before `midnight`."""
    key = int(outages.key[n])
    draw = uniform(world.seed, "notice", key, -1 if account is None else account, np.arange(5)).tolist()
    start = outages.planned_start[n]
    version = 2 if moved else 1
    if account is None:
        steps = [("PUBLIC", 8 * 1440 + 60, version, start)]
    else:
        steps = [
            ("SMS", 7 * 1440 + 120 + int(draw[0] * 600), version, start),
            ("APP", 2 * 1440 + 30 + int(draw[1] * 300), version, start),
            ("SMS", 720 + 30 + int(draw[2] * 240), version, start),
            ("PHONE", 40 + int(draw[3] * 60), version, start),
        ]
        if moved:
            steps.insert(0, ("SMS", 9 * 1440 + int(draw[4] * 300), 1, start - np.timedelta64(86_400, "s")))
    rows = []
    for number, (channel, minutes, of_version, told) in enumerate(steps):
        sent = start - np.timedelta64(minutes * 60, "s")
        if sent >= midnight:
            continue
        is_call = channel == "PHONE"
        confirmed = sent + np.timedelta64(60 + int(draw[4] * 120), "s") if is_call else None
        who = "PUBLIC" if account is None else f"{account:06d}"
        rows.append(
            {
                "notice_id": f"NT{key:010d}{who}{number}",
                "plan_no": plan_number(key),
                "plan_version": of_version,
                "planned_start": told,
                "cons_no": None if account is None else world.accounts[account].cons_no,
                "channel": channel,
                "sent_at": sent,
                "delivered_at": sent + np.timedelta64(8 + int(draw[0] * 40), "s"),
                "confirmed_at": confirmed,
                "confirmed_by": f"合成联系人{account * 4 + 2:04d}" if is_call else None,
                "operator_no": f"OP{key % 40:03d}" if is_call else None,
                "src_updated_at": (confirmed if is_call else sent) + np.timedelta64(60, "s"),
            }
        )
    return rows
