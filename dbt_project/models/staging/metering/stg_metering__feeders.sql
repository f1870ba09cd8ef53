with source as (
    {{ newest_landed('metering', 'met_feeder') }}
),

renamed as (
    select
        -- ids
        trim(feeder_no) as feeder_no,
        trim(org_no) as org_no,

        -- codes and texts
        substation,
        voltage_level as voltage_level_code,

        -- numerics
        customers_connected,
        kva_connected as connected_kva,

        -- dates
        valid_from,
        valid_to + 1 as valid_to,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
