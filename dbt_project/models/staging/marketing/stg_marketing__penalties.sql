with source as (
    {{ newest_landed('marketing', 'mkt_penalty') }}
),

renamed as (
    select
        -- ids
        trim(bill_no) as bill_no,

        -- codes and texts
        waive_reason,

        -- booleans
        waived as is_waived,

        -- numerics
        late_days,
        penalty_rate,
        penalty_yuan as penalty_cny,

        -- dates
        from_date,
        to_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
