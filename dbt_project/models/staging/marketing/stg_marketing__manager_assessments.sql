with source as (
    {{ newest_landed('marketing', 'mkt_manager_assessment') }}
),

renamed as (
    select
        -- ids
        trim(manager_no) as manager_no,

        -- codes and texts
        period,
        dimension as dimension_code,

        -- numerics
        raw_score,
        weight,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
