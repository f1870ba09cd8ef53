with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

reliability as (
    select * from {{ ref('int_reliability_monthly') }}
    where entity_kind_code = 'ACCOUNT' and standard_code = 'IEEE 1366'
),

yearly as (
    select * from {{ ref('int_interruptions_yearly') }}
),

voltage as (
    select * from {{ ref('int_voltage_monthly') }}
    where entity_kind_code = 'ACCOUNT' and side_code = 'CUSTOMER'
),

days_with_dips as (
    select * from {{ ref('fct_power_quality_daily') }}
    where dip_events > 0
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where is_counted_in_account and account_no is not null
),

account_months as (
    select
        accounts.account_no,
        accounts.org_no,
        months.*,
        (months.month_start_date + interval '1 month')::date <= {{ business_date() }} as has_next_month
    from accounts
    inner join months
        on
            accounts.open_date <= months.report_date
            and (accounts.close_date is null or months.month_start_date <= accounts.close_date)
),

complaints as (
    select
        account_no,
        date_trunc('month', accepted_date::timestamp)::date as month_start_date,
        (count(*) filter (where ticket_type_code = 'COMPLAINT' and ticket_subtype_code = 'OUTAGE'))::integer
            as outage_complaints,
        (count(*) filter (where ticket_type_code = 'COMPLAINT' and ticket_subtype_code = 'POWER_QUALITY'))::integer
            as quality_complaints,
        (count(*) filter (where ticket_type_code = 'FAULT' and ticket_subtype_code in ('OUTAGE', 'POWER_QUALITY')))::integer
            as fault_reports
    from tickets
    where account_no is not null
    group by account_no, date_trunc('month', accepted_date::timestamp)::date
),

dips as (
    select
        metering_points.account_no,
        date_trunc('month', days_with_dips.reading_date::timestamp)::date as month_start_date,
        sum(days_with_dips.dip_events)::integer as dip_events
    from days_with_dips
    inner join metering_points
        on
            days_with_dips.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'days_with_dips.reading_date') }}
    group by metering_points.account_no, date_trunc('month', days_with_dips.reading_date::timestamp)::date
),

interruptions as (
    select
        reliability.entity_no as account_no,
        reliability.month_start_date,
        max(reliability.customer_interruptions) filter (where reliability.side_code = 'SUPPLY') as supply_interruptions,
        max(reliability.customer_minutes) filter (where reliability.side_code = 'SUPPLY') as supply_minutes,
        max(reliability.customer_interruptions) filter (where reliability.side_code = 'CUSTOMER') as meter_interruptions,
        max(reliability.customer_minutes) filter (where reliability.side_code = 'CUSTOMER') as meter_minutes,
        bool_or(yearly.is_often_interrupted) as is_often_interrupted,
        max(yearly.interruptions_12m) as interruptions_12m
    from reliability
    left join yearly
        on
            reliability.entity_no = yearly.account_no
            and reliability.side_code = yearly.side_code
            and reliability.month_start_date = yearly.month_start_date
    group by reliability.entity_no, reliability.month_start_date
),

-- A complaint may come some time after what it is about: the next month is told beside this one.
measured as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.org_no,
        coalesce(complaints.outage_complaints, 0) as outage_complaints,
        coalesce(complaints.quality_complaints, 0) as quality_complaints,
        case when account_months.has_next_month then coalesce(next_complaints.outage_complaints, 0) end
            as outage_complaints_next_month,
        case when account_months.has_next_month then coalesce(next_complaints.quality_complaints, 0) end
            as quality_complaints_next_month,
        coalesce(complaints.fault_reports, 0) as fault_reports,
        interruptions.supply_interruptions,
        interruptions.supply_minutes::numeric(18, 6) as supply_minutes,
        interruptions.meter_interruptions,
        interruptions.meter_minutes::numeric(18, 6) as meter_minutes,
        interruptions.interruptions_12m,
        interruptions.is_often_interrupted as cemi_flag,
        case when account_months.has_collection then coalesce(dips.dip_events, 0) end as dip_events,
        voltage.over_minutes + voltage.under_minutes as voltage_out_of_band_minutes,
        voltage.voltage_ok_pct,
        coalesce(interruptions.supply_interruptions, 0) > 0
        or coalesce(interruptions.meter_interruptions, 0) > 0
        or coalesce(interruptions.is_often_interrupted, false)
        or coalesce(dips.dip_events, 0) > 0
        or coalesce(voltage.over_minutes + voltage.under_minutes, 0) > 0 as has_quality_cause
    from account_months
    left join complaints
        on
            account_months.account_no = complaints.account_no
            and account_months.month_start_date = complaints.month_start_date
    left join complaints as next_complaints
        on
            account_months.account_no = next_complaints.account_no
            and account_months.next_month_start_date = next_complaints.month_start_date
    left join interruptions
        on
            account_months.account_no = interruptions.account_no
            and account_months.month_start_date = interruptions.month_start_date
    left join dips
        on
            account_months.account_no = dips.account_no
            and account_months.month_start_date = dips.month_start_date
    left join voltage
        on
            account_months.account_no = voltage.entity_no
            and account_months.month_start_date = voltage.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
