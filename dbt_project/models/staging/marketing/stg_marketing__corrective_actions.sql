with source as (
    {{ newest_landed('marketing', 'mkt_corrective_action') }}
),

renamed as (
    select
        -- ids
        trim(action_no) as action_no,
        trim(case_no) as case_no,

        -- codes and texts
        case_kind as case_kind_code,
        nonconformity_code,

        -- dates
        found_on as found_date,
        closed_on as closed_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
