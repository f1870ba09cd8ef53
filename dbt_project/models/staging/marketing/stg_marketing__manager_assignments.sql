with source as (
    {{ newest_landed('marketing', 'mkt_manager_assign') }}
),

renamed as (
    select
        -- ids
        trim(cons_no) as account_no,
        trim(manager_no) as manager_no,

        -- codes and texts
        assign_role as assign_role_code,

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
