with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

voltage_days as (
    select * from {{ ref('fct_voltage_daily') }}
    where is_counted_in_account and account_no is not null
),

monitor_months as (
    select * from {{ ref('int_supply_voltage_monthly') }}
),

by_account as (
    select
        voltage_days.account_no,
        months.month_start_date,
        sum(voltage_days.valid_slots) as valid_slots,
        sum(voltage_days.over_slots) as over_slots,
        sum(voltage_days.under_slots) as under_slots,
        sum(voltage_days.outage_slots) as outage_slots,
        sum(voltage_days.missing_slots) as missing_slots
    from voltage_days
    inner join months on {{ month_of('voltage_days.reading_date') }} = months.month_start_date
    group by voltage_days.account_no, months.month_start_date
),

customer_side as (
    select
        'ACCOUNT' as entity_kind_code,
        account_no as entity_no,
        month_start_date,
        valid_slots,
        over_slots,
        under_slots,
        outage_slots,
        missing_slots
    from by_account
    union all
    select
        'ORGANISATION' as entity_kind_code,
        accounts.org_no as entity_no,
        by_account.month_start_date,
        sum(by_account.valid_slots) as valid_slots,
        sum(by_account.over_slots) as over_slots,
        sum(by_account.under_slots) as under_slots,
        sum(by_account.outage_slots) as outage_slots,
        sum(by_account.missing_slots) as missing_slots
    from by_account
    inner join accounts on by_account.account_no = accounts.account_no
    group by accounts.org_no, by_account.month_start_date
),

-- On the supply side an account is seen by the monitors of its feeders.
monitors_by_account as (
    select distinct
        metering_points.account_no,
        monitor_months.monitor_no,
        monitor_months.month_start_date,
        monitor_months.monitored_minutes,
        monitor_months.over_minutes,
        monitor_months.under_minutes
    from monitor_months
    inner join months on monitor_months.month_start_date = months.month_start_date
    inner join metering_points
        on
            monitor_months.feeder_no = metering_points.feeder_no
            and {{ is_valid_on('metering_points', 'months.report_date') }}
    where metering_points.is_expected_to_report and metering_points.account_no is not null
),

supply_by_account as (
    select
        account_no,
        month_start_date,
        sum(monitored_minutes) as monitored_minutes,
        sum(over_minutes) as over_minutes,
        sum(under_minutes) as under_minutes
    from monitors_by_account
    group by account_no, month_start_date
),

-- V = weight x A + (1 - weight) x mean of B, C and D; where one side of the sum has no monitor, the other stands alone.
classes as (
    select
        monitor_months.org_no,
        monitor_months.month_start_date,
        months.report_date,
        monitor_months.monitor_class_code,
        sum(monitor_months.monitored_minutes) as monitored_minutes,
        sum(monitor_months.over_minutes) as over_minutes,
        sum(monitor_months.under_minutes) as under_minutes,
        {{ qualified_pct(
            'sum(monitor_months.monitored_minutes)',
            'sum(monitor_months.over_minutes) + sum(monitor_months.under_minutes)'
        ) }} as class_pct
    from monitor_months
    inner join months on monitor_months.month_start_date = months.month_start_date
    group by
        monitor_months.org_no,
        monitor_months.month_start_date,
        months.report_date,
        monitor_months.monitor_class_code
),

composites as (
    select
        org_no,
        month_start_date,
        {{ parameter('reliability_parameters', 'composite_weight_class_a', on='report_date') }} as class_a_weight,
        sum(monitored_minutes) as monitored_minutes,
        sum(over_minutes) as over_minutes,
        sum(under_minutes) as under_minutes,
        max(class_pct) filter (where monitor_class_code = 'A') as class_a_pct,
        max(class_pct) filter (where monitor_class_code = 'B') as class_b_pct,
        max(class_pct) filter (where monitor_class_code = 'C') as class_c_pct,
        max(class_pct) filter (where monitor_class_code = 'D') as class_d_pct,
        avg(class_pct) filter (where monitor_class_code in ('B', 'C', 'D')) as customers_pct
    from classes
    group by org_no, month_start_date, report_date
),

final as (
    select
        entity_kind_code,
        entity_no,
        'CUSTOMER' as side_code,
        month_start_date,
        {{ qualified_pct('valid_slots', 'over_slots + under_slots') }}::numeric(9, 6) as voltage_ok_pct,
        (15 * valid_slots)::integer as monitored_minutes,
        (15 * over_slots)::integer as over_minutes,
        (15 * under_slots)::integer as under_minutes,
        valid_slots::integer as valid_slots,
        outage_slots::integer as outage_slots,
        missing_slots::integer as missing_slots,
        null::numeric(9, 6) as class_a_pct,
        null::numeric(9, 6) as class_b_pct,
        null::numeric(9, 6) as class_c_pct,
        null::numeric(9, 6) as class_d_pct
    from customer_side
    union all
    select
        'ACCOUNT' as entity_kind_code,
        account_no as entity_no,
        'SUPPLY' as side_code,
        month_start_date,
        {{ qualified_pct('monitored_minutes', 'over_minutes + under_minutes') }}::numeric(9, 6) as voltage_ok_pct,
        monitored_minutes::integer,
        over_minutes::integer,
        under_minutes::integer,
        null::integer as valid_slots,
        null::integer as outage_slots,
        null::integer as missing_slots,
        null::numeric(9, 6) as class_a_pct,
        null::numeric(9, 6) as class_b_pct,
        null::numeric(9, 6) as class_c_pct,
        null::numeric(9, 6) as class_d_pct
    from supply_by_account
    union all
    select
        'ORGANISATION' as entity_kind_code,
        org_no as entity_no,
        'SUPPLY' as side_code,
        month_start_date,
        coalesce(
            class_a_weight * class_a_pct + (1 - class_a_weight) * customers_pct,
            class_a_pct,
            customers_pct
        )::numeric(9, 6) as voltage_ok_pct,
        monitored_minutes::integer,
        over_minutes::integer,
        under_minutes::integer,
        null::integer as valid_slots,
        null::integer as outage_slots,
        null::integer as missing_slots,
        class_a_pct::numeric(9, 6) as class_a_pct,
        class_b_pct::numeric(9, 6) as class_b_pct,
        class_c_pct::numeric(9, 6) as class_c_pct,
        class_d_pct::numeric(9, 6) as class_d_pct
    from composites
)

select * from final
