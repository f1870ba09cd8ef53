"""Stand-ins for the rules on ranking, reliability and slots."""

GOOD = [
    """create table candidate.mart_key_account_ranking as
    select account_no, date '2026-11-01' as ranking_month, sum(total_charge_cny) as revenue_12m_cny,
        case when row_number() over (order by account_no desc) = 1 then 1.0 else 0.5 end as cum_share,
        '{}'::text[] as partial_measures
    from staging.stg_marketing__bills where bill_month between date '2025-11-01' and date '2026-10-01' group by account_no""",
    """create table candidate.mart_energy_structure as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    400 as valid_slots, 0 as estimated_slots, 60 as missing_slots, 20 as outage_slots, 5 as metering_point_days""",
    """create table candidate.mart_two_rates as select 'ACCOUNT'::text as entity_kind_code, 'A'::text as entity_no,
    date '2026-11-01' as month_start_date, 'SUPPLY'::text as side_code, 99.98362::numeric as rs_pct""",
    """create table candidate.mart_two_rates_gap as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    99.9::numeric as customer_rs_pct, 100::numeric as supply_rs_pct""",
]
RULES = ("MART-07", "MART-08", "MART-09", "MART-10")
