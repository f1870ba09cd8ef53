"""What an account owes, how far it can be trusted, and what is at stake (formulas 3.9, S34; oracle O20)."""

from __future__ import annotations

import functools
import itertools
import statistics

import pandas as pd

from tests.witness.payment import Settled, penalty, settlement
from tests.witness.raw import Raw, month_of, parameter, rounded, rows_in_force
from tests.witness.tariff import contract_on

MART = "mart_credit_risk"
KEYS = ["account_no", "month_start_date"]
LEFT_OUT: dict[str, str] = {}
PARTS = ("payment", "violation", "contract", "volume", "market")
CNY = (
    "unpaid_cny",
    "overdue_cny",
    "penalty_open_cny",
    "expected_bill_cny",
    "deposit_cny",
    "guarantee_cny",
    "exposure_cny",
)
DECIMALS = (
    dict.fromkeys((*(f"{part}_score" for part in PARTS), "credit_score"), 6)
    | dict.fromkeys(CNY, 2)
    | {"oldest_overdue_days": 0, "days_sales_outstanding": 4}
)
VIOLATIONS = {  # class of a kind of case, as credit_points and credit_vetoes name it
    "THEFT": "THEFT",
    "UNAUTH_CAPACITY": "UNAUTHORISED_USE",
    "UNAUTH_TARIFF": "UNAUTHORISED_USE",
    "UNAUTH_SEALED": "UNAUTHORISED_USE",
    "UNAUTH_METER": "UNAUTHORISED_USE",
    "UNAUTH_SOURCE": "UNAUTHORISED_USE",
}


def witness(raw: Raw) -> pd.DataFrame:
    rows = []
    bills = {account: list(of) for account, of in bills_of(raw).items()}
    for customer in raw["mkt_customer"].itertuples():
        before = None
        for month in [
            raw.months[0] - pd.DateOffset(months=1),
            *raw.months,
        ]:  # a grade asks for that of the month before
            day = raw.report_day(month)
            is_open = pd.isna(customer.close_date) or customer.close_date > day
            if customer.open_date > day:
                continue
            owed = receivables(raw, customer, bills.get(customer.cons_no, []), day)
            row = {"account_no": customer.cons_no, "month_start_date": month, "is_open": is_open} | owed
            del row["late_days"]
            row["is_new_customer"] = day < customer.connect_date + pd.DateOffset(
                months=risk("new_customer_months", day)
            )
            contract = _newest_contract(raw, customer.cons_no, day)
            row["deposit_cny"] = contract.deposit_yuan if contract else None
            row["guarantee_cny"] = contract.guarantee_yuan if contract else None
            row["exposure_cny"] = (
                owed["unpaid_cny"] + owed["penalty_open_cny"] + owed["expected_bill_cny"] - row["deposit_cny"]
            )
            row |= _scores(raw, customer, owed, day)
            vetoes = _vetoes(raw, customer, bills.get(customer.cons_no, []), day)
            row |= _grades(row, vetoes, before, day)
            before = row["grade"]
            rows.append(row)
    return pd.DataFrame(row for row in rows if row["month_start_date"] in raw.months)


def risk(code: str, day: pd.Timestamp) -> int:
    return int(parameter("risk_parameters", code, day))


def bills_of(raw: Raw) -> dict[str, list]:
    rows: dict[str, list] = {}
    for bill in raw["mkt_bill"].assign(month=lambda b: month_of(b.bill_month)).itertuples():
        rows.setdefault(bill.cons_no, []).append(bill)
    return rows


def _newest_contract(raw: Raw, account: str, day: pd.Timestamp):
    rows = [
        row
        for row in raw.of("con_contract", "cons_no")[account]
        if row.valid_from <= day and row.status != "DRAFT" and row.kind != "PROTOCOL"
    ]
    return max(rows, key=lambda row: (row.valid_from, row.version), default=None)


# -- what is owed


def receivables(raw: Raw, customer, bills: list, day: pd.Timestamp) -> dict:
    """As of the end of a day: bills issued by then, and payments and corrections made by then."""
    unpaid = overdue = penalties = late = amounts = 0.0
    oldest = 0
    since = day - pd.DateOffset(months=risk("look_back_months", day))
    months: dict[pd.Timestamp, float] = {}
    recent = 0.0
    payer = "RESIDENT" if customer.cons_class == "RESIDENT" else "OTHER"
    for bill in bills:
        if bill.issued_on > day:
            continue
        months[bill.month] = months.get(bill.month, 0.0) + bill.total_charge
        if bill.issued_on > day - pd.Timedelta(days=risk("sales_outstanding_days", day)):
            recent += bill.total_charge
        found = settlement(raw, bill, day)
        if bill.total_charge > 0 and since < bill.due_on <= day:
            late += late_yuan_days(found, bill.due_on, day)
            amounts += bill.total_charge
        unpaid += found.unpaid
        if found.unpaid > 0:
            entries = raw.of("mkt_penalty", "bill_no").get(bill.bill_no, [])
            waived = sum(p.penalty_yuan for p in entries if p.waived and p.to_date <= day)
            penalties += max(penalty(bill, found, payer, day) - waived, 0.0)
            if bill.due_on < day:
                overdue += found.unpaid
                oldest = max(oldest, (day - bill.due_on).days)
    newest = sorted(months)[-risk("expected_bill_months", day) :]
    return {
        "unpaid_cny": unpaid,
        "overdue_cny": overdue,
        "oldest_overdue_days": oldest,
        "penalty_open_cny": penalties,
        "expected_bill_cny": sum(months[m] for m in newest) / len(newest) if newest else 0.0,
        "days_sales_outstanding": unpaid / recent * risk("sales_outstanding_days", day) if recent > 0 else None,
        "late_days": late / amounts if amounts else None,
    }


def late_yuan_days(found: Settled, due: pd.Timestamp, day: pd.Timestamp) -> float:
    """What was unpaid after the due day, times the days it was."""
    steps = [*found.steps, (day, 0.0)]
    return sum(
        unpaid * max((min(ends, day) - max(begins, due)).days, 0)
        for (begins, unpaid), (ends, _) in itertools.pairwise(steps)
    )


# -- the five parts


def _scores(raw: Raw, customer, owed: dict, day: pd.Timestamp) -> dict:
    account = customer.cons_no
    lost = dict.fromkeys(PARTS, 0.0)
    items = {
        "WEIGHTED_LATE_DAYS": owed["late_days"],
        "BROKEN_PROMISES": _reversed_payments(raw, account, day),
        "VARIATION": _variation(raw, account, day),
        "DECLINE": max(-(energy_yoy(raw, account, day) or 0.0), 0.0),
        "PENALISED_MONTHS": _penalised_months(raw, account, day),
        "NO_CONTRACT": float(contract_on(raw, account, day) is None),
    }
    items |= _found(raw, account, day) | _amended(raw, account, day)
    for row in rows_in_force("credit_points", day):
        quantity = items.get(row.item_code, 0.0)
        part = row.dimension_code.lower()
        known = quantity is not None and lost[part] is not None
        lost[part] = lost[part] + float(row.points) * rounded(quantity, 6) if known else None
    scores = {f"{part}_score": None if lost[part] is None else max(100 - lost[part], 0.0) for part in PARTS}
    weights = {row.dimension_code.lower(): float(row.weight) for row in rows_in_force("credit_weights", day)}
    known = None not in scores.values()
    scores["credit_score"] = sum(weights[part] * scores[f"{part}_score"] for part in PARTS) if known else None
    return scores


def _since(table: str, code: str, day: pd.Timestamp) -> pd.Timestamp:
    """The day after which what is found counts."""
    (row,) = [row for row in rows_in_force(table, day) if code in row]
    return day - pd.DateOffset(months=int(row.look_back_months))


def _reversed_payments(raw: Raw, account: str, day: pd.Timestamp) -> int:
    since = _since("credit_points", "BROKEN_PROMISES", day)
    return sum(
        isinstance(payment.reversed_pay_no, str) and since < payment.paid_at.tz_localize(None).normalize() <= day
        for bill in raw.of("mkt_bill", "cons_no")[account]
        for payment in raw.of("mkt_payment", "bill_no").get(bill.bill_no, [])
    )


def _found(raw: Raw, account: str, day: pd.Timestamp) -> dict[str, float]:
    counts: dict[str, float] = {}
    for case in raw.of("mkt_violation", "cons_no")[account]:
        code = VIOLATIONS.get(case.kind, "OTHER_VIOLATION")
        if _since("credit_points", code, day) < case.found_on <= day:
            counts[code] = counts.get(code, 0.0) + 1
    return counts


def _amended(raw: Raw, account: str, day: pd.Timestamp) -> dict[str, float]:
    counts = {"UNSIGNED_CHANGE": 0.0, "LATE_SIGNATURE": 0.0}
    contracts = {row.contract_no for row in raw.of("con_contract", "cons_no")[account]}
    since = _since("credit_points", "LATE_SIGNATURE", day)
    for row in {
        row.amend_no: row for no in contracts for row in raw.of("con_amendment", "contract_no").get(no, [])
    }.values():
        if since < row.effective_on <= day:
            if pd.isna(row.signed_on) or row.signed_on > day:
                counts["UNSIGNED_CHANGE"] += 1
            elif row.signed_on > row.effective_on:
                counts["LATE_SIGNATURE"] += 1
    return counts


@functools.cache
def _energy(raw: Raw, account: str, day: pd.Timestamp) -> dict[pd.Timestamp, float]:
    """Billed energy by month of the bills issued by a day."""
    months: dict[pd.Timestamp, float] = {}
    for bill in raw.of("mkt_bill", "cons_no")[account]:
        if bill.issued_on <= day:
            month = pd.Timestamp(int(bill.bill_month[:4]), int(bill.bill_month[4:6]), 1)
            months[month] = months.get(month, 0.0) + bill.kwh_total
    return months


@functools.cache
def _closed(day: pd.Timestamp) -> list[pd.Timestamp]:
    """The twelve months before that of the day."""
    return list(pd.date_range(end=day.replace(day=1), periods=risk("look_back_months", day) + 1, freq="MS"))[:-1]


def _variation(raw: Raw, account: str, day: pd.Timestamp) -> float | None:
    """Standard deviation over mean of the monthly energy of the twelve closed months before."""
    values = [kwh for month, kwh in _energy(raw, account, day).items() if month in _closed(day)]
    if len(values) < risk("variation_months", day):
        return None
    return statistics.stdev(values) / statistics.mean(values)


def energy_yoy(raw: Raw, account: str, day: pd.Timestamp) -> float | None:
    """The newest closed months against the same of the year before; months billed in both years."""
    energy = _energy(raw, account, day)
    months = _closed(day)[-risk("yoy_months", day) :]
    both = [
        (energy[m], energy[m - pd.DateOffset(years=1)])
        for m in months
        if {m, m - pd.DateOffset(years=1)} <= energy.keys()
    ]
    before = sum(b for _, b in both)
    return sum(n for n, _ in both) / before - 1 if before else None


def _penalised_months(raw: Raw, account: str, day: pd.Timestamp) -> int:
    agreements = [row.agree_no for row in raw.of("con_trade_agreement", "cons_no")[account]]
    settled = [row for no in agreements for row in raw.of("con_trade_settle", "agree_no").get(no, [])]
    newest = {(row.agree_no, row.trade_month): row for row in sorted(settled, key=lambda row: row.version)}
    closed = {month.strftime("%Y%m") for month in _closed(day)}
    return len({row.trade_month for row in newest.values() if row.penalty_yuan > 0} & closed)


# -- vetoes and grade


def _vetoes(raw: Raw, customer, bills: list, day: pd.Timestamp) -> list[str]:
    account = customer.cons_no
    found = []
    for case in raw.of("mkt_violation", "cons_no")[account]:
        code = "THEFT" if case.kind == "THEFT" else "VIOLATION"
        if _since("credit_vetoes", code, day) < case.found_on <= day:
            found.append(code)
    contracts = {row.contract_no for row in raw.of("con_contract", "cons_no")[account]}
    for row in [row for no in contracts for row in raw.of("con_amendment", "contract_no").get(no, [])]:
        if row.effective_on <= day and (pd.isna(row.signed_on) or row.signed_on > day):
            found.append("UNSIGNED_CHANGE")
    inspections = {i.insp_no: i for i in raw.of("mkt_inspection", "cons_no")[account]}
    since = _since("credit_vetoes", "INCIDENT", day)
    if any(i.kind == "INCIDENT" and since < i.done_on <= day for i in inspections.values()):
        found.append("INCIDENT")
    for hazard in [hazard for no in inspections for hazard in raw.of("mkt_hazard", "insp_no").get(no, [])]:
        if hazard.hazard_level == "MAJOR" and hazard.rectify_due < day:
            is_rectified = hazard.rectified_on <= day and hazard.recheck_result != "FAIL"
            if not is_rectified:
                found.append("MAJOR_HAZARD")
    owing = {
        bill.due_on
        for bill in bills
        if bill.issued_on <= day and bill.due_on < day and settlement(raw, bill, day).unpaid > 0
    }
    if any(due.year < day.year for due in owing):
        found.append("OLD_ARREARS")
    if len({(due.year, due.month) for due in owing if due.year == day.year}) >= risk("arrears_months", day):
        found.append("ARREARS")
    return [row.veto_code for row in rows_in_force("credit_vetoes", day) if row.veto_code in found]


def _grades(row: dict, vetoes: list[str], before: str | None, day: pd.Timestamp) -> dict:
    score = row["credit_score"]
    by_score = None if score is None else _band("GRADE", score, day)
    grade = by_score
    if row["is_new_customer"]:
        grade = "B"
    if grade == "A" and (row["overdue_cny"] > 0 or before == "C"):
        grade = "B"
    if vetoes:
        grade = "C"
    bucket = None if score is None else _band("PD", 0 if vetoes else score, day)
    return {"grade_by_score": by_score, "veto_codes": ",".join(vetoes), "grade": grade, "pd_bucket": bucket}


def _band(kind: str, score: float, day: pd.Timestamp) -> str:
    rows = [
        row for row in rows_in_force("credit_bands", day) if row.band_kind == kind and float(row.score_from) <= score
    ]
    return max(rows, key=lambda row: float(row.score_from)).band_code
