with energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account and account_no is not null
),

point_months as (
    select
        account_no,
        metering_point_no,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        sum(consumption_kwh) as measured_kwh,
        sum(estimated_kwh) as estimated_kwh,
        count(*) * 96 as all_slots,
        sum(valid_slots) as valid_slots,
        sum(estimated_slots) as estimated_slots,
        sum(missing_slots) as missing_slots,
        sum(outage_slots) as outage_slots
    from energy_days
    group by account_no, metering_point_no, date_trunc('month', reading_date::timestamp)::date
),

account_months as (
    select
        account_no,
        month_start_date,
        (month_start_date + interval '1 month' - interval '1 day')::date as month_end_date,
        count(*) as metering_points,
        sum(measured_kwh) as measured_kwh,
        sum(estimated_kwh) as estimated_kwh,
        sum(all_slots) as all_slots,
        sum(valid_slots) as valid_slots,
        sum(estimated_slots) as estimated_slots,
        sum(missing_slots) as missing_slots,
        sum(outage_slots) as outage_slots,
        sum(estimated_slots)::numeric / sum(all_slots) as estimated_share,
        max(estimated_slots::numeric / all_slots) as highest_point_estimated_share
    from point_months
    group by account_no, month_start_date
),

final as (
    select
        account_no,
        month_start_date,
        metering_points::integer as metering_points,
        measured_kwh::numeric(20, 4) as measured_kwh,
        estimated_kwh::numeric(20, 4) as estimated_kwh,
        all_slots::integer as all_slots,
        valid_slots::integer as valid_slots,
        estimated_slots::integer as estimated_slots,
        missing_slots::integer as missing_slots,
        outage_slots::integer as outage_slots,
        estimated_share::numeric(10, 8) as estimated_share,
        highest_point_estimated_share::numeric(10, 8) as highest_point_estimated_share,
        highest_point_estimated_share
        > {{ parameter('estimation_parameters', 'estimated_share_max', on='month_end_date') }} as is_over_estimated
    from account_months
)

select * from final
