with source as (
    {{ newest_landed('marketing', 'mkt_hazard') }}
),

renamed as (
    select
        -- ids
        trim(hazard_no) as hazard_no,
        trim(insp_no) as inspection_no,

        -- codes and texts
        hazard_level as hazard_level_code,
        hazard_desc as hazard_text,
        recheck_result as recheck_result_code,

        -- booleans
        reported_to_gov as is_reported_to_authority,

        -- dates
        rectify_due as rectification_due_date,
        rectified_on as rectified_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
