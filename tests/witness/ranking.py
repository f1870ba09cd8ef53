"""Revenue, rank and key accounts, from bills, archives and tiers (requirements S01, S02; oracle O16)."""

from __future__ import annotations

import math

import pandas as pd

from tests.witness.raw import Raw, in_force, month_of, parameter
from tests.witness.tariff import contract_on

MART = "mart_key_account_ranking"
KEYS = ["account_no", "ranking_month"]
LEFT_OUT: dict[str, str] = {}
DECIMALS = {
    "revenue_12m_cny": 2,
    "gross_margin_12m_cny": 2,
    "energy_12m_kwh": 4,
    "revenue_rank": 0,
    "cum_share_before": 10,
    "cum_share": 10,
    "ranked_accounts": 0,
    "top20pct_share": 10,
    "contract_capacity_kva": 2,
    "running_capacity_kva": 2,
    "max_demand_kw": 4,
    "load_rate": 6,
}
PARAMETERS = "key_account_parameters"


def witness(raw: Raw) -> pd.DataFrame:
    bills = raw["mkt_bill"].assign(month=lambda b: month_of(b.bill_month))
    first = bills.month.min() + pd.DateOffset(months=12)  # the first month with twelve months of bills before it
    ranked = [_ranked(raw, bills, month) for month in pd.date_range(first, raw.month, freq="MS")]
    rows = pd.concat(ranked).sort_values(["account_no", "ranking_month"])
    rows = pd.concat(_entered_and_left(of_account) for _, of_account in rows.groupby("account_no"))
    return rows[rows.ranking_month.isin(raw.months)]


def _ranked(raw: Raw, bills: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """One ranking month: the twelve closed months before it."""
    year = bills[(bills.month >= month - pd.DateOffset(months=12)) & (bills.month < month)]
    accounts = raw["mkt_customer"].set_index("cons_no")
    sums = (
        year.groupby("cons_no")[["total_charge", "fund_charge", "kwh_total"]]
        .sum()
        .reindex(accounts.index, fill_value=0)
    )
    cost = float(
        in_force("market_prices", raw.report_day(month)).set_index("price_code").price_cny_per_mwh["PURCHASE_COST"]
    )
    rows = pd.DataFrame(
        {
            "account_no": accounts.index,
            "ranking_month": month,
            "revenue_12m_cny": sums.total_charge.to_numpy(),
            "energy_12m_kwh": sums.kwh_total.to_numpy(),
            "gross_margin_12m_cny": (sums.total_charge - sums.fund_charge - sums.kwh_total * cost / 1000).to_numpy(),
            "contract_capacity_kva": [
                _contract_capacity(raw, row, raw.report_day(month)) for row in accounts.itertuples()
            ],
            "running_capacity_kva": [
                running_capacity(raw, row, raw.report_day(month)) for row in accounts.itertuples()
            ],
        }
    )
    demand = _highest_demand(raw, year)
    rows["max_demand_kw"] = rows.account_no.map(demand.md_actual_kw)
    rows["load_rate"] = rows.max_demand_kw / (rows.running_capacity_kva * rows.account_no.map(demand.pf_actual))
    rows = _shares(rows, parameter(PARAMETERS, "top_customer_share", month))
    return _reasons(raw, rows, accounts, month)


def _highest_demand(raw: Raw, year: pd.DataFrame) -> pd.DataFrame:
    """Of two bills with the same demand the newer."""
    billed = year.dropna(subset=["md_actual_kw"]).sort_values(["md_actual_kw", "month"])
    return billed.groupby("cons_no")[["md_actual_kw", "pf_actual"]].last()


def _contract_capacity(raw: Raw, customer, day: pd.Timestamp) -> float:
    contract = contract_on(raw, customer.Index, day)
    return customer.contract_cap_kva if contract is None else contract.contract_cap_kva


def running_capacity(raw: Raw, customer, day: pd.Timestamp) -> float:
    """Transformers that ran on a day (correction F14); without one of its own what the archive says."""
    rows = raw.of("mkt_transformer", "cons_no").get(customer.Index, [])
    running = [
        r.cap_kva
        for r in rows
        if r.state == "RUN" and r.state_from <= day and (pd.isna(r.state_to) or day <= r.state_to)
    ]
    return sum(running) if rows else customer.running_cap_kva


def _shares(rows: pd.DataFrame, top_share: float) -> pd.DataFrame:
    """Descending by revenue, ties by account; zero or negative revenue has no rank and is in no denominator."""
    ranked = rows[rows.revenue_12m_cny > 0].sort_values(["revenue_12m_cny", "account_no"], ascending=[False, True])
    cumulated = ranked.revenue_12m_cny.cumsum()
    total = ranked.revenue_12m_cny.sum()
    rows["revenue_rank"] = pd.Series(range(1, len(ranked) + 1), index=ranked.index, dtype=float)
    rows["cum_share"] = cumulated / total
    rows["cum_share_before"] = (cumulated - ranked.revenue_12m_cny) / total
    rows["ranked_accounts"] = float(len(ranked))
    top = math.ceil(round(top_share * len(ranked), 9))
    rows["top20pct_share"] = ranked.revenue_12m_cny.head(top).sum() / total
    return rows


def _reasons(raw: Raw, rows: pd.DataFrame, accounts: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    day = raw.report_day(month)
    tiers = raw["mkt_service_tier"]
    strategic = tiers[
        (tiers.valid_from <= day)
        & (tiers.valid_to.isna() | (day <= tiers.valid_to))
        & (tiers.tier == parameter(PARAMETERS, "strategic_tier_code", month))
    ]
    important = parameter(PARAMETERS, "important_class_codes", month).split()
    rows["is_pareto"] = (rows.cum_share_before < parameter(PARAMETERS, "pareto_revenue_share", month)).fillna(False)
    rows["is_large_capacity"] = rows.contract_capacity_kva >= parameter(PARAMETERS, "capacity_threshold_kva", month)
    rows["is_important_user"] = rows.account_no.map(accounts.importance).isin(important)
    rows["is_strategic"] = rows.account_no.isin(strategic.cons_no)
    reasons = {
        "is_pareto": "PARETO",
        "is_large_capacity": "CAPACITY",
        "is_important_user": "IMPORTANT_USER",
        "is_strategic": "STRATEGIC",
    }
    rows["is_key_account"] = rows[list(reasons)].any(axis=1)
    rows["key_reason"] = [next((code for c, code in reasons.items() if row[c]), None) for _, row in rows.iterrows()]
    return rows


def _entered_and_left(rows: pd.DataFrame) -> pd.DataFrame:
    """Since when the account is a key account, or since when no longer, seen from its last month."""
    entered = left = None
    was = False
    seen = []
    for month, is_key in zip(rows.ranking_month, rows.is_key_account, strict=True):
        if is_key and not was:
            entered, left = month, None
        if was and not is_key:
            entered, left = None, month
        was = is_key
        seen.append((entered, left))
    return rows.assign(
        entered_date=pd.to_datetime([e for e, _ in seen]), left_date=pd.to_datetime([left for _, left in seen])
    )
