{{ config(
    meta={'analyzed_columns': '_key, _raw_id, _load_id, metering_point_no, reading_date, quantity_code, phase_code, version'},
    indexes=[
        {'columns': ['_raw_id']},
        {'columns': ['_load_id']},
        {'columns': ['metering_point_no', 'reading_date']},
        {'columns': ['reading_date', 'quantity_code']}
    ]
) }}

with source as (
    {{ newest_landed('metering', 'met_interval_96') }}
),

renamed as (
    select
        -- ids
        trim(mp_no) as metering_point_no,
        version,
        batch_id,

        -- codes and texts
        data_type as quantity_code,
        phase as phase_code,
        point_flag as slot_flags,
        collect_way as collect_way_code,

        -- booleans
        is_primary,

        -- numerics
        v as values_by_slot,

        -- dates
        data_date as reading_date,

        -- timestamps
        recv_ts as received_at,

        -- where the row comes from
        _key,
        _raw_id,
        _load_id
    from source
)

select * from renamed
