{{ config(
    indexes=[
        {'columns': ['_raw_id']},
        {'columns': ['_load_id']},
        {'columns': ['metering_point_no', 'phase_code']},
        {'columns': ['reading_date']}
    ]
) }}

with source as (
    {{ newest_landed('metering', 'met_voltage_daily') }}
),

renamed as (
    select
        -- ids
        trim(mp_no) as metering_point_no,
        version,
        batch_id,

        -- codes and texts
        phase as phase_code,
        collect_way as collect_way_code,

        -- numerics
        u_max as voltage_max_v,
        u_min as voltage_min_v,
        u_avg as voltage_avg_v,
        monitored_min as monitored_minutes,
        over_min as over_minutes,
        under_min as under_minutes,
        ok_rate as qualification_rate_pct,
        limit_hi as limit_high_v,
        limit_lo as limit_low_v,

        -- dates
        data_date as reading_date,

        -- timestamps
        u_max_ts as voltage_max_at,
        u_min_ts as voltage_min_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
