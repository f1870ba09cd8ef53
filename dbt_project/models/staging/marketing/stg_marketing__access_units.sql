with source as (
    {{ newest_landed('marketing', 'mkt_access_list') }}
),

renamed as (
    select
        -- ids
        trim(unit_no) as unit_no,
        trim(org_no) as org_no,
        trim(submitter) as submitter_no,
        trim(checker) as checker_no,

        -- codes and texts
        source as source_code,
        access_mode as access_mode_code,

        -- numerics
        expected_freq_hours,

        -- dates
        qualified_on as qualified_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
