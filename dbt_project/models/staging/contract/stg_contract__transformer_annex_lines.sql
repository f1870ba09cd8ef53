with source as (
    {{ newest_landed('contract', 'con_transformer_annex') }}
),

renamed as (
    select
        -- ids
        trim(contract_no) as contract_no,
        version,
        seq as line_no,

        -- codes and texts
        model,
        primary_backup as duty_code,

        -- numerics
        cap_kva as capacity_kva,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
