with source as (
    {{ newest_landed('metering', 'met_power_event') }}
),

renamed as (
    select
        -- ids
        event_id as power_event_id,
        trim(mp_no) as metering_point_no,
        trim(terminal_no) as terminal_no,

        -- codes and texts
        event as event_code,
        source as source_code,
        phases,

        -- booleans
        is_valid,

        -- timestamps
        event_ts as event_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
