"""What the overview shows, read from the published marts alone: rows as they are there, and sums over them.

Everything is of one moment: the caller's transaction. Where a mart has no row, its part is empty and the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import psycopg
from psycopg.rows import dict_row

from include.report.text import Text

ACCOUNTS_SHOWN = 10
APPLICATIONS_SHOWN = 12
RULES_SHOWN = 5
CODES = ("churn_driver_1", "last_stage_code", "advice_code")  # columns that the page shows by their labels


@dataclass(frozen=True)
class Part:
    """One chart: `facts` are what its sentence says, `rows` what it draws; `partial_rows` of them lack what is withheld."""

    facts: dict = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)
    partial_rows: int = 0


@dataclass(frozen=True)
class Overview:
    """`business_date` is what the newest month knows; None where nothing is published."""

    business_date: date | None
    months: int
    first_month: date | None
    withheld_rows: int
    portfolio: Part
    risk: Part
    supply: Part
    connections: Part
    data: Part
    load: Part
    synthetic_sources: tuple[str, ...] = ()  # that say of what they delivered that it is made up
    is_synthetic: bool = False  # all of it


def read(conn: psycopg.Connection) -> Overview:
    (known, months, first, withheld) = conn.execute(
        "select max(business_date), count(*), min(published_month),"
        " coalesce((array_agg(withheld_rows order by published_month desc))[1], 0) from marts.publication"
    ).fetchone()
    parts = [read_part(conn) for read_part in (_portfolio, _risk, _supply, _connections, _data, _load)]
    rows = [
        row for part in parts for row in (part.facts, *part.facts.values(), *part.rows) if row and isinstance(row, dict)
    ]
    _name(conn, rows)
    _label(conn, rows)
    return Overview(known, months, first, withheld, *parts)


def _name(conn: psycopg.Connection, rows: list[dict]) -> None:
    """Puts the name of its account or organisation into each row; None where no dimension is published or none is known."""
    names: dict[tuple[str, str], str] = {}
    for column, relation, name in (
        ("account_no", "marts.dim_accounts", "account_name"),
        ("org_no", "marts.dim_organisations", "org_name"),
    ):
        if conn.execute("select to_regclass(%s)", (relation,)).fetchone()[0]:
            shown = list({row[column] for row in rows if row.get(column)})
            query = f"select {column}, {name} from {relation} where {column} = any (%s) and {name} <> {column}"
            names |= {(column, number): called for number, called in conn.execute(query, (shown,))}
    for row in rows:
        column = "account_no" if row.get("account_no") else "org_no"
        row["name"] = names.get((column, row.get(column)))


def _label(conn: psycopg.Connection, rows: list[dict]) -> None:
    """Puts beside each code what it means in both languages, as `<column>_label`; a code without a label means itself."""
    labels: dict[tuple[str, str], Text] = {}
    if conn.execute("select to_regclass('marts.dim_codes')").fetchone()[0]:
        query = "select column_name, code, name_en, name_zh from marts.dim_codes where column_name = any (%s)"
        labels = {(column, code): Text(en, zh) for column, code, en, zh in conn.execute(query, (list(CODES),))}
    for row in rows:
        for column in CODES:
            if column in row:
                code = row[column] or ""
                row[f"{column}_label"] = labels.get((column, code), Text(code, code))


def _rows(conn: psycopg.Connection, query: str, parameters=None) -> list[dict]:
    return conn.cursor(row_factory=dict_row).execute(query, parameters).fetchall()


def _portfolio(conn: psycopg.Connection) -> Part:
    """The accounts of the newest ranking month in order of revenue."""
    rows = _rows(
        conn,
        """
        select account_no, revenue_rank, revenue_12m_cny, cum_share, is_pareto, is_key_account, is_partial,
            entered_date = ranking_month as entered, left_date = ranking_month as has_left, ranking_month
        from marts.mart_key_account_ranking
        where ranking_month = (select max(ranking_month) from marts.mart_key_account_ranking)
        order by revenue_rank nulls last, account_no
        """,
    )
    ranked = [row for row in rows if row["revenue_rank"] is not None and row["cum_share"] is not None]
    if not ranked:
        return Part()
    first = [row for row in ranked if row["is_pareto"]]
    return Part(
        {
            "month": rows[0]["ranking_month"],
            "ranked": len(ranked),
            "first": len(first),
            "first_share": max((row["cum_share"] for row in first), default=Decimal(0)),
            "revenue_cny": sum(row["revenue_12m_cny"] or 0 for row in ranked),  # a partial row may have none
            "key_accounts": sum(bool(row["is_key_account"]) for row in rows),
            "entered": [row["account_no"] for row in rows if row["entered"]],
            "left": [row["account_no"] for row in rows if row["has_left"]],
        },
        ranked,
        sum(row["is_partial"] for row in rows),
    )


def _risk(conn: psycopg.Connection) -> Part:
    """The key accounts with the highest churn scores of the newest month, those with more revenue first."""
    rows = _rows(
        conn,
        """
        select risk.account_no, risk.churn_score, risk.churn_driver_1, risk.days_to_end, risk.month_start_date,
            ranking.revenue_12m_cny, risk.is_partial or ranking.is_partial as is_partial
        from marts.mart_churn_risk as risk
        inner join marts.mart_key_account_ranking as ranking
            on risk.account_no = ranking.account_no and risk.month_start_date = ranking.ranking_month
        where
            risk.month_start_date = (select max(month_start_date) from marts.mart_churn_risk)
            and ranking.is_key_account
            and risk.churn_score > 0
            and ranking.revenue_12m_cny > 0
        order by risk.churn_score desc, ranking.revenue_12m_cny desc, risk.account_no
        limit %s
        """,
        [ACCOUNTS_SHOWN],
    )
    if not rows:
        return Part()
    facts = {
        "month": rows[0]["month_start_date"],
        "accounts": len(rows),
        "revenue_cny": sum(row["revenue_12m_cny"] for row in rows),
        "first": rows[0],
    }
    rows.sort(key=lambda row: (-row["revenue_12m_cny"], row["account_no"]))
    return Part(facts, rows, sum(row["is_partial"] for row in rows))


def _supply(conn: psycopg.Connection) -> Part:
    """Both rates of each organisation as both sides see them, each for the newest month that both sides know."""
    rates = _rows(
        conn,
        """
        with sides as (
            select
                customer.org_no, customer.month_start_date,
                customer.rs_pct as customer_rs, supply.rs_pct as supply_rs,
                customer.voltage_ok_pct as customer_voltage, supply.voltage_ok_pct as supply_voltage,
                customer.is_partial or supply.is_partial as is_partial
            from marts.mart_two_rates as customer
            inner join marts.mart_two_rates as supply
                on customer.entity_kind_code = supply.entity_kind_code and customer.entity_no = supply.entity_no
                and customer.month_start_date = supply.month_start_date
            where customer.entity_kind_code = 'ORGANISATION' and customer.side_code = 'CUSTOMER' and supply.side_code = 'SUPPLY'
        )

        select 'reliability' as rate, org_no, month_start_date, customer_rs as customer, supply_rs as supply, is_partial
        from sides
        where
            month_start_date = (
                select max(month_start_date) from sides where customer_rs is not null and supply_rs is not null
            )
        union all
        select 'voltage', org_no, month_start_date, customer_voltage, supply_voltage, is_partial
        from sides
        where
            month_start_date = (
                select max(month_start_date) from sides where customer_voltage is not null and supply_voltage is not null
            )
        order by 1, 2
        """,
    )
    rows = [row for row in rates if row["customer"] is not None and row["supply"] is not None]
    if not rows:
        return Part()
    gaps = _rows(
        conn,
        """
        select month_start_date as month, coalesce(sum(outages_only_meter), 0)::integer as only_meter,
            coalesce(sum(outages_only_supply), 0)::integer as only_supply, coalesce(sum(matched_outages), 0)::integer as matched
        from marts.mart_two_rates_gap
        where month_start_date = (select max(month_start_date) from marts.mart_two_rates_gap)
        group by month_start_date
        """,
    )
    reliability = [row for row in rows if row["rate"] == "reliability"]
    lowest = min(reliability, key=lambda row: (row["customer"], row["org_no"]), default=None)
    facts = {"lowest": lowest} | (gaps[0] if gaps else {})
    return Part(facts, rows, sum(row["is_partial"] for row in rows))


def _connections(conn: psycopg.Connection) -> Part:
    """Open applications, those that took the utility most time first."""
    rows = _rows(
        conn,
        """
        select application_no, account_no, last_stage_code, total_working_days, utility_working_days, customer_working_days,
            suspended_working_days, handover_working_days, sla_target_working_days, sla_met, is_partial
        from marts.mart_connection_funnel
        where status_code = 'OPEN'
        order by utility_working_days desc nulls last, application_no
        """,
    )
    if not rows:
        return Part()
    return Part(
        {
            "open": len(rows),
            "late": sum(row["sla_met"] is False for row in rows),
            "longest": max(rows, key=lambda row: (row["total_working_days"] or 0, row["application_no"])),
            "handover_days": sum(row["handover_working_days"] or 0 for row in rows),
        },
        rows[:APPLICATIONS_SHOWN],
        sum(row["is_partial"] for row in rows),
    )


def _data(conn: psycopg.Connection) -> Part:
    """Expected and measured 15-minute readings of the newest month by organisation, and the rules with most open findings."""
    rows = _rows(
        conn,
        """
        select coalesce(org_no, '') as org_no, month_start_date, sum(expected_slots)::bigint as expected,
            sum(estimated_slots)::bigint as estimated, sum(missing_slots)::bigint as missing,
            sum(outage_slots)::bigint as outage, sum(valid_slots)::bigint as valid,
            count(*) filter (where is_partial) as partial_rows
        from marts.mart_energy_structure
        where month_start_date = (select max(month_start_date) from marts.mart_energy_structure where expected_slots > 0)
        group by 1, 2
        order by 1
        """,
    )
    rules = _rows(
        conn,
        """
        select rule_id, sentence, owner_name, (open_findings - waived_findings) as findings, age_days
        from marts.fct_rule_results
        where open_findings > waived_findings
        order by findings desc, rule_id
        """,
    )
    if not rows:
        return Part()
    expected = sum(row["expected"] for row in rows)
    return Part(
        {
            "month": rows[0]["month_start_date"],
            "expected": expected,
            "arrived": expected - sum(row["estimated"] + row["missing"] for row in rows),
            "most_absent": max(1, *(row["estimated"] + row["missing"] for row in rows)),
            "findings": sum(rule["findings"] for rule in rules),
            "rules": len(rules),
            "shown_rules": rules[:RULES_SHOWN],
        },
        rows,
        sum(row["partial_rows"] for row in rows),
    )


def _load(conn: psycopg.Connection) -> Part:
    """The ordinary working day of the key account that differs most from the accounts that work alike, and its best advice."""
    rows = _rows(
        conn,
        """
        select load.account_no, load.month_start_date, load.cluster_accounts, load.anomaly_score, load.is_anomalous,
            load.is_partial, load.load_profile_24h::json as own, load.typical_profile_24h::json as typical,
            advice.advice_code, advice.saving_cny, advice.month_start_date as advice_month
        from marts.mart_load_cluster as load
        inner join marts.mart_key_account_ranking as ranking
            on load.account_no = ranking.account_no and load.month_start_date = ranking.ranking_month
        left join marts.mart_saving_advice as advice
            on load.account_no = advice.account_no and load.month_start_date = advice.month_start_date and advice.advice_rank = 1
        where
            load.month_start_date = (select max(month_start_date) from marts.mart_load_cluster where cluster_no is not null)
            and ranking.is_key_account
            and load.load_profile_24h is not null
            and load.typical_profile_24h is not null
        order by load.anomaly_score desc nulls last, load.account_no
        limit 1
        """,
    )
    if not rows or None in (*rows[0]["own"], *rows[0]["typical"]):
        return Part()
    (row,) = rows
    hours = [
        {"hour": h, "own": own, "typical": typical}
        for h, (own, typical) in enumerate(zip(row["own"], row["typical"], strict=True))
    ]
    peak = max(hours, key=lambda hour: hour["own"])
    facts = {name: value for name, value in row.items() if name not in ("own", "typical")}
    return Part(facts | {"peak": peak}, hours, int(row["is_partial"]))
