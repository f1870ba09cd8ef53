with source as (
    {{ newest_landed('contract', 'con_amendment') }}
),

renamed as (
    select
        -- ids
        trim(amend_no) as amendment_no,
        trim(contract_no) as contract_no,
        version,
        trim(app_no) as application_no,

        -- codes and texts
        field_name,
        old_value,
        new_value,

        -- dates
        effective_on as effective_date,
        signed_on as signed_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
