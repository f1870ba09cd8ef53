{{ config(
    indexes=[
        {'columns': ['_raw_id']},
        {'columns': ['_load_id']},
        {'columns': ['meter_asset_no', 'reading_date']},
        {'columns': ['reading_date']}
    ],
    meta={'changed_days': ['reading_date', next_reading_date('changed')]}
) }}

with source as (
    {{ newest_landed('metering', 'met_register_freeze') }}
),

renamed as (
    select
        -- ids
        trim(meter_asset_no) as meter_asset_no,
        version,
        batch_id,

        -- codes and texts
        freeze_kind as freeze_kind_code,
        energy_kind as energy_kind_code,
        dir as direction_code,
        rate as rate_code,
        collect_way as collect_way_code,

        -- numerics
        reading as register_reading_kwh,
        max_demand_kw,

        -- dates
        (freeze_ts at time zone 'Asia/Shanghai' - interval '1 microsecond')::date as reading_date,  -- 00:00 of D closes D-1

        -- timestamps
        freeze_ts as frozen_at,
        max_demand_ts as max_demand_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
