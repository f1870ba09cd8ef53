with months as (
    select * from {{ ref('dim_months') }}
),

events as (
    select * from {{ ref('fct_process_events') }}
),

actions as (
    select * from {{ ref('fct_corrective_actions') }}
),

-- An open case is shown in the month of D, a closed one in the month of its last step.
cases as (
    select
        case_kind_code,
        case_no,
        process_code,
        is_case_closed,
        is_case_conformant,
        bool_or(is_rework) as has_rework,
        case
            when is_case_closed then (max(ended_at) at time zone 'Asia/Shanghai')::date
            else {{ business_date() }}
        end as case_date
    from events
    group by case_kind_code, case_no, process_code, is_case_closed, is_case_conformant
),

shown as (
    select
        cases.*,
        months.month_start_date
    from cases
    inner join months on months.month_start_date <= cases.case_date and cases.case_date < months.known_until_date
),

rates as (
    select
        process_code,
        month_start_date,
        count(*)::integer as closed_cases,
        (count(*) filter (where is_case_conformant)::numeric / count(*)) as conformance_rate,
        (count(*) filter (where has_rework)::numeric / count(*)) as rework_rate
    from shown
    where is_case_closed
    group by process_code, month_start_date
),

-- Where several actions are about one step, the newest is shown.
newest_actions as (
    select distinct on (case_kind_code, case_no, event_no) *
    from actions
    order by case_kind_code, case_no, event_no, found_date desc nulls last, action_no desc
),

measured as (
    select
        events.case_kind_code,
        events.case_no,
        events.event_no,
        shown.month_start_date as case_month,
        events.process_code,
        events.path_no,
        events.planned_step_no,
        events.planned_step_code as planned_step,
        events.actual_step_code as actual_step,
        events.ended_at,
        events.is_skipped,
        events.is_rework,
        events.is_out_of_order,
        events.is_case_closed,
        case when events.is_case_closed then events.is_case_conformant end as is_case_conformant,
        newest_actions.nonconformity_code,
        newest_actions.action_no,
        newest_actions.found_date as action_found_on,
        newest_actions.closed_date as action_closed_on,
        newest_actions.closure_days as action_closure_days,
        rates.closed_cases as process_closed_cases,
        rates.conformance_rate::numeric(8, 6) as process_conformance_rate,
        rates.rework_rate::numeric(8, 6) as process_rework_rate
    from events
    inner join shown on events.case_kind_code = shown.case_kind_code and events.case_no = shown.case_no
    left join newest_actions
        on
            events.case_kind_code = newest_actions.case_kind_code
            and events.case_no = newest_actions.case_no
            and events.event_no = newest_actions.event_no
    left join rates on events.process_code = rates.process_code and shown.month_start_date = rates.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
