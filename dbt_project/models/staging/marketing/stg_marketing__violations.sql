with source as (
    {{ newest_landed('marketing', 'mkt_violation') }}
),

renamed as (
    select
        -- ids
        trim(violation_no) as violation_no,
        trim(cons_no) as account_no,

        -- codes and texts
        kind as kind_code,

        -- numerics
        recover_kwh as recovered_kwh,
        recover_yuan as recover_cny,
        penalty_yuan as penalty_cny,

        -- dates
        found_on as found_date,
        settled_on as settled_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
