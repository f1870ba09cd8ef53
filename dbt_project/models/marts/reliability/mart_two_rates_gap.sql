with months as (
    select * from {{ ref('dim_months') }}
    where has_collection
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

reliability as (
    select * from {{ ref('int_reliability_monthly') }}
    where entity_kind_code = 'ACCOUNT' and standard_code = 'DL/T 836'
),

voltage as (
    select * from {{ ref('int_voltage_monthly') }}
    where entity_kind_code = 'ACCOUNT'
),

matches as (
    select * from {{ ref('fct_outages_matched') }}
),

rates as (
    select
        entity_no as account_no,
        month_start_date,
        max({{ reliability_pct('customer_minutes', 'customers', 'period_hours') }}) filter (where side_code = 'CUSTOMER')
            as customer_rs_pct,
        max({{ reliability_pct('customer_minutes', 'customers', 'period_hours') }}) filter (where side_code = 'SUPPLY')
            as supply_rs_pct
    from reliability
    group by entity_no, month_start_date
),

voltages as (
    select
        entity_no as account_no,
        month_start_date,
        max(voltage_ok_pct) filter (where side_code = 'CUSTOMER') as customer_voltage_ok_pct,
        max(voltage_ok_pct) filter (where side_code = 'SUPPLY') as supply_voltage_ok_pct
    from voltage
    group by entity_no, month_start_date
),

outages as (
    select
        matches.account_no,
        months.month_start_date,
        count(*) filter (where matches.match_code = 'METER_ONLY') as outages_only_meter,
        count(*) filter (where matches.match_code = 'SUPPLY_ONLY') as outages_only_supply,
        count(*) filter (where matches.match_code = 'MATCHED') as matched_outages,
        sum(matches.duration_delta_minutes) as duration_delta_min
    from matches
    inner join months
        on months.collected_from_date <= matches.started_date and matches.started_date < months.known_until_date
    group by matches.account_no, months.month_start_date
),

-- A gap is the customer's side minus the supply side: negative where the customer sees worse than is recorded.
measured as (
    select
        account_no,
        month_start_date,
        accounts.org_no,
        rates.customer_rs_pct::numeric(12, 8) as customer_rs_pct,
        rates.supply_rs_pct::numeric(12, 8) as supply_rs_pct,
        (rates.customer_rs_pct - rates.supply_rs_pct)::numeric(12, 8) as rs_gap,
        voltages.customer_voltage_ok_pct,
        voltages.supply_voltage_ok_pct,
        (voltages.customer_voltage_ok_pct - voltages.supply_voltage_ok_pct)::numeric(9, 6) as voltage_gap,
        coalesce(outages.outages_only_meter, 0)::integer as outages_only_meter,
        coalesce(outages.outages_only_supply, 0)::integer as outages_only_supply,
        coalesce(outages.matched_outages, 0)::integer as matched_outages,
        outages.duration_delta_min::numeric(18, 6) as duration_delta_min
    from rates
    inner join months using (month_start_date)
    full outer join outages using (account_no, month_start_date)
    left join voltages using (account_no, month_start_date)
    left join accounts using (account_no)
),

final as ({{ partial_rows('measured') }})

select * from final
