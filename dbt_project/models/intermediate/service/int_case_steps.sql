{{ config(tags=['warehouse']) }}

with applications as (
    select distinct on (application_no) *
    from {{ ref('stg_marketing__applications') }}
    order by application_no, _raw_id desc
),

stages as (
    select distinct on (application_no, stage_seq) *
    from {{ ref('stg_marketing__application_stages') }}
    order by application_no, stage_seq, _raw_id desc
),

tickets as (
    select distinct on (ticket_no) *
    from {{ ref('stg_marketing__tickets') }}
    order by ticket_no, _raw_id desc
),

process_cases as (
    select * from {{ ref('process_cases') }}
),

-- A cancelled application ends wherever it is: it is no closed case.
application_steps as (
    select
        'APPLICATION' as case_kind_code,
        applications.application_no as case_no,
        applications.application_type_code as case_type_code,
        case when applications.voltage_level_code in ('AC220V', 'AC380V') then 'LV' else 'HV' end as voltage_class_code,
        applications.account_no,
        (applications.accepted_at at time zone 'Asia/Shanghai')::date as opened_date,
        applications.status_code = 'DONE' as is_closed,
        stages.stage_code as step_code,
        stages.stage_seq::integer as order_no,
        stages.ended_at
    from applications
    inner join stages on applications.application_no = stages.application_no
    where applications.status_code <> 'CANCELLED'
),

-- Steps of a ticket are its times; those at the same second are in the order of the work.
ticket_steps as (
    select
        'TICKET' as case_kind_code,
        tickets.ticket_no as case_no,
        tickets.ticket_type_code as case_type_code,
        'ANY' as voltage_class_code,
        tickets.account_no,
        (tickets.accepted_at at time zone 'Asia/Shanghai')::date as opened_date,
        tickets.closed_at is not null as is_closed,
        steps.step_code,
        row_number() over (partition by tickets.ticket_no order by steps.ended_at, steps.work_order)::integer as order_no,
        steps.ended_at
    from tickets
    cross join lateral (
        values
        ('ACCEPT', 1, tickets.accepted_at),
        ('DISPATCH', 2, tickets.dispatched_at),
        ('CONTACT', 3, tickets.first_contact_at),
        ('ARRIVE', 4, tickets.arrived_at),
        ('RESTORE', 5, tickets.restored_at),
        ('REPLY', 6, tickets.replied_at),
        ('CLOSE', 7, tickets.closed_at)
    ) as steps (step_code, work_order, ended_at)
    where steps.ended_at is not null
),

steps as (
    select * from application_steps
    union all
    select * from ticket_steps
),

final as (
    select
        steps.case_kind_code,
        steps.case_no,
        process_cases.process_code,
        steps.account_no,
        steps.opened_date,
        steps.is_closed,
        steps.order_no as step_seq,
        steps.step_code,
        row_number() over (
            partition by steps.case_kind_code, steps.case_no, steps.step_code order by steps.order_no
        )::integer as step_run_no,
        steps.ended_at
    from steps
    inner join process_cases
        on
            steps.case_kind_code = process_cases.case_kind_code
            and steps.case_type_code = process_cases.case_type_code
            and process_cases.voltage_class_code in ('ANY', steps.voltage_class_code)
            and {{ is_valid_on('process_cases', 'steps.opened_date') }}
)

select * from final
