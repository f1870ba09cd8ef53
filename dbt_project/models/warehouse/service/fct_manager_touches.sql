with visits as (
    select * from {{ ref('fct_manager_visits') }}
),

stages as (
    select * from {{ ref('fct_application_stages') }}
),

-- Of an application the touch belongs to the stage that had begun last.
staged as (
    select distinct on (visits.visit_no)
        visits.visit_no,
        stages.stage_seq,
        stages.stage_code
    from visits
    inner join stages on visits.case_no = stages.application_no and stages.started_at <= visits.visited_at
    where visits.case_kind_code = 'APPLICATION'
    order by visits.visit_no, stages.started_at desc, stages.stage_seq desc
),

final as (
    select
        visits.visit_no,
        visits.account_no,
        visits.manager_no,
        visits.touch_type_code,
        visits.case_kind_code,
        visits.case_no,
        staged.stage_seq,
        staged.stage_code,
        visits.visited_at,
        visits.visited_date,
        visits.work_minutes
    from visits
    left join staged on visits.visit_no = staged.visit_no
)

select * from final
