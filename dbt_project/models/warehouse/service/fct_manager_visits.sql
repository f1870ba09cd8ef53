with visits as (
    select * from {{ ref('stg_marketing__manager_visits') }}
),

final as (
    select distinct on (visit_no)
        visit_no,
        account_no,
        manager_no,
        touch_type_code,
        case_kind_code,
        case_no,
        visited_at,
        (visited_at at time zone 'Asia/Shanghai')::date as visited_date,
        work_minutes
    from visits
    order by visit_no, _raw_id desc
)

select * from final
