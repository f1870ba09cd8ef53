"""Planned outages as marketing keeps them: the plan, the customers it hits, and the notices sent to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.accounts import ACCOUNTS_PER_FEEDER, Account
from include.lab.simulator.days import first_of
from include.lab.simulator.hashing import uniform
from include.lab.simulator.outages import PLANNED, Outages, exposed, is_temporary
from include.lab.simulator.world import World

LEAD_DAYS = 10
_SHORT_LEAD_DAYS = 3
_DAY = 1440
_TARDY_SHARE = 0.03
_EARLY_CALL_FROM = 0.99
_LATE_PUBLIC_SHARE = 0.25
_OWN_REQUEST_SHARE = 0.06  # of the customers that a plan hits; who asked for it is called on the day itself


@dataclass(frozen=True)
class Plan:
    """A plan and what became of it. `moved` is 1 where it was moved before its notices, 2 where some had been sent."""

    key: int
    feeder: int
    accounts: list[int]
    planned_start: np.datetime64
    planned_end: np.datetime64
    start: np.datetime64 | None
    end: np.datetime64 | None
    temporary: bool
    moved: int
    cancelled_at: np.datetime64 | None = None

    @property
    def published_at(self) -> np.datetime64:
        lead = _SHORT_LEAD_DAYS if self.temporary else LEAD_DAYS
        day = self.planned_start.astype("datetime64[D]") - lead
        return day.astype("datetime64[s]") + np.timedelta64(66_000 + self.key % 3600, "s")


def plan_number(outage_key: int) -> str:
    return f"PL{outage_key:010d}"


def build_plans(
    world: World, outages: Outages, since: np.datetime64, business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_outage_plan, mkt_outage_affected and mkt_outage_notice; a plan is published ten days ahead, or three."""
    midnight = (business_date + 1).astype("datetime64[s]")
    plans, affected, notices = [], [], []
    for plan in [*_of_outages(world, outages, since), *_cancelled(world, since, business_date)]:
        if plan.published_at >= midnight:
            continue
        number = plan_number(plan.key)
        is_off = plan.cancelled_at is not None and plan.cancelled_at < midnight
        is_done = plan.start is not None and plan.planned_start < midnight
        stop = plan.cancelled_at if is_off else midnight
        changed = plan.cancelled_at if is_off else plan.published_at
        if is_done:
            changed = plan.planned_start.astype("datetime64[D]").astype("datetime64[s]") + np.timedelta64(72_000, "s")
        plans.append(
            {
                "plan_no": number,
                "plan_version": 2 if plan.moved else 1,
                "kind": "TEMPORARY" if plan.temporary else "PLANNED",
                "feeder_no": f"10F{plan.feeder:05d}",
                "planned_start": plan.planned_start,
                "planned_end": plan.planned_end,
                "actual_start": plan.start if is_done else None,
                "actual_end": plan.end if is_done else None,
                "status": "CANCELLED" if is_off else "DONE" if is_done else "PUBLISHED",
                "reason": ("线路检修", "设备更换", "配合市政工程")[plan.key % 3],
                "src_updated_at": changed,
            }
        )
        notices += _notices(world, plan, None, stop)
        for account in plan.accounts:
            excused = float(uniform(world.seed, "excused", plan.key, account)) < _OWN_REQUEST_SHARE
            on_request = excused or (_may_be_key(world.accounts[account]) and _misses(world, plan, account))
            affected.append(
                {
                    "plan_no": number,
                    "cons_no": world.accounts[account].cons_no,
                    "exception_code": "OWN_REQUEST" if on_request else None,
                    "src_updated_at": plan.published_at,
                }
            )
            notices += _notices(world, plan, account, stop, asked_for_it=on_request)
    build = lambda name, rows: tables.from_rows("marketing", name, rows)  # noqa: E731
    return {
        "mkt_outage_plan": build("mkt_outage_plan", plans),
        "mkt_outage_affected": build("mkt_outage_affected", affected),
        "mkt_outage_notice": build("mkt_outage_notice", notices),
    }


def _of_outages(world: World, outages: Outages, since: np.datetime64):
    """The plans of the outages that are planned and hit somebody."""
    of_outage: dict[int, list[int]] = {}
    for outage, account in zip(outages.affected_outage.tolist(), outages.affected_account.tolist(), strict=True):
        of_outage.setdefault(outage, []).append(account)
    shown = (outages.kind == PLANNED) & (outages.planned_start.astype("datetime64[D]") >= since)
    for n in np.flatnonzero(shown).tolist():
        if n not in of_outage:
            continue
        key, temporary = int(outages.key[n]), is_temporary(world, int(outages.key[n]))
        draw = float(uniform(world.seed, "plan moved", key))
        yield Plan(
            key,
            int(outages.feeder[n]),
            of_outage[n],
            outages.planned_start[n],
            outages.planned_end[n],
            outages.start[n],
            outages.end[n],
            temporary,
            0 if temporary or draw >= 0.15 else 2 if draw < 0.05 else 1,
        )


def _cancelled(world: World, since: np.datetime64, business_date: np.datetime64):
    """Plans for the 22nd of a month that were given up one or two days before; nobody was cut off."""
    feeders = np.arange(-(-len(world.accounts) // ACCOUNTS_PER_FEEDER))
    months = np.arange(since.astype("datetime64[M]"), business_date.astype("datetime64[M]") + 2)
    feeder, month = (g.ravel() for g in np.meshgrid(feeders, months.astype(int), indexing="ij"))
    for f, m in zip(
        *(x[uniform(world.seed, "plan cancelled", feeder, month) < 0.02] for x in (feeder, month)), strict=True
    ):
        accounts = f * ACCOUNTS_PER_FEEDER + np.arange(ACCOUNTS_PER_FEEDER)
        accounts = accounts[exposed(world, accounts)].tolist()
        if not accounts:
            continue
        start = (first_of(np.datetime64(int(m), "M")) + 21).astype("datetime64[s]") + np.timedelta64(9 * 3600, "s")
        key = int(f) * 100_000 + 90_000 + int(m)
        yield Plan(
            key,
            int(f),
            accounts,
            start,
            start + np.timedelta64(4 * 3600, "s"),
            None,
            None,
            False,
            0,
            start - np.timedelta64(16 * 3600 + key % 30 * 3600, "s"),
        )


def _steps(plan: Plan, draw: list[float], late: list[float]) -> list[tuple[str, int, int]]:
    """Channel, minutes before the start, and version of the plan of every notice to one account."""
    steps = [
        ("SMS", 7 * _DAY + 120 + int(draw[0] * 600), 2 if plan.moved else 1),
        ("APP", 2 * _DAY + 30 + int(draw[1] * 300), 2 if plan.moved else 1),
        ("SMS", 720 + 30 + int(draw[2] * 240), 2 if plan.moved else 1),
        ("PHONE", 40 + int(draw[3] * 60), 2 if plan.moved else 1),
    ]
    tardy = (6 * _DAY, 2 * _DAY - 200, 10 * 60, 20)
    steps = [
        (channel, tardy[n] if late[n] < _TARDY_SHARE else minutes, version)
        for n, (channel, minutes, version) in enumerate(steps)
    ]
    if late[3] > _EARLY_CALL_FROM:  # a call that came the day before
        steps[3] = ("PHONE", 13 * 60, steps[3][2])
    if plan.moved == 2:  # the first two notices still named the old time
        steps[:2] = [(channel, minutes, 1) for channel, minutes, _ in steps[:2]]
    elif plan.moved:
        steps.insert(0, ("SMS", 9 * _DAY + int(draw[4] * 300), 1))
    return steps[1:] if plan.temporary else steps


def _late(world: World, plan: Plan, account: int) -> list[float]:
    return uniform(world.seed, "notice late", plan.key, account, np.arange(4)).tolist()


def _misses(world: World, plan: Plan, account: int) -> bool:
    """Whether a notice to the account comes too late, or names a time that no longer holds."""
    late = _late(world, plan, account)
    return plan.moved == 2 or any(draw < _TARDY_SHARE for draw in late) or late[3] > _EARLY_CALL_FROM


def _may_be_key(a: Account) -> bool:
    """Clean data leave no key account without its notices: where one is missing, the interruption was at its own wish."""
    return a.contract_cap >= 800 or a.importance != "NONE" or a.number % 20 in (0, 1, 2, 3, 8)


def _notices(
    world: World, plan: Plan, account: int | None, stop: np.datetime64, asked_for_it: bool = False
) -> list[dict]:
    """The notices of one plan to one account (or to the public) that have been sent before `stop`."""
    key, who = plan.key, -1 if account is None else account
    draw = uniform(world.seed, "notice", key, who, np.arange(5)).tolist()
    if account is None:
        is_late = draw[1] < _LATE_PUBLIC_SHARE  # those whom it concerns have been told themselves
        ahead = (2 if plan.temporary else 6 if is_late else 8) * _DAY + 60
        steps = [("PUBLIC", ahead, 2 if plan.moved else 1)]
    else:
        steps = _steps(plan, draw, _late(world, plan, account))[-1 if asked_for_it else 0 :]
    rows = []
    for number, (channel, minutes, version) in enumerate(steps):
        sent = plan.planned_start - np.timedelta64(minutes * 60, "s")
        if sent >= stop:
            continue
        told = plan.planned_start - np.timedelta64(86_400 if plan.moved and version == 1 else 0, "s")
        is_call = channel == "PHONE"
        confirmed = sent + np.timedelta64(60 + int(draw[4] * 120), "s") if is_call else None
        suffix = "PUBLIC" if account is None else f"{account:06d}"
        rows.append(
            {
                "notice_id": f"NT{key:010d}{suffix}{number}",
                "plan_no": plan_number(key),
                "plan_version": version,
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
