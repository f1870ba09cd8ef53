with source as (
    {{ newest_landed('marketing', 'mkt_outage_affected') }}
),

renamed as (
    select
        -- ids
        trim(plan_no) as plan_no,
        trim(cons_no) as account_no,

        -- codes and texts
        exception_code,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
