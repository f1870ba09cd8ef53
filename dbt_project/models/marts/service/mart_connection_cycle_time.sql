with months as (
    select * from {{ ref('dim_months') }}
),

stages as (
    select * from {{ ref('fct_application_stages') }}
),

applications as (
    select * from {{ ref('fct_applications') }}
),

events as (
    select * from {{ ref('fct_process_events') }}
    where case_kind_code = 'APPLICATION'
),

touches as (
    select * from {{ ref('fct_manager_touches') }}
    where case_kind_code = 'APPLICATION'
),

touched as (
    select
        case_no as application_no,
        stage_seq,
        count(*)::integer as manager_touches
    from touches
    group by case_no, stage_seq
),

-- A skipped step is told by the first stage that came after its place.
skipped as (
    select
        case_no as application_no,
        skipped_before_seq as stage_seq,
        string_agg(planned_step_code, ', ' order by planned_step_no) as skipped_stage_codes
    from events
    where is_skipped
    group by case_no, skipped_before_seq
),

measured as (
    select
        stages.application_no,
        stages.stage_seq,
        stages.stage_code,
        stages.dept_no,
        stages.handed_over_by_dept_no,
        stages.is_between_departments,
        stages.handover_working_days::numeric(12, 4) as handover_working_days,
        stages.account_no,
        applications.org_no,
        stages.application_type_code,
        stages.application_status_code,
        stages.voltage_class_code,
        stages.supply_class_code,
        months.month_start_date as stage_month,
        stages.started_at,
        stages.ended_at,
        stages.ended_at is null as is_open,
        stages.clock_owner_code,
        stages.stage_run_no,
        stages.stage_run_no > 1 as is_reentered,
        stages.return_to_stage_code,
        skipped.skipped_stage_codes,
        stages.working_days,
        stages.utility_working_days,
        stages.customer_working_days,
        stages.suspended_working_days,
        stages.wait_working_hours,
        stages.work_working_hours,
        stages.clock_code as sla_code,
        stages.target_working_days as sla_target_working_days,
        stages.is_met as is_sla_met,
        coalesce(touched.manager_touches, 0) as manager_touches
    from stages
    inner join months on months.month_start_date <= stages.read_date and stages.read_date < months.known_until_date
    inner join applications on stages.application_no = applications.application_no
    left join touched on stages.application_no = touched.application_no and stages.stage_seq = touched.stage_seq
    left join skipped on stages.application_no = skipped.application_no and stages.stage_seq = skipped.stage_seq
),

final as ({{ partial_rows('measured') }})

select * from final
