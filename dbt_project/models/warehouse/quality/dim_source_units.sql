with access_units as (
    select * from {{ ref('stg_marketing__access_units') }}
),

final as (
    select distinct on (unit_no)
        unit_no,
        org_no,
        lower(source_code) as source_name,
        access_mode_code,
        qualified_date,
        expected_freq_hours::integer as expected_freq_hours,
        submitter_no,
        checker_no,
        coalesce(submitter_no <> checker_no, false) as has_two_persons
    from access_units
    order by unit_no, _raw_id desc
)

select * from final
