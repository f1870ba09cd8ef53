"""Stand-ins for the rules on tickets, applications, processes, teams, inspections and managers."""

GOOD = [
    """create table candidate.mart_ticket_sla as
    select distinct ticket_no, date_trunc('month', accepted_at at time zone 'Asia/Shanghai')::date as accepted_month
    from staging.stg_marketing__tickets
    where (accepted_at at time zone 'Asia/Shanghai')::date <= (select business_date from quality.current_run)""",
    """create table candidate.mart_team_load as
    select current_run.business_date as calendar_date, 'D'::text as team_no,
        count(distinct ticket_no) filter (where dept_no is not null)::integer as open_tickets
    from quality.current_run as current_run
    left join staging.stg_marketing__tickets as tickets
        on (accepted_at at time zone 'Asia/Shanghai')::date <= current_run.business_date
        and (closed_at is null or (closed_at at time zone 'Asia/Shanghai')::date > current_run.business_date)
    group by current_run.business_date""",
    """create table warehouse.fct_application_stages as
    select * from (values ('A', 'SCHEME', 15.0, 0.0, 2.0), ('A', 'BUILD', 0.0, 20.0, 0.0), ('A', 'ARCHIVE', 1.0, 0.0, 0.0))
    as stages (application_no, stage_code, utility_working_days, customer_working_days, suspended_working_days)""",
    """create table candidate.mart_connection_funnel as
    select 'A'::text as application_no, 'C'::text as account_no, date '2026-11-01' as shown_month, 15.0 as utility_working_days,
    20.0 as customer_working_days, 2.0 as suspended_working_days, 3.0 as handover_working_days, 40 as total_working_days,
    '{}'::text[] as partial_measures""",
    """create table candidate.mart_process_conformance as
    select 'TICKET'::text as case_kind_code, case_no, 'P'::text as process_code, date '2026-11-01' as case_month, is_case_closed,
        is_case_conformant, 0.666667 as process_conformance_rate, 3 as process_closed_cases, '{}'::text[] as partial_measures
    from (values ('1', true, true), ('2', true, true), ('2', true, true), ('3', true, false), ('4', false, null))
    as events (case_no, is_case_closed, is_case_conformant)""",
    """create table candidate.mart_manager_performance as
    select 'M'::text as manager_no, date '2026-11-01' as report_month, 83.35 as score, 1.0 as weight_sum,
    null::text as missing_dimensions""",
    """create table candidate.mart_safety_inspection as
    select distinct inspection_no, date_trunc('month', due_date::timestamp)::date as due_month from staging.stg_marketing__inspections""",
]
RULES = ("MART-40", "MART-41", "MART-42", "MART-43", "MART-44", "MART-45")
