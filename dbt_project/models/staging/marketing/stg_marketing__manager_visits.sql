with source as (
    {{ newest_landed('marketing', 'mkt_manager_visit') }}
),

renamed as (
    select
        -- ids
        trim(visit_no) as visit_no,
        trim(cons_no) as account_no,
        trim(manager_no) as manager_no,
        trim(case_no) as case_no,

        -- codes and texts
        touch_type as touch_type_code,
        case_kind as case_kind_code,
        summary as summary_text,

        -- numerics
        work_min as work_minutes,

        -- timestamps
        visited_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
