"""Connection applications and their stages: first connections, increases, temporary supply, prospects."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from include.simulator import stages, tables
from include.simulator.hashing import integers, uniform
from include.simulator.marketing_archive import FORM_ORGS
from include.simulator.world import ORGS, Account, World

_DEPARTMENTS = {
    "ACCEPT": "D01",
    "VERIFY": "D02",
    "SCHEME": "D02",
    "DESIGN_REVIEW": "D03",
    "MID_CHECK": "D03",
    "BUILD": "D09",
    "FINAL_CHECK": "D03",
    "AGREEMENT": "D04",
    "METER_ENERGISE": "D05",
    "ARCHIVE": "D01",
}


def increase_schedule(seed: int, account: Account):
    """Stages of the increase of an account, so that supply with the new capacity begins on its first day."""
    back = 60
    while True:
        runs = stages.schedule(seed, account.number * 10 + 1, account.growth_on - timedelta(days=back))
        if stages.end_of(runs, "METER_ENERGISE") <= account.growth_on:
            return runs
        back += 2


def increase_number(account: Account) -> str:
    return f"AP{account.cons_no}I"


def build_applications(world: World, since: np.datetime64, business_date: np.datetime64) -> dict[str, pa.Table]:
    """mkt_application and mkt_app_stage at the end of the business date."""
    applications, stage_rows = [], []
    end_of_day = (business_date + 1).astype("datetime64[s]")
    for application, org, runs, cancelled in _cases(world, since, business_date):
        if runs[0][2] >= end_of_day:
            continue
        runs = [run for run in runs if run[2] < end_of_day and (cancelled is None or run[3] < cancelled)]
        closed = runs[-1][0] == "ARCHIVE" and runs[-1][3] < end_of_day
        is_cancelled = cancelled is not None and cancelled < end_of_day
        changed = cancelled if is_cancelled else min(runs[-1][3], end_of_day - np.timedelta64(4000, "s"))
        applications.append(
            application
            | {
                "access_mode": "FORM" if org in FORM_ORGS else "AUTO",
                "accepted_at": runs[0][2],
                "status": "CANCELLED" if is_cancelled else "DONE" if closed else "OPEN",
                "src_updated_at": changed,
            }
        )
        for number, (stage, owner, start, end) in enumerate(runs, 1):
            ended = end < end_of_day
            stage_rows.append(
                {
                    "app_no": application["app_no"],
                    "stage_seq": number,
                    "stage": stage,
                    "dept_no": _DEPARTMENTS[stage],
                    "handler_no": f"H{ORGS[org]}{(len(applications) + number) % 6}",
                    "start_at": start,
                    "end_at": end if ended else None,
                    "clock_owner": owner,
                    "suspend_min": 0,
                    "result": "通过" if ended else None,
                    "src_updated_at": end if ended else start,
                }
            )
    return {
        "mkt_application": tables.from_rows("marketing", "mkt_application", applications),
        "mkt_app_stage": tables.from_rows("marketing", "mkt_app_stage", stage_rows),
    }


def _cases(world: World, since: np.datetime64, business_date: np.datetime64):
    """(columns of the application, organisation, stages, time of cancellation) of every case."""
    seed = world.seed
    months = np.arange(since.astype("datetime64[M]"), business_date.astype("datetime64[M]") + 1)
    for a in world.accounts:
        base = {"cons_no": a.cons_no, "voltage_level": a.voltage, "supply_mode": a.supply_mode, "channel": "HALL"}
        if a.number % 3 == 0:
            yield (
                base | {"app_no": f"AP{a.cons_no}N", "app_type": "NEW", "apply_cap_kva": a.contract_cap},
                a.org,
                stages.schedule(seed, a.number * 10, a.accepted_on),
                None,
            )
        if a.growth_on:
            yield (
                base
                | {
                    "app_no": increase_number(a),
                    "app_type": "INCREASE",
                    "apply_cap_kva": a.growth_kva,
                    "channel": "MANAGER",
                },
                a.org,
                increase_schedule(seed, a),
                None,
            )
        for month in months[uniform(seed, "temporary", a.number, months.astype(int)) < 0.015]:
            day = month.astype("datetime64[D]") + int(
                integers(seed, "temporary day", 0, 25, a.number, month.astype(int))
            )
            number = month.astype(int)
            yield (
                base
                | {"app_no": f"AP{a.cons_no}T{number}", "app_type": "TEMP", "apply_cap_kva": 160, "channel": "ONLINE"},
                a.org,
                stages.schedule(seed, a.number * 10_000 + number * 10 + 3, day.item()),
                None,
            )
        if a.number % 20 == 10:
            yield from _prospects(world, a, months)


def _prospects(world: World, a: Account, months: np.ndarray):
    """Works that want to be connected; they have no account yet, and here they give up after sixty days."""
    for month in months[uniform(world.seed, "prospect", a.number, months.astype(int)) < 0.4]:
        number = int(month.astype(int))
        day = month.astype("datetime64[D]") + int(integers(world.seed, "prospect day", 0, 25, a.number, number))
        runs = stages.schedule(world.seed, a.number * 10_000 + number * 10 + 4, day.item())
        yield (
            {
                "app_no": f"AP{a.cons_no}P{number}",
                "app_type": "NEW",
                "apply_cap_kva": 630,
                "voltage_level": "AC10kV",
                "supply_mode": "SINGLE",
                "channel": "HALL",
            },
            a.org,
            runs,
            (day + 60).astype("datetime64[s]") + np.timedelta64(60_000, "s"),
        )
