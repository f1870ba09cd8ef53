with source as (
    {{ newest_landed('contract', 'con_metering_annex') }}
),

renamed as (
    select
        -- ids
        trim(contract_no) as contract_no,
        version,
        seq as line_no,
        trim(mp_no) as metering_point_no,
        trim(meter_asset_no) as meter_asset_no,

        -- codes and texts
        accuracy as accuracy_code,

        -- numerics
        ct_ratio,
        pt_ratio,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
