with hazards as (
    select * from {{ ref('stg_marketing__hazards') }}
),

-- What failed its recheck is there as before.
final as (
    select distinct on (hazard_no)
        hazard_no,
        inspection_no,
        hazard_level_code,
        hazard_text,
        is_reported_to_authority,
        rectification_due_date,
        rectified_date,
        recheck_result_code,
        case when coalesce(recheck_result_code, '') <> 'FAIL' then rectified_date end as removed_date
    from hazards
    order by hazard_no, _raw_id desc
)

select * from final
