with source as (
    {{ newest_landed('metering', 'met_supply_voltage') }}
),

renamed as (
    select
        -- ids
        trim(monitor_no) as monitor_no,
        trim(feeder_no) as feeder_no,
        trim(org_no) as org_no,

        -- codes and texts
        monitor_class as monitor_class_code,

        -- numerics
        monitored_min as monitored_minutes,
        over_min as over_minutes,
        under_min as under_minutes,

        -- dates
        {{ month_start('data_month') }} as data_month,

        -- timestamps
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
