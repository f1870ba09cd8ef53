with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

reliability as (
    select * from {{ ref('fct_reliability_monthly') }}
),

voltage as (
    select * from {{ ref('fct_voltage_monthly') }}
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_expected and account_no is not null
),

slots_by_account as (
    select
        account_no,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        sum(expected_slots) as expected_slots,
        sum(valid_slots) as valid_slots
    from energy_days
    group by account_no, date_trunc('month', reading_date::timestamp)::date
),

coverage as (
    select
        'ACCOUNT' as entity_kind_code,
        account_no as entity_no,
        'CUSTOMER' as side_code,
        month_start_date,
        (valid_slots * 100)::numeric / nullif(expected_slots, 0) as coverage_pct
    from slots_by_account
    union all
    select
        'ORGANISATION' as entity_kind_code,
        accounts.org_no as entity_no,
        'CUSTOMER' as side_code,
        slots_by_account.month_start_date,
        (sum(slots_by_account.valid_slots) * 100)::numeric / nullif(sum(slots_by_account.expected_slots), 0) as coverage_pct
    from slots_by_account
    inner join accounts on slots_by_account.account_no = accounts.account_no
    group by accounts.org_no, slots_by_account.month_start_date
),

final as (
    select
        entity_kind_code,
        entity_no,
        months.month_start_date,
        side_code,
        case when entity_kind_code = 'ACCOUNT' then entity_no end as account_no,
        case when entity_kind_code = 'ACCOUNT' then accounts.org_no else entity_no end as org_no,
        voltage.voltage_ok_pct,
        voltage.monitored_minutes as voltage_monitored_minutes,
        voltage.over_minutes as voltage_over_minutes,
        voltage.under_minutes as voltage_under_minutes,
        voltage.valid_slots as valid_points,
        voltage.outage_slots as outage_points,
        voltage.missing_slots as missing_points,
        coverage.coverage_pct::numeric(9, 6) as coverage_pct,
        {{ reliability_pct('reliability.customer_minutes', 'reliability.customers', 'reliability.period_hours') }}
            ::numeric(12, 8) as rs_pct,
        (reliability.customer_minutes::numeric / nullif(reliability.customers, 0))::numeric(18, 6) as saidi_min,
        (reliability.customer_interruptions::numeric / nullif(reliability.customers, 0))::numeric(14, 8) as saifi,
        reliability.interruptions,
        reliability.customer_interruptions,
        reliability.customer_minutes::numeric(20, 6) as customer_minutes,
        reliability.customers as nt,
        reliability.nt_basis,
        reliability.period_hours,
        {{ parameter('reliability_parameters', 'sustained_minutes') }}::numeric(8, 2) as sustained_minutes
    from reliability
    full outer join voltage using (entity_kind_code, entity_no, side_code, month_start_date)
    inner join months using (month_start_date)
    left join coverage using (entity_kind_code, entity_no, side_code, month_start_date)
    left join accounts on entity_kind_code = 'ACCOUNT' and entity_no = accounts.account_no
)

select * from final
