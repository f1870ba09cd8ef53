with monitor_months as (
    select * from {{ ref('stg_metering__supply_voltage_months') }}
),

final as (
    select distinct on (monitor_no, data_month)
        monitor_no,
        data_month as month_start_date,
        monitor_class_code,
        feeder_no,
        org_no,
        monitored_minutes,
        over_minutes,
        under_minutes
    from monitor_months
    where data_month is not null
    order by monitor_no, data_month, received_at desc nulls last, _raw_id desc
)

select * from final
