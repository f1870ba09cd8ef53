"""Tickets, surveys, visits and messages: what customers asked and what was done about it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.simulator import tables
from include.simulator.hashing import choice, integers, uniform
from include.simulator.managers import manager_on
from include.simulator.outages import FAULT, Outages
from include.simulator.plans import plan_number
from include.simulator.world import ORG_AREAS, ORGS, World

_SUBTYPES = {
    "ENQUIRY": ("BILLING", "METER_DATA", "CONNECTION"),
    "COMPLAINT": ("SERVICE", "POWER_QUALITY", "BILLING"),
    "OPINION": ("SERVICE", "OTHER"),
    "SUGGEST": ("OTHER",),
    "PRAISE": ("SERVICE",),
    "BIZ": ("METER_TEST", "CONNECTION"),
}
_TYPES = ("ENQUIRY", "ENQUIRY", "ENQUIRY", "BIZ", "BIZ", "COMPLAINT", "OPINION", "SUGGEST", "PRAISE")
_REMARKS = ("生产平稳", "计划检修", "订单增加", "关注电费")
_TOPICS = ("CONNECTION", "REPAIR", "POLICY", "BILLING", "SAFETY")


def _minutes(count) -> np.timedelta64:
    return np.timedelta64(int(count * 60), "s")


def build_service(
    world: World, outages: Outages, since: np.datetime64, business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_ticket, mkt_survey, mkt_manager_visit and mkt_notification."""
    tickets = _tickets(world, outages, since, business_date)
    build = lambda name, rows: tables.from_rows("marketing", name, rows)  # noqa: E731
    return {
        "mkt_ticket": build("mkt_ticket", [{k: v for k, v in t.items() if k != "account"} for t in tickets]),
        "mkt_survey": build("mkt_survey", _surveys(world, tickets, business_date)),
        "mkt_manager_visit": build("mkt_manager_visit", _visits(world, tickets, outages, since, business_date)),
        "mkt_notification": build("mkt_notification", _notifications(world, since, business_date)),
    }


def _months(since: np.datetime64, until: np.datetime64) -> np.ndarray:
    return np.arange(since.astype("datetime64[M]"), until.astype("datetime64[M]") + 1)


def _tickets(world: World, outages: Outages, since, business_date) -> list[dict]:
    end = (business_date + 1).astype("datetime64[s]")
    rows = _fault_tickets(world, outages, since, business_date)
    months = _months(since, business_date)
    number = np.arange(len(world.accounts))[:, None]
    account, month = np.nonzero(uniform(world.seed, "ticket", number, months.astype(int)) < 0.22)
    keys = (account, months[month].astype(int))
    day = months[month].astype("datetime64[D]") + integers(world.seed, "ticket day", 0, 27, *keys)
    draws = uniform(world.seed, "ticket times", keys[0][:, None], keys[1][:, None], np.arange(8))
    kinds = choice(world.seed, "ticket type", _TYPES, *keys)
    for n, (i, kind) in enumerate(zip(account.tolist(), kinds.tolist(), strict=True)):
        d = draws[n].tolist()
        accepted = day[n].astype("datetime64[s]") + _minutes(480 + d[0] * 600)
        if accepted >= end:
            continue
        dispatched = accepted + _minutes(3 + d[1] * 20)
        contact = dispatched + _minutes(15 + d[2] * 240)
        replied = contact + _minutes(60 + d[3] * 3000)
        closed = replied + _minutes(20 + d[4] * 600)
        seen = lambda moment, end=end: moment if moment < end else None  # noqa: E731
        a = world.accounts[i]
        rows.append(
            {
                "account": i,
                "ticket_no": f"TK{keys[1][n]:04d}{a.cons_no}",
                "cons_no": a.cons_no,
                "ticket_type": kind,
                "sub_type": _SUBTYPES[kind][int(d[5] * len(_SUBTYPES[kind]))],
                "channel": ("HOTLINE", "HALL", "ONLINE", "MANAGER")[int(d[6] * 4)],
                "urban_rural": ORG_AREAS[a.org],
                "dept_no": "D06",
                "accepted_at": accepted,
                "dispatched_at": seen(dispatched),
                "first_contact_at": seen(contact),
                "replied_at": seen(replied),
                "closed_at": seen(closed),
                "work_min": 20 + int(d[7] * 100),
                "is_force_majeure": False,
                "satisfaction": 3 + int(d[7] * 3) if closed < end else None,
                "src_updated_at": max(m for m in (accepted, dispatched, contact, replied, closed) if m < end),
            }
        )
    return rows


def _fault_tickets(world: World, outages: Outages, since, business_date) -> list[dict]:
    outage, account = outages.affected_outage, outages.affected_account
    long = (outages.end - outages.start) >= np.timedelta64(3600, "s")
    wanted = (
        (outages.kind[outage] == FAULT)
        & long[outage]
        & (outages.day[outage] >= since)
        & (outages.day[outage] <= business_date)
        & (uniform(world.seed, "fault ticket", outages.key[outage], account) < 0.4)
    )
    rows = []
    for n, i in zip(outage[wanted].tolist(), account[wanted].tolist(), strict=True):
        d = uniform(world.seed, "fault times", outages.key[n], i, np.arange(5)).tolist()
        a, restored = world.accounts[i], outages.end[n]
        accepted = outages.start[n] + _minutes(2 + d[0] * 8)
        dispatched = accepted + _minutes(1 + d[1] * 3)
        arrived = dispatched + _minutes(12 + d[2] * 26)
        closed = restored + _minutes(10 + d[3] * 40)
        rows.append(
            {
                "account": i,
                "ticket_no": f"TF{outages.key[n]:010d}{i:06d}",
                "cons_no": a.cons_no,
                "ticket_type": "FAULT",
                "sub_type": "OUTAGE",
                "channel": "HOTLINE",
                "urban_rural": ORG_AREAS[a.org],
                "dept_no": "D07",
                "accepted_at": accepted,
                "dispatched_at": dispatched,
                "arrived_at": arrived,
                "restored_at": restored,
                "first_contact_at": dispatched,
                "replied_at": restored,
                "closed_at": closed,
                "work_min": 60 + int(d[4] * 120),
                "is_force_majeure": False,
                "satisfaction": 3 + int(d[4] * 3),
                "src_updated_at": closed,
            }
        )
    return rows


def _surveys(world: World, tickets: list[dict], business_date) -> list[dict]:
    end, rows = (business_date + 1).astype("datetime64[s]"), []
    for t in tickets:
        key = int(t["account"]), int(t["accepted_at"].astype("datetime64[D]").astype(int))
        d = uniform(world.seed, "survey", *key, np.arange(6)).tolist()
        if t["closed_at"] is None or d[0] > 0.45:
            continue
        answered = t["closed_at"].astype("datetime64[D]").astype("datetime64[s]") + _minutes(1440 + 540 + d[1] * 500)
        if answered >= end:
            continue
        org = world.accounts[t["account"]].org
        rows += [
            {
                "survey_id": f"SV{t['ticket_no'][1:]}",
                "q_code": f"Q{q + 1}",
                "cons_no": t["cons_no"],
                "ticket_no": t["ticket_no"],
                "score": 5 + int(d[2 + q] * 6),
                "score_scale": 10,
                "answered_at": answered,
                "collector_no": f"C{ORGS[org]}{key[0] % 2}",
                "comment_text": None,
                "src_updated_at": answered + _minutes(30),
            }
            for q in range(3)
        ]
    return rows


def _visits(world: World, tickets, outages: Outages, since, business_date) -> list[dict]:
    end = (business_date + 1).astype("datetime64[s]")
    planned = []
    months = _months(since, business_date)
    number = np.arange(len(world.accounts))[:, None]
    account, month = np.nonzero(uniform(world.seed, "visit", number, months.astype(int)) < 0.3)
    for i, m in zip(account.tolist(), month.tolist(), strict=True):
        day = months[m].astype("datetime64[D]") + int(
            integers(world.seed, "visit day", 0, 27, i, int(months[m].astype(int)))
        )
        planned.append((i, day, None, None, f"V{months[m].astype(int)}"))
    for t in tickets:
        if t["ticket_type"] == "COMPLAINT" and t["closed_at"] is not None:
            planned.append((t["account"], t["closed_at"].astype("datetime64[D]") + 1, "TICKET", t["ticket_no"], "T"))
    for o, i in zip(outages.affected_outage.tolist(), outages.affected_account.tolist(), strict=True):
        if outages.kind[o] != FAULT and outages.day[o] >= since and (outages.key[o] + i) % 5 == 0:
            planned.append((i, outages.day[o] - 3, "OUTAGE_PLAN", plan_number(int(outages.key[o])), "P"))
    rows = []
    for i, day, case_kind, case_no, tag in planned:
        a, stamp = world.accounts[i], int(day.astype(int))
        d = uniform(world.seed, "visit detail", i, stamp, np.arange(3)).tolist()
        visited = day.astype("datetime64[s]") + _minutes(540 + d[0] * 450)
        if visited >= end or day < since:
            continue
        kilowatts = int(a.load_kw * (0.9 + 0.2 * d[1]))
        rows.append(
            {
                "visit_no": f"VS{stamp}{i:06d}{tag}",
                "cons_no": a.cons_no,
                "manager_no": manager_on(world, i, day.item()),
                "touch_type": ("VISIT", "VISIT", "PHONE", "MESSAGE", "MEETING")[int(d[2] * 5)],
                "visited_at": visited,
                "work_min": 15 + int(d[1] * 120),
                "case_kind": case_kind,
                "case_no": case_no,
                "summary": f"合成走访记录:平均负荷约{kilowatts}千瓦,{_REMARKS[int(d[1] * 4)]}",
                "src_updated_at": day.astype("datetime64[s]") + np.timedelta64(70_000 + i % 5000, "s"),
            }
        )
    return rows


def _notifications(world: World, since, business_date) -> list[dict]:
    end, rows = (business_date + 1).astype("datetime64[s]"), []
    for month in _months(since, business_date):
        number = int(month.astype(int))
        topic = _TOPICS[number % len(_TOPICS)]
        queued = month.astype("datetime64[D]").astype("datetime64[s]") + _minutes(1440 * (4 + number % 20) + 600)
        if queued >= end:
            continue
        chosen = np.flatnonzero(uniform(world.seed, "message", np.arange(len(world.accounts)), number) < 0.3)
        for i in chosen.tolist():
            wait = float(uniform(world.seed, "message wait", i, number))
            sent = queued + _minutes((5 if i % 20 < 4 else 60) + wait * 200)
            is_sent = sent < end
            rows.append(
                {
                    "message_no": f"MS{number:05d}",
                    "cons_no": world.accounts[i].cons_no,
                    "topic": topic,
                    "channel": ("SMS", "APP", "LETTER")[int(wait * 3)],
                    "queued_at": queued,
                    "sent_at": sent if is_sent else None,
                    "src_updated_at": sent if is_sent else queued,
                }
            )
    return rows
