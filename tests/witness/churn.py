"""Who may leave the agency purchase, take less from the grid, or return: the points of experts (formulas 3.9, S04, F1)."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from tests.witness import outages, two_rates
from tests.witness.credit import bills_of, energy_yoy, risk
from tests.witness.payment import settlement
from tests.witness.raw import Raw, parameter, rows_in_force
from tests.witness.tariff import valid_on

MART = "mart_churn_risk"
KEYS = ["account_no", "month_start_date"]
LEFT_OUT = {
    "counterparty_name": "a name",
    "self_generation_share": "rests on the curves of generation, which have a scenario of their own",
}
DECIMALS = (
    dict.fromkeys(("energy_yoy", "voltage_ok_pct", "satisfaction_drop"), 6)
    | {"price_spread_cny_per_mwh": 4, "days_to_end": 0, "returns_in_days": 0}
    | dict.fromkeys(("complaints_12m", "outages_12m", "late_payments_12m", "capacity_reductions_12m"), 0)
    | {"manager_changes_12m": 0}
    | dict.fromkeys(("leaves_agency_score", "leaves_grid_score", "returns_score", "churn_score"), 2)
    | {f"churn_driver_{n}_points": 2 for n in (1, 2, 3)}
)


def witness(raw: Raw) -> pd.DataFrame:
    bills = bills_of(raw)
    rows = []
    for customer in raw["mkt_customer"].itertuples():
        for month in raw.months:
            day = raw.report_day(month)
            if customer.open_date > day or (not pd.isna(customer.close_date) and customer.close_date <= day):
                continue
            account = customer.cons_no
            row = {"account_no": account, "month_start_date": month} | _trade(raw, account, day)
            row |= {
                "energy_yoy": energy_yoy(raw, account, day),
                "complaints_12m": _complaints(raw, account, day),
                "outages_12m": _outages(raw, account, day),
                "late_payments_12m": _late(raw, bills.get(account, []), day),
                "capacity_reductions_12m": _reductions(raw, account, day),
                "manager_changes_12m": _manager_changes(raw, account, day),
                "voltage_ok_pct": two_rates.voltage(raw, [account], "CUSTOMER", month)["voltage_ok_pct"],
                "satisfaction_drop": _satisfaction_drop(raw, account, day),
            }
            rows.append(row | _scores(raw, row, month, day))
    return pd.DataFrame(rows).replace({np.nan: None}).infer_objects()


def _window(day: pd.Timestamp) -> pd.Timestamp:
    """First day of the twelve months to a day, which the measures named 12m look back on."""
    return day - pd.DateOffset(months=risk("look_back_months", day)) + pd.Timedelta(days=1)


def _days(at: pd.Series | pd.Timestamp) -> pd.Timestamp:
    return at.tz_localize(None).normalize()


# -- trade


def _trade(raw: Raw, account: str, day: pd.Timestamp) -> dict:
    """The agreement in force that began last; what runs on or follows at once is its successor."""
    agreements = raw.of("con_trade_agreement", "cons_no")[account]
    now = max((a for a in agreements if valid_on(a, day)), key=lambda a: (a.valid_from, a.agree_no), default=None)
    prices = {row.price_code: float(row.price_cny_per_mwh) for row in rows_in_force("market_prices", day)}
    row = {"trade_mode_code": None, "agreement_end_date": None, "days_to_end": None, "returns_in_days": None}
    row["price_spread_cny_per_mwh"] = prices["AGENT"] - prices["MARKET"]
    if now is None:
        return row
    row["trade_mode_code"] = now.trade_mode
    if now.trade_mode != "AGENT" and now.price_kind == "FIXED":
        row["price_spread_cny_per_mwh"] = prices["AGENT"] - now.price_yuan_mwh
    if (
        now.trade_mode != "AGENT" and now.price_kind == "SPREAD"
    ):  # the agreement states what is added to the price of the grid company
        row["price_spread_cny_per_mwh"] = -now.price_yuan_mwh
    if not pd.isna(now.valid_to):
        ends = now.valid_to
        row |= {"agreement_end_date": ends, "days_to_end": (ends - day).days}
        after = ends + pd.Timedelta(days=1)
        has_successor = any(a.trade_mode != "AGENT" and a is not now and valid_on(a, after) for a in agreements)
        if now.trade_mode != "AGENT" and not has_successor:
            row["returns_in_days"] = row["days_to_end"]
    return row


# -- what makes customers discontent, and what they do


def _complaints(raw: Raw, account: str, day: pd.Timestamp) -> int:
    tickets = raw.of("mkt_ticket", "cons_no")[account]
    return sum(t.ticket_type == "COMPLAINT" and _window(day) <= _days(t.accepted_at) <= day for t in tickets)


def _outages(raw: Raw, account: str, day: pd.Timestamp) -> int:
    """A reclosing sequence, all within five minutes, is one interruption."""
    within = pd.Timedelta(minutes=parameter("reliability_parameters", "momentary_sequence_minutes", day))
    count, last = 0, None
    for one in sorted(outages.by_meters(raw).get(account, []), key=lambda dark: dark.starts):
        if not _window(day) <= _days(one.starts) <= day:
            continue
        count += last is None or one.starts - last > within
        last = one.starts
    return count


def _late(raw: Raw, bills: list, day: pd.Timestamp) -> int:
    """Bills due in the twelve months and not paid in time."""
    late = 0
    for bill in bills:
        if bill.total_charge > 0 and bill.issued_on <= day and _window(day) <= bill.due_on < day:
            found = settlement(raw, bill, day)
            late += found.settled_on is None or found.settled_on > bill.due_on
    return late


def _reductions(raw: Raw, account: str, day: pd.Timestamp) -> int:
    applications = raw.of("mkt_application", "cons_no").get(account, [])
    return sum(
        a.app_type in ("SUSPEND", "DECREASE") and _window(day) <= _days(a.accepted_at) <= day for a in applications
    )


def _manager_changes(raw: Raw, account: str, day: pd.Timestamp) -> int:
    primary = [a for a in raw.of("mkt_manager_assign", "cons_no")[account] if a.assign_role == "PRIMARY"]
    first = min((a.valid_from for a in primary), default=None)
    return sum(a.valid_from != first and _window(day) <= a.valid_from <= day for a in primary)


def _satisfaction_drop(raw: Raw, account: str, day: pd.Timestamp) -> float | None:
    """Mean of the months before less mean of the newest, each score as a share of its scale from its lowest, 1."""
    months = risk("satisfaction_months", day)
    middle, first = (day - pd.DateOffset(months=n) + pd.Timedelta(days=1) for n in (months, 2 * months))
    answers = [
        (_days(a.answered_at), (a.score - 1) / (a.score_scale - 1))
        for a in raw.of("mkt_survey", "cons_no").get(account, [])
    ]
    newest = [share for at, share in answers if middle <= at <= day]
    before = [share for at, share in answers if first <= at < middle]
    return np.mean(before) - np.mean(newest) if newest and before else None


# -- points


FACTORS = {
    "DAYS_TO_END": "days_to_end",
    "PRICE_SPREAD": "price_spread_cny_per_mwh",
    "ENERGY_YOY": "energy_yoy",
    "CAPACITY_REDUCTIONS": "capacity_reductions_12m",
    "COMPLAINTS": "complaints_12m",
    "OUTAGES": "outages_12m",
    "VOLTAGE": "voltage_ok_pct",
    "LATE_PAYMENTS": "late_payments_12m",
    "MANAGER_CHANGES": "manager_changes_12m",
    "SATISFACTION_DROP": "satisfaction_drop",
}


def _scores(raw: Raw, row: dict, month: pd.Timestamp, day: pd.Timestamp) -> dict:
    is_agency = row["trade_mode_code"] in (None, "AGENT")
    values = {code: row[column] for code, column in FACTORS.items()}
    values["SELF_GENERATION"] = _published_self_generation(raw).get((row["account_no"], month))
    if not is_agency:
        values |= _of_return(raw, row, month, day)
    points: dict[str, dict[str, float]] = {"AGENCY": {}, "GRID": {}, "RETURN": {}}
    for rule in rows_in_force("churn_points", day):
        value = values.get(rule.factor_code)
        if value is None or pd.isna(value) or (rule.question_code == "AGENCY" and not is_agency):
            continue
        if float(rule.value_from or "-inf") <= value < float(rule.value_below or "inf"):
            points[rule.question_code][rule.factor_code] = float(rule.points)
    agency, grid = sum(points["AGENCY"].values()), sum(points["GRID"].values())
    drivers = _ordered(points["AGENCY"] | points["GRID"])
    found = {
        "leaves_agency_score": agency if is_agency else None,
        "leaves_agency_drivers": _words(points["AGENCY"]) if is_agency else None,
        "leaves_grid_score": grid,
        "leaves_grid_drivers": _words(points["GRID"]),
        "returns_score": None if is_agency else sum(points["RETURN"].values()),
        "returns_drivers": None if is_agency else _words(points["RETURN"]),
        "churn_score": agency + grid,
    }
    for place in (1, 2, 3):
        code, score = drivers[place - 1] if place <= len(drivers) else (None, None)
        found |= {f"churn_driver_{place}": code, f"churn_driver_{place}_points": score}
    return found


def _of_return(raw: Raw, row: dict, month: pd.Timestamp, day: pd.Timestamp) -> dict:
    """What brings a customer of the market back: an end without a successor, charges for deviations, the agency's price."""
    first = month - pd.DateOffset(months=risk("look_back_months", day))
    settled = [
        s
        for agreement in raw.of("con_trade_agreement", "cons_no")[row["account_no"]]
        for s in raw.of("con_trade_settle", "agree_no").get(agreement.agree_no, [])
        if first <= pd.to_datetime(s.trade_month.strip(), format="%Y%m") < month
    ]
    (agency,) = [float(p.price_cny_per_mwh) for p in rows_in_force("market_prices", day) if p.price_code == "AGENT"]
    own = None if row["price_spread_cny_per_mwh"] is None else agency - row["price_spread_cny_per_mwh"]
    return {
        "RETURN_DAYS": row["returns_in_days"],
        "RETURN_PENALTIES": sum(s.penalty_yuan > 0 for s in settled),
        "RETURN_PRICE": None
        if own is None
        else own - float(parameter("risk_parameters", "return_price_factor", day)) * agency,
    }


@functools.cache
def _published_self_generation(raw: Raw) -> dict:
    """The one measure that is taken from the mart: its points are worked out from what is shown."""
    return raw.published(MART).set_index(KEYS).self_generation_share.dropna().to_dict()


def _ordered(points: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(points.items(), key=lambda item: (-item[1], item[0]))


def _words(points: dict[str, float]) -> str | None:
    return ", ".join(f"{code} {score:g}" for code, score in _ordered(points)[:3]) or None
