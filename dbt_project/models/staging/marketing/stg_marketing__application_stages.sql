with source as (
    {{ newest_landed('marketing', 'mkt_app_stage') }}
),

renamed as (
    select
        -- ids
        trim(app_no) as application_no,
        stage_seq,
        trim(dept_no) as dept_no,
        trim(handler_no) as handler_no,

        -- codes and texts
        stage as stage_code,
        clock_owner as clock_owner_code,
        result as result_text,
        return_to_stage as return_to_stage_code,

        -- numerics
        suspend_min as suspended_minutes,

        -- timestamps
        start_at as started_at,
        end_at as ended_at,
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
