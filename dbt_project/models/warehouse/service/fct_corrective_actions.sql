with actions as (
    select distinct on (action_no) *
    from {{ ref('stg_marketing__corrective_actions') }}
    order by action_no, _raw_id desc
),

events as (
    select * from {{ ref('fct_process_events') }}
),

-- An action is told at the step it is about where that is seen, else at the last step of its case.
placed as (
    select distinct on (actions.action_no)
        actions.action_no,
        events.event_no
    from actions
    inner join events on actions.case_kind_code = events.case_kind_code and actions.case_no = events.case_no
    order by
        actions.action_no,
        case actions.nonconformity_code
            when 'STEP_SKIPPED' then events.is_skipped
            when 'STEP_ORDER' then events.is_out_of_order
            else false
        end desc,
        events.event_no desc
),

final as (
    select
        actions.action_no,
        actions.case_kind_code,
        actions.case_no,
        placed.event_no,
        actions.nonconformity_code,
        actions.found_date,
        actions.closed_date,
        actions.closed_date - actions.found_date as closure_days,
        coalesce(actions.closed_date, {{ business_date() }}) - actions.found_date as age_days
    from actions
    left join placed on actions.action_no = placed.action_no
)

select * from final
