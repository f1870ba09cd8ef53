with scores as (
    select * from {{ ref('int_churn_scores') }}
),

factors as (
    select * from {{ ref('int_churn_factors') }}
),

trade as (
    select * from {{ ref('int_trade_monthly') }}
),

measures as (
    select
        account_no,
        month_start_date,
        max(factor_value) filter (where factor_code = 'ENERGY_YOY') as energy_yoy,
        max(factor_value) filter (where factor_code = 'SELF_GENERATION') as self_generation_share,
        max(factor_value) filter (where factor_code = 'COMPLAINTS') as complaints_12m,
        max(factor_value) filter (where factor_code = 'OUTAGES') as outages_12m,
        max(factor_value) filter (where factor_code = 'LATE_PAYMENTS') as late_payments_12m,
        max(factor_value) filter (where factor_code = 'CAPACITY_REDUCTIONS') as capacity_reductions_12m,
        max(factor_value) filter (where factor_code = 'MANAGER_CHANGES') as manager_changes_12m,
        max(factor_value) filter (where factor_code = 'VOLTAGE') as voltage_ok_pct,
        max(factor_value) filter (where factor_code = 'SATISFACTION_DROP') as satisfaction_drop
    from factors
    group by account_no, month_start_date
),

measured as (
    select
        scores.account_no,
        scores.month_start_date,
        trade.trade_mode_code,
        trade.counterparty_name,
        trade.agreement_end_date,
        trade.days_to_end,
        measures.energy_yoy::numeric(14, 6) as energy_yoy,
        trade.price_spread_cny_per_mwh,
        measures.self_generation_share::numeric(10, 6) as self_generation_share,
        measures.complaints_12m::integer as complaints_12m,
        measures.outages_12m::integer as outages_12m,
        measures.late_payments_12m::integer as late_payments_12m,
        measures.capacity_reductions_12m::integer as capacity_reductions_12m,
        measures.manager_changes_12m::integer as manager_changes_12m,
        measures.voltage_ok_pct::numeric(10, 6) as voltage_ok_pct,
        measures.satisfaction_drop::numeric(10, 6) as satisfaction_drop,
        case when coalesce(trade.trade_mode_code, 'AGENT') = 'AGENT' then scores.leaves_agency_score end as leaves_agency_score,
        case when coalesce(trade.trade_mode_code, 'AGENT') = 'AGENT' then scores.leaves_agency_drivers end as leaves_agency_drivers,
        scores.leaves_grid_score,
        scores.leaves_grid_drivers,
        case when trade.trade_mode_code <> 'AGENT' and not trade.has_successor then trade.days_to_end end as returns_in_days,
        case when trade.trade_mode_code <> 'AGENT' then scores.returns_score end as returns_score,
        case when trade.trade_mode_code <> 'AGENT' then scores.returns_drivers end as returns_drivers,
        scores.churn_score,
        scores.churn_driver_1,
        scores.churn_driver_1_points,
        scores.churn_driver_2,
        scores.churn_driver_2_points,
        scores.churn_driver_3,
        scores.churn_driver_3_points
    from scores
    inner join measures
        on scores.account_no = measures.account_no and scores.month_start_date = measures.month_start_date
    left join trade on scores.account_no = trade.account_no and scores.month_start_date = trade.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
