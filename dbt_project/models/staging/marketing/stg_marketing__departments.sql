with source as (
    {{ newest_landed('marketing', 'mkt_department') }}
),

renamed as (
    select
        -- ids
        trim(dept_no) as dept_no,
        trim(org_no) as org_no,

        -- codes and texts
        dept_name,

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
