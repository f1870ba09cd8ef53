"""How bills are paid and which penalty follows (formulas 3.7, S18, correction F10; oracle O9)."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import pandas as pd

from tests.witness.raw import Raw, in_force, month_of, rounded

MART = "mart_payment_behaviour"
KEYS = ["account_no", "bill_no"]
LEFT_OUT: dict[str, str] = {}
DECIMALS = dict.fromkeys(
    (
        *("total_charge_cny", "unpaid_cny", "penalty_due_cny", "penalty_charged_cny", "penalty_waived_cny"),
        *("penalty_accruing_cny", "penalty_gap_cny"),
    ),
    2,
) | {"days_late": 0, "partial_count": 0}


@dataclass
class Settled:
    """A bill and what became of it by a day: steps of (day, what is unpaid after it)."""

    steps: list[tuple[pd.Timestamp, float]] = field(default_factory=list)
    paid_at: pd.Timestamp | None = None
    settled_on: pd.Timestamp | None = None
    partial_count: int = 0
    channel: str | None = None

    @property
    def unpaid(self) -> float:
        return self.steps[-1][1]


def witness(raw: Raw) -> pd.DataFrame:
    customers = raw["mkt_customer"].set_index("cons_no").cons_class
    penalties = raw["mkt_penalty"]
    waived = penalties[penalties.waived].groupby("bill_no").penalty_yuan.sum()
    charged = penalties[~penalties.waived].groupby("bill_no").penalty_yuan.sum()
    rows = []
    for bill in raw["mkt_bill"].assign(month=lambda b: month_of(b.bill_month)).itertuples():
        if not raw.months[0] <= bill.issued_on <= raw.day:
            continue
        found = settlement(raw, bill, raw.day)
        until = found.settled_on if found.settled_on is not None else raw.day
        due = penalty(bill, found, "RESIDENT" if customers[bill.cons_no] == "RESIDENT" else "OTHER", until)
        taken = charged.get(bill.bill_no, 0.0) + waived.get(bill.bill_no, 0.0)
        rows.append(
            {
                "account_no": bill.cons_no,
                "bill_no": bill.bill_no,
                "bill_month": bill.month,
                "issued_date": bill.issued_on,
                "due_date": bill.due_on,
                "status_code": bill.status,
                "total_charge_cny": bill.total_charge,
                "paid_at": found.paid_at,
                "days_late": max((until - bill.due_on).days, 0) if bill.total_charge > 0 else 0,
                "partial_count": found.partial_count,
                "channel_code": found.channel,
                "unpaid_cny": found.unpaid,
                "penalty_due_cny": due,
                "penalty_charged_cny": charged.get(bill.bill_no, 0.0),
                "penalty_waived_cny": waived.get(bill.bill_no, 0.0),
                "penalty_accruing_cny": max(due - taken, 0.0) if found.settled_on is None else 0.0,
                "penalty_gap_cny": due - taken if found.settled_on is not None else 0.0,
            }
        )
    return pd.DataFrame(rows)


@functools.cache
def _corrections(raw: Raw) -> dict[str, list]:
    """Negative bills by the bill that they take back."""
    rows: dict[str, list] = {}
    for bill in raw["mkt_bill"].itertuples():
        if bill.total_charge < 0:
            rows.setdefault(bill.orig_bill_no, []).append(bill)
    return rows


@functools.cache
def _days(raw: Raw, bill_no: str) -> list[tuple[pd.Timestamp, list]]:
    """Days on which a bill was paid, paid back or corrected, each with (time, change, payment or None)."""
    by_day: dict[pd.Timestamp, list] = {}
    for payment in raw.of("mkt_payment", "bill_no").get(bill_no, []):
        date = payment.paid_at.tz_localize(None).normalize()
        by_day.setdefault(date, []).append((payment.paid_at, -payment.amount, payment))
    for taken in _corrections(raw).get(bill_no, []):
        by_day.setdefault(taken.issued_on, []).append((None, taken.total_charge, None))
    return sorted(by_day.items())


def settlement(raw: Raw, bill, day: pd.Timestamp) -> Settled:
    """Payments and corrections up to the end of a day, in order of time."""
    found = Settled([(bill.issued_on, max(bill.total_charge, 0.0))])
    if bill.total_charge <= 0:
        found.settled_on = bill.issued_on
        return found
    balance = bill.total_charge
    for date, events in _days(raw, bill.bill_no):
        if date > day:
            break
        balance = round(
            balance + sum(change for _, change, _ in events), 2
        )  # a payment moved within the day is no debt
        payments = sorted((at, payment.channel) for at, change, payment in events if payment)
        found.steps.append((date, max(balance, 0.0)))
        found.channel = payments[-1][1] if payments else found.channel
        if balance > 0:
            found.partial_count += sum(change < 0 for _, change, payment in events if payment)
            found.paid_at = found.settled_on = None
        elif found.settled_on is None:
            found.settled_on, found.paid_at = date, payments[-1][0] if payments else None
    return found


def penalty(bill, found: Settled, payer_class: str, until: pd.Timestamp) -> float:
    """Days from the day after the due day to that of payment, each on what was unpaid at its beginning."""
    this_rate, later_rate, least = _rates(payer_class, bill.due_on)
    this_year = later = 0.0  # yuan-days, each at one rate
    for (begins, unpaid), (ends, _) in zip(found.steps, [*found.steps[1:], (until, 0.0)], strict=True):
        first, last = max(begins, bill.due_on) + pd.Timedelta(days=1), min(ends, until)
        new_year = pd.Timestamp(bill.due_on.year + 1, 1, 1)
        this_year += unpaid * max((min(last, new_year - pd.Timedelta(days=1)) - first).days + 1, 0)
        later += unpaid * max((last - max(first, new_year)).days + 1, 0)
    total = rounded(this_year * this_rate, 2) + rounded(later * later_rate, 2)
    return max(total, least) if total > 0 else 0.0


@functools.cache
def _rates(payer_class: str, day: pd.Timestamp) -> tuple[float, float, float]:
    rows = in_force("penalty_rates", day)
    (row,) = rows[rows.payer_class_code == payer_class].itertuples()
    return float(row.current_year_rate), float(row.cross_year_rate), float(row.least_cny)
