with source as (
    {{ newest_landed('marketing', 'mkt_service_tier') }}
),

renamed as (
    select
        -- ids
        trim(cons_no) as account_no,
        trim(assessor_no) as assessor_no,

        -- codes and texts
        tier as tier_code,
        assess_reason,

        -- dates
        valid_from,
        valid_to + 1 as valid_to,
        assessed_on as assessed_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
