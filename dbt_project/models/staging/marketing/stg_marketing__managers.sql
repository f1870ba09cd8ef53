with source as (
    {{ newest_landed('marketing', 'mkt_manager') }}
),

renamed as (
    select
        -- ids
        trim(manager_no) as manager_no,
        trim(org_no) as org_no,

        -- codes and texts
        manager_name,
        status as status_code,
        cert_level as certificate_level,

        -- numerics
        training_hours_12m,

        -- dates
        posted_on as posted_date,
        left_on as left_date,
        certified_on as certified_date,
        cert_valid_to + 1 as certificate_valid_to,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
