with source as (
    {{ newest_landed('metering', 'met_it') }}
),

renamed as (
    select
        -- ids
        trim(it_asset_no) as it_asset_no,
        trim(mp_no) as metering_point_no,

        -- codes and texts
        phase as phase_code,
        kind as kind_code,
        accuracy as accuracy_code,

        -- numerics
        ratio_primary,
        ratio_secondary,

        -- dates
        valid_from,
        valid_to + 1 as valid_to,
        verify_due as verification_due_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
