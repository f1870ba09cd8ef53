{{ config(meta={'changed_days': ["(started_at at time zone 'Asia/Shanghai')::date", "(started_at at time zone 'Asia/Shanghai')::date"]}) }}

with source as (
    {{ newest_landed('metering', 'met_event_alarm') }}
),

renamed as (
    select
        -- ids
        alarm_id,
        trim(mp_no) as metering_point_no,
        trim(meter_asset_no) as meter_asset_no,
        trim(terminal_no) as terminal_no,

        -- codes and texts
        event_code,

        -- numerics
        reading_at_start,
        reading_at_end,

        -- timestamps
        start_ts as started_at,
        end_ts as ended_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
