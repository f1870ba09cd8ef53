with plans as (
    select * from {{ ref('stg_marketing__outage_plans') }}
),

final as (
    select distinct on (plan_no)
        plan_no,
        plan_version,
        kind_code,
        status_code,
        feeder_no,
        transformer_area_no,
        planned_start_at,
        planned_end_at,
        actual_start_at,
        actual_end_at,
        (planned_start_at at time zone 'Asia/Shanghai')::date as planned_start_date,
        planned_start_at < {{ day_start_at(business_date() ~ ' + 1') }} as is_due
    from plans
    order by plan_no, _raw_id desc
)

select * from final
