"""How long tickets take, against what was promised (formulas 3.8, S17; corrections F10, F11, F18)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.witness.clocks import working_days
from tests.witness.raw import Raw, rows_in_force

MART = "mart_ticket_sla"
KEYS = ["ticket_no"]
LEFT_OUT: dict[str, str] = {}
STEPS = {
    "dispatch": "dispatched_at",
    "arrival": "arrived_at",
    "restoration": "restored_at",
    "contact": "first_contact_at",
    "reply": "replied_at",
    "close": "closed_at",
}
EVENTS = {
    "ACCEPTED": "accepted_at",
    "ARRIVED": "arrived_at",
    "RESTORED": "restored_at",
    "CONTACTED": "first_contact_at",
    "REPLIED": "replied_at",
}
CLOCK = ("sla_code", "sla_target", "sla_unit_code", "elapsed", "is_met")
DECIMALS = (
    {f"hours_to_{step}": 4 for step in STEPS}
    | dict.fromkeys(("sla_target", "elapsed", "second_sla_target", "second_elapsed", "second_average_elapsed"), 4)
    | dict.fromkeys(("reopen_cnt", "satisfaction_score", "second_average_tickets"), 0)
)


def witness(raw: Raw) -> pd.DataFrame:
    tickets = raw["mkt_ticket"]
    organisations = raw["mkt_customer"].set_index("cons_no").org_no
    reopened = tickets.reopen_of.dropna().value_counts()
    rows = []
    for ticket in tickets.itertuples():
        month = _date(ticket.accepted_at).replace(day=1)
        if month not in raw.months:
            continue
        clocks = {clock.is_lead: clock for clock in _promised(ticket)}
        first, second = (_on_the_clock(raw, ticket, clocks.get(is_lead)) for is_lead in ("true", "false"))
        row = {
            "ticket_no": ticket.ticket_no,
            "account_no": ticket.cons_no,
            "org_no": organisations.get(ticket.cons_no),
            "dept_no": ticket.dept_no,
            "channel_code": ticket.channel,
            "ticket_type_code": ticket.ticket_type,
            "ticket_subtype_code": ticket.sub_type,
            "area_class_code": ticket.urban_rural,
            "is_force_majeure": ticket.is_force_majeure,
            "accepted_at": ticket.accepted_at,
            "accepted_month": month,
            "is_open": pd.isna(ticket.closed_at),
            "reopen_cnt": int(reopened.get(ticket.ticket_no, 0)),
            "satisfaction_score": ticket.satisfaction,
            "promise_code": first["sla_code"] or "NO_PROMISE",
            "is_counted": first["is_met"] is not None and not ticket.is_force_majeure,
            **{column: getattr(ticket, column) for column in STEPS.values()},
            **{f"hours_to_{step}": _hours(ticket, column) for step, column in STEPS.items()},
        }
        rows.append(row | first | {f"second_{name}": value for name, value in second.items()})
    return _averages(pd.DataFrame(rows)).replace({np.nan: None}).infer_objects()


def _promised(ticket) -> list:
    """Clocks in force on the day of acceptance for the type, the subtype and the area of the ticket."""
    return [
        clock
        for clock in rows_in_force("service_clocks", _date(ticket.accepted_at))
        if clock.subject_code == "TICKET"
        and clock.ticket_type_code in ("ANY", ticket.ticket_type)
        and clock.ticket_subtype_code in ("ANY", ticket.sub_type)
        and clock.area_class_code in ("ANY", ticket.urban_rural)
    ]


def _on_the_clock(raw: Raw, ticket, clock) -> dict:
    """Minutes or working days from the event that starts the clock to the one that stops it, else to the end of D."""
    if clock is None:
        return dict.fromkeys(CLOCK)
    begins, ends = (getattr(ticket, EVENTS[event]) for event in (clock.started_by, clock.stopped_by))
    target, found = float(clock.target_value), {"sla_code": clock.clock_code, "sla_unit_code": clock.unit_code}
    if pd.isna(begins):
        return found | {"sla_target": target, "elapsed": None, "is_met": None}
    if clock.unit_code == "WORKING_DAY":
        elapsed = float(working_days(begins, raw.day.tz_localize("Asia/Shanghai") if pd.isna(ends) else ends))
    else:
        until = (raw.day + pd.Timedelta(days=1)).tz_localize("Asia/Shanghai") if pd.isna(ends) else ends
        elapsed = (until - begins).total_seconds() / 60
    met = None if elapsed <= target and pd.isna(ends) else elapsed <= target
    return found | {"sla_target": target, "elapsed": elapsed, "is_met": None if clock.is_average == "true" else met}


def _averages(rows: pd.DataFrame) -> pd.DataFrame:
    """A promise on average is one of all tickets of an organisation and month that ended: F10."""
    averaged = {
        (c.clock_code)
        for m in rows.accepted_month.unique()
        for c in rows_in_force("service_clocks", m)
        if c.is_average == "true"
    }
    keys = ["org_no", "accepted_month", "second_sla_code"]
    counts = rows[
        rows.second_sla_code.isin(averaged)
        & ~rows.is_force_majeure.astype(bool)
        & rows.restored_at.notna()
        & rows.arrived_at.notna()
    ]
    means = (
        counts.groupby(keys).second_elapsed.agg(["mean", "size"])
        if len(counts)
        else pd.DataFrame(columns=["mean", "size"])
    )
    found = []
    for row in rows.itertuples():
        key = (row.org_no, row.accepted_month, row.second_sla_code)
        if row.second_sla_code not in averaged or key not in means.index:
            found.append((None, None, None))
            continue
        mean, size = means.loc[key]
        found.append((mean, size, mean <= row.second_sla_target))
    names = ["second_average_elapsed", "second_average_tickets", "second_average_is_met"]
    return rows.assign(**dict(zip(names, map(list, zip(*found, strict=True)), strict=True)))


def _hours(ticket, column: str) -> float | None:
    at = getattr(ticket, column)
    return None if pd.isna(at) else (at - ticket.accepted_at).total_seconds() / 3600


def _date(at: pd.Timestamp) -> pd.Timestamp:
    return at.tz_localize(None).normalize()
