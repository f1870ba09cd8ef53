with stages as (
    select distinct on (application_no, stage_seq) *
    from {{ ref('stg_marketing__application_stages') }}
    order by application_no, stage_seq, _raw_id desc
),

applications as (
    select * from {{ ref('fct_applications') }}
),

clocks as (
    select * from {{ ref('service_clocks') }}
    where subject_code = 'STAGE'
),

working_hours as (
    select * from {{ ref('working_hours') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

-- A stage of a running application that has not ended runs to the last second of D.
runs as (
    select
        stages.*,
        applications.account_no,
        applications.application_type_code,
        applications.status_code as application_status_code,
        applications.voltage_class_code,
        applications.supply_class_code,
        applications.accepted_at,
        row_number() over (
            partition by stages.application_no, stages.stage_code order by stages.stage_seq
        )::integer as stage_run_no,
        lag(stages.ended_at) over (partition by stages.application_no order by stages.stage_seq) as handed_over_at,
        lag(stages.dept_no) over (partition by stages.application_no order by stages.stage_seq) as handed_over_by_dept_no,
        coalesce(
            stages.ended_at,
            case
                when applications.status_code = 'OPEN' then {{ day_start_at(business_date() ~ ' + 1') }} - interval '1 second'
            end
        ) as read_at,
        coalesce(
            (stages.ended_at at time zone 'Asia/Shanghai')::date,
            case when applications.status_code = 'OPEN' then {{ business_date() }} end
        ) as read_date,
        (stages.started_at at time zone 'Asia/Shanghai')::date as started_date
    from stages
    left join applications on stages.application_no = applications.application_no
),

-- When within a stage the clock stood is not delivered: a suspension takes its share of the stage's time.
measured as (
    select
        runs.*,
        read_on.working_day_no - started_on.working_day_no as working_days,
        started_on.working_day_no - handed_over_on.working_day_no as handover_working_days,
        {{ working_minutes_until('runs.started_at', 'started_on', 'working_hours') }}
        - {{ working_minutes_until('runs.handed_over_at', 'handed_over_on', 'working_hours') }} as waited_minutes,
        {{ working_minutes_until('runs.read_at', 'read_on', 'working_hours') }}
        - {{ working_minutes_until('runs.started_at', 'started_on', 'working_hours') }} as worked_minutes,
        greatest(
            1 - coalesce(runs.suspended_minutes / nullif({{ minutes_between('runs.started_at', 'runs.read_at') }}, 0), 0), 0
        ) as running_share
    from runs
    left join dates as started_on on runs.started_date = started_on.calendar_date
    left join dates as read_on on runs.read_date = read_on.calendar_date
    left join dates as handed_over_on
        on (runs.handed_over_at at time zone 'Asia/Shanghai')::date = handed_over_on.calendar_date
    left join working_hours
        on
            {{ is_valid_on('working_hours', 'runs.started_date') }}
),

timed as (
    select
        *,
        (working_days * running_share)::numeric(12, 4) as running_days,
        (working_days * (1 - running_share))::numeric(12, 4) as suspended_days
    from measured
),

final as (
    select
        timed.application_no,
        timed.stage_seq,
        timed.account_no,
        timed.application_type_code,
        timed.application_status_code,
        timed.voltage_class_code,
        timed.supply_class_code,
        timed.accepted_at,
        timed.stage_code,
        timed.stage_run_no,
        timed.dept_no,
        timed.handed_over_by_dept_no,
        timed.handed_over_by_dept_no <> timed.dept_no as is_between_departments,
        case when timed.handover_working_days < 0 then 0 else timed.handover_working_days end as handover_working_days,
        timed.clock_owner_code,
        timed.started_at,
        timed.ended_at,
        timed.started_date,
        timed.read_date,
        timed.suspended_minutes,
        timed.working_days,
        timed.suspended_days::numeric(12, 4) as suspended_working_days,
        case when timed.clock_owner_code = 'UTILITY' then timed.running_days else 0 end::numeric(12, 4) as utility_working_days,
        case when timed.clock_owner_code = 'CUSTOMER' then timed.running_days else 0 end::numeric(12, 4) as customer_working_days,
        (timed.waited_minutes / 60)::numeric(12, 4) as wait_working_hours,
        (timed.worked_minutes * timed.running_share / 60)::numeric(12, 4) as work_working_hours,
        timed.return_to_stage_code,
        clocks.clock_code,
        clocks.target_value as target_working_days,
        case
            when timed.running_days > clocks.target_value then false
            when timed.ended_at is not null and clocks.target_value is not null then true
        end as is_met
    from timed
    left join clocks
        on
            timed.clock_owner_code = 'UTILITY'
            and timed.stage_code = clocks.stage_code
            and clocks.supply_class_code in ('ANY', timed.supply_class_code)
            and clocks.voltage_class_code in ('ANY', timed.voltage_class_code)
            and {{ is_valid_on('clocks', 'timed.started_date') }}
)

select * from final
