"""Applications and their stages: first connections, increases, temporary supply, prospects, suspensions, and other changes."""

from __future__ import annotations

from datetime import date, timedelta
from zlib import crc32

import numpy as np
import pyarrow as pa

from include.lab.simulator import stages, tables
from include.lab.simulator.accounts import IMPORTANT_PLACES, ORGS, Account
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.marketing_archive import FORM_ORGS
from include.lab.simulator.world import World

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

RENAME_TAG = "O"
# of a large organisation; a small one has six handlers
_ACCOUNTS_PER_HANDLER = 300


def increase_schedule(seed: int, account: Account):
    """Stages of the increase of an account, so that supply with the new capacity begins on its first day."""
    back = 60
    while True:
        runs = stages.schedule(
            seed,
            account.number * 10 + 1,
            account.growth_on - timedelta(days=back),
            whole=account.number % 20 in IMPORTANT_PLACES,
            is_slow=account.story.is_slow,
        )
        if stages.end_of(runs, "METER_ENERGISE") <= account.growth_on:
            return runs
        back += 2


def increase_number(account: Account) -> str:
    return f"AP{account.cons_no}I"


def rename_number(account: Account) -> str:
    return f"AP{account.cons_no}{RENAME_TAG}"


def build_applications(world: World, since: np.datetime64, business_date: np.datetime64) -> dict[str, pa.Table]:
    """mkt_application and mkt_app_stage at the end of the business date."""
    applications, stage_rows = [], []
    end_of_day = (business_date + 1).astype("datetime64[s]")
    handlers = max(6, len(world.accounts) // _ACCOUNTS_PER_HANDLER)
    for application, org, runs, cancelled in _cases(world, since, business_date):
        if runs[0].start >= end_of_day:
            continue
        runs = [run for run in runs if run.start < end_of_day and (cancelled is None or run.end < cancelled)]
        closed = runs[-1].name == "ARCHIVE" and runs[-1].end < end_of_day
        is_cancelled = cancelled is not None and cancelled < end_of_day
        changed = cancelled if is_cancelled else min(runs[-1].end, end_of_day - np.timedelta64(4000, "s"))
        applications.append(
            application
            | {
                "access_mode": "FORM" if org in FORM_ORGS else "AUTO",
                "accepted_at": runs[0].start,
                "status": "CANCELLED" if is_cancelled else "DONE" if closed else "OPEN",
                "src_updated_at": changed,
            }
        )
        for number, run in enumerate(runs, 1):
            ended = run.end < end_of_day
            stage_rows.append(
                {
                    "app_no": application["app_no"],
                    "stage_seq": number,
                    "stage": run.name,
                    "dept_no": _DEPARTMENTS[run.name],
                    "handler_no": f"H{ORGS[org]}{(crc32(application['app_no'].encode()) + number) % handlers}",
                    "start_at": run.start,
                    "end_at": run.end if ended else None,
                    "clock_owner": run.owner,
                    "suspend_min": run.suspend_min if ended else 0,
                    "result": None if not ended else "退回" if run.return_to else "通过",
                    "return_to_stage": run.return_to if ended else None,
                    "src_updated_at": run.end if ended else run.start,
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
        if a.number % 3 == 0 or a.connect_on >= date(2024, 1, 1):
            yield (
                base | {"app_no": f"AP{a.cons_no}N", "app_type": "NEW", "apply_cap_kva": a.contract_cap},
                a.org,
                stages.schedule(
                    seed, a.number * 10, a.accepted_on, whole=a.number % 20 in IMPORTANT_PLACES, is_slow=a.story.is_slow
                ),
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
                stages.schedule(seed, a.number * 10_000 + number * 10 + 3, day.item(), is_slow=a.story.is_slow),
                None,
            )
        yield from _short_cases(world, a, base, months)
        if a.number % 20 == 10:
            yield from _prospects(world, a, months)


def _short_cases(world: World, a: Account, base: dict, months: np.ndarray):
    """What changes no plant: a transformer suspended and resumed, a new name of the payer, a decrease that was withdrawn."""
    changes = [(f"S{n}", "SUSPEND", start, None) for n, (start, _) in enumerate(a.suspensions)]
    changes += [(f"R{n}", "RESUME", end, None) for n, (_, end) in enumerate(a.suspensions)]
    if a.closed_on:
        changes.append(("C", "CLOSE", a.closed_on, None))
    if a.story.new_owner_on:
        changes.append((RENAME_TAG, "RENAME", a.story.new_owner_on, None))
    for month in months[uniform(world.seed, "decrease", a.number, months.astype(int)) < 0.004]:
        first = month.astype("datetime64[D]").item()
        changes.append((f"D{month.astype(int)}", "DECREASE", first, first + timedelta(days=9)))
    for tag, app_type, day, cancelled in changes:
        case = a.number * 10_000 + day.toordinal() % 1000 * 10 + 5
        runs = stages.schedule(world.seed, case, day - timedelta(days=14), short=True)
        # the case of a new owner is kept: an amendment of the contract names it
        if runs[0].start < months[0].astype("datetime64[s]") and tag != RENAME_TAG:
            continue
        yield (
            base
            | {
                "app_no": f"AP{a.cons_no}{tag}",
                "app_type": app_type,
                "apply_cap_kva": a.transformers[-1].cap_kva if a.transformers else 20,
            },
            a.org,
            runs,
            None if cancelled is None else np.datetime64(runs[1].start, "s") + np.timedelta64(7200, "s"),
        )


def _prospects(world: World, a: Account, months: np.ndarray):
    """Works that want to be connected; they have no account yet, and here they give up within sixty days, before they are."""
    for month in months[uniform(world.seed, "prospect", a.number, months.astype(int)) < 0.4]:
        number = int(month.astype(int))
        day = month.astype("datetime64[D]") + int(integers(world.seed, "prospect day", 0, 25, a.number, number))
        runs = stages.schedule(world.seed, a.number * 10_000 + number * 10 + 4, day.item(), is_slow=a.story.is_slow)
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
            min(
                (day + 60).astype("datetime64[s]") + np.timedelta64(60_000, "s"),
                next(run.start for run in runs if run.name == "FINAL_CHECK"),
            ),
        )
