"""Tickets, surveys, visits and messages: what customers asked and what was done about it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.accounts import ORG_AREAS, ORGS
from include.lab.simulator.hashing import choice, integers, uniform
from include.lab.simulator.managers import manager_on
from include.lab.simulator.marketing_archive import form_day
from include.lab.simulator.outages import FAULT, OWN, PLANNED, STORM, Outages
from include.lab.simulator.plans import plan_number
from include.lab.simulator.world import World

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
    world: World, outages: Outages, made: dict[str, pa.Table], since: np.datetime64, business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_ticket, mkt_survey, mkt_manager_visit and mkt_notification; `made` holds the applications and their stages."""
    tickets = _tickets(world, outages, since, business_date)
    cases = _application_cases(world, made, since)
    build = lambda name, rows: tables.from_rows("marketing", name, rows)  # noqa: E731
    return {
        "mkt_ticket": build("mkt_ticket", [{k: v for k, v in t.items() if k != "account"} for t in tickets]),
        "mkt_survey": build("mkt_survey", _surveys(world, tickets, cases, business_date)),
        "mkt_manager_visit": build("mkt_manager_visit", _visits(world, tickets, cases, outages, since, business_date)),
        "mkt_notification": build("mkt_notification", _notifications(world, since, business_date)),
    }


def _months(since: np.datetime64, until: np.datetime64) -> np.ndarray:
    return np.arange(since.astype("datetime64[M]"), until.astype("datetime64[M]") + 1)


def _tickets(world: World, outages: Outages, since, business_date) -> list[dict]:
    """All tickets: faults, one in five account months with a request, complaints after outages, and repeated requests."""
    end = (business_date + 1).astype("datetime64[s]")
    rows = _fault_tickets(world, outages, since, business_date)
    months = _months(since, business_date)
    number = np.arange(len(world.accounts))[:, None]
    account, month = np.nonzero(uniform(world.seed, "ticket", number, months.astype(int)) < 0.22)
    keys = (account, months[month].astype(int))
    day = months[month].astype("datetime64[D]") + integers(world.seed, "ticket day", 0, 27, *keys)
    kinds = choice(world.seed, "ticket type", _TYPES, *keys)
    for n, (i, kind) in enumerate(zip(account.tolist(), kinds.tolist(), strict=True)):
        number = f"TK{keys[1][n]:04d}{world.accounts[i].cons_no}"
        key = (int(keys[0][n]), int(keys[1][n]))
        first = _ticket(world, i, number, kind, None, day[n], key, end)
        rows.append(first)
        if float(uniform(world.seed, "ticket again", *key)) < 0.03 and first["closed_at"] is not None:
            later = first["closed_at"].astype("datetime64[D]") + 2 + key[0] % 5
            rows.append(_ticket(world, i, number + "R", kind, first, later, (key[0], key[1], 1), end))
    for o, i in zip(outages.affected_outage.tolist(), outages.affected_account.tolist(), strict=True):
        if float(uniform(world.seed, "outage complaint", outages.key[o], i)) < 0.012 and outages.day[o] >= since:
            key, later = (i, int(outages.key[o]), 2), outages.day[o] + 1 + int(outages.key[o]) % 20
            number = f"TC{outages.key[o]:010d}{i:06d}"
            rows.append(_ticket(world, i, number, "COMPLAINT", None, later, key, end) | {"sub_type": "OUTAGE"})
    return [row for row in rows if row["accepted_at"] < end]


def _ticket(world: World, i: int, number: str, kind: str, first: dict | None, day, key: tuple, end) -> dict:
    """A ticket of the account as known at `end`; a few are answered late. `first` is the one that it takes up again."""
    d = uniform(world.seed, "ticket times", *key, np.arange(8)).tolist()
    slow = uniform(world.seed, "ticket slow", *key, np.arange(2)).tolist()
    accepted = day.astype("datetime64[s]") + _minutes(480 + d[0] * 600)
    dispatched = accepted + _minutes(3 + d[1] * 20)
    contact = dispatched + _minutes(15 + d[2] * 240 + (slow[0] < 0.04) * (4000 + d[3] * 3000))
    replied = contact + _minutes(60 + d[3] * 3000 + (slow[1] < 0.05) * (12_000 + d[2] * 9000))
    closed = replied + _minutes(20 + d[4] * 600)
    seen = lambda moment: moment if moment < end else None  # noqa: E731
    a = world.accounts[i]
    return {
        "account": i,
        "ticket_no": number,
        "cons_no": a.cons_no,
        "ticket_type": kind,
        "sub_type": first["sub_type"] if first else _SUBTYPES[kind][int(d[5] * len(_SUBTYPES[kind]))],
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
        "reopen_of": first["ticket_no"] if first else None,
        "satisfaction": 3 + int(d[7] * 3) if closed < end else None,
        "src_updated_at": max([accepted, *(m for m in (dispatched, contact, replied, closed) if m < end)]),
    }


def _fault_tickets(world: World, outages: Outages, since, business_date) -> list[dict]:
    outage, account = outages.affected_outage, outages.affected_account
    seconds = (outages.end - outages.start).astype(int)
    kind = outages.kind[outage]
    # what the supply side does not see, its customer reports
    reports = np.isin(kind, (FAULT, STORM)) & (uniform(world.seed, "fault ticket", outages.key[outage], account) < 0.4)
    wanted = (
        ((reports & (seconds[outage] >= 3600)) | ((kind == OWN) & (seconds[outage] > 150)))
        & (outages.day[outage] >= since)
        & (outages.day[outage] <= business_date)
    )
    end, rows = (business_date + 1).astype("datetime64[s]"), []
    for n, i in zip(outage[wanted].tolist(), account[wanted].tolist(), strict=True):
        d = uniform(world.seed, "fault times", outages.key[n], i, np.arange(6)).tolist()
        a, ended = world.accounts[i], outages.end[n]
        accepted = outages.start[n] + _minutes(2 + d[0] * 8)
        dispatched = accepted + _minutes(1 + d[1] * 3)
        is_late = d[5] < 0.06
        arrived = dispatched + _minutes((50 + d[2] * 90) if is_late else 12 + d[2] * 26)
        # where supply came back before the crew, its work ended after it
        restored = max(ended, arrived + _minutes(3))
        closed = restored + _minutes(10 + d[3] * 40)
        if closed >= end:
            continue
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
                "is_force_majeure": outages.is_by_weather(n),
                "satisfaction": 3 + int(d[4] * 3),
                "src_updated_at": closed,
            }
        )
    return rows


def _application_cases(world: World, made: dict[str, pa.Table], since) -> list[dict]:
    """Applications of accounts with stages since `since`: account, number, when it was done, and (start, end) of stages."""
    number_of = {a.cons_no: a.number for a in world.accounts}
    local = lambda moment: np.datetime64(moment.replace(tzinfo=None), "s")  # noqa: E731
    stages: dict[str, list] = {}
    for row in made["mkt_app_stage"].select(["app_no", "start_at", "end_at"]).to_pylist():
        stages.setdefault(row["app_no"], []).append(
            (local(row["start_at"]), None if row["end_at"] is None else local(row["end_at"]))
        )
    cases = []
    for row in made["mkt_application"].select(["app_no", "cons_no", "status"]).to_pylist():
        spans = stages[row["app_no"]]
        if row["cons_no"] in number_of and spans[0][0] >= since:
            done = spans[-1][1] if row["status"] == "DONE" else None
            cases.append({"account": number_of[row["cons_no"]], "app_no": row["app_no"], "done": done, "spans": spans})
    return cases


def _surveys(world: World, tickets: list[dict], cases: list[dict], business_date) -> list[dict]:
    end, rows = (business_date + 1).astype("datetime64[s]"), []
    asked = [(t["account"], t["accepted_at"], t["closed_at"], "ticket_no", t["ticket_no"]) for t in tickets]
    asked += [(c["account"], c["spans"][0][0], c["done"], "app_no", c["app_no"]) for c in cases]
    for account, begun, closed, column, number in asked:
        key = int(account), int(begun.astype("datetime64[D]").astype(int)), int(column == "app_no")
        d = uniform(world.seed, "survey", *key, np.arange(6)).tolist()
        if closed is None or d[0] > 0.45:
            continue
        answered = closed.astype("datetime64[D]").astype("datetime64[s]") + _minutes(1440 + 540 + d[1] * 500)
        if answered >= end:
            continue
        org = world.accounts[account].org
        # one account in twenty has been less content for half of each year
        is_cross = account % 20 == 12 and int(answered.astype("datetime64[M]").astype(int)) % 12 >= 6
        rows += [
            {
                "survey_id": f"SV{number[1:]}",
                "q_code": f"Q{q + 1}",
                "cons_no": world.accounts[account].cons_no,
                column: number,
                "score": 5 + int(d[2 + q] * 6) - 3 * is_cross,
                "score_scale": 10,
                "answered_at": answered,
                "collector_no": f"C{ORGS[org]}{key[0] % 2}",
                "comment_text": None,
                "src_updated_at": answered + _minutes(30),
            }
            for q in range(3)
        ]
    return rows


def _visits(world: World, tickets, cases, outages: Outages, since, business_date) -> list[dict]:
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
            planned.append(
                (t["account"], t["closed_at"].astype("datetime64[D]") + 1, "TICKET", t["ticket_no"], t["ticket_no"])
            )
    for o, i in zip(outages.affected_outage.tolist(), outages.affected_account.tolist(), strict=True):
        if outages.kind[o] == PLANNED and outages.day[o] >= since and (outages.key[o] + i) % 5 == 0:
            plan = plan_number(int(outages.key[o]))
            planned.append((i, outages.day[o] - 3, "OUTAGE_PLAN", plan, plan))
    for case in cases:
        for n, (start, stop) in enumerate(case["spans"]):
            day = start.astype("datetime64[D]") + 1
            if (stop is None or day < stop.astype("datetime64[D]")) and (case["account"] + n) % 3:
                planned.append((case["account"], day, "APPLICATION", case["app_no"], f"{case['app_no']}-{n}"))
    rows = []
    for i, day, case_kind, case_no, tag in planned:
        a, stamp = world.accounts[i], int(day.astype(int))
        d = uniform(world.seed, "visit detail", i, stamp, np.arange(3)).tolist()
        visited = day.astype("datetime64[s]") + _minutes(540 + d[0] * 450)
        written = np.datetime64(form_day(a.org, day.item()), "s")
        if written >= end or day < since:
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
                "src_updated_at": written + np.timedelta64(70_000 + i % 5000, "s"),
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
            is_sent = sent < end and wait < 0.99  # the last ones stay in the queue
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
