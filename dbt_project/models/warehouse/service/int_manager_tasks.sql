-- What is due, but for advice: each task with the day by which it must be done and the yuan that rest on it.
with rankings as (
    select * from {{ ref('fct_key_account_rankings') }}
    where ranking_month = {{ month_of(business_date()) }}
),

checkpoints as (
    select * from {{ ref('int_notice_checkpoints') }}
    where is_answered is null
),

limits as (
    select * from {{ ref('notice_checkpoints') }}
),

plans as (
    select * from {{ ref('fct_outage_plans') }}
    where status_code not in ('CANCELLED', 'DONE')
),

closed as (
    select account_no from {{ ref('dim_accounts') }}
    where is_current and close_date <= {{ business_date() }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where status_code <> 'DRAFT' and coalesce(kind_code, '') <> 'PROTOCOL'
),

hazards as (
    select * from {{ ref('fct_hazards') }}
    where removed_date is null
),

inspections as (
    select * from {{ ref('fct_inspections') }}
),

balances as (
    select * from {{ ref('int_bill_balances') }} as balances
    where {{ is_in_period(business_date(), 'balances.from_date', 'balances.to_date') }}
),

clocks as (
    select * from {{ ref('int_ticket_clocks') }}
    where stopped_at is null and not is_average
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

findings as (
    select * from {{ ref('fct_findings') }}
    where status_code = 'OPEN' and source_name in ('marketing', 'contract')
),

notices as (
    select
        checkpoints.account_no,
        'NOTICE' as task_code,
        checkpoints.plan_no || ' ' || checkpoints.checkpoint_code as subject_no,
        plans.planned_start_at - make_interval(mins => limits.lead_minutes_min::integer) as due_at
    from checkpoints
    inner join plans on checkpoints.plan_no = plans.plan_no
    inner join limits
        on
            plans.kind_code = limits.plan_kind_code
            and checkpoints.checkpoint_code = limits.checkpoint_code
            and {{ is_valid_on('limits', 'plans.planned_start_date') }}
),

last_versions as (
    select distinct on (account_no)
        account_no,
        contract_no,
        status_code,
        valid_to,
        is_auto_renewed
    from contracts
    where valid_from <= {{ business_date() }}
    order by account_no, valid_from desc, version desc nulls last, contract_no
),

ending as (
    select
        last_versions.account_no,
        last_versions.contract_no as subject_no,
        last_versions.valid_to - 1 as due_date
    from last_versions
    where
        last_versions.status_code <> 'TERMINATED'
        and last_versions.account_no not in (select closed.account_no from closed)
        and not coalesce(last_versions.is_auto_renewed, false)
        and last_versions.valid_to - 1
        <= {{ business_date() }} + {{ parameter('service_parameters', 'contract_task_days') }}::integer
        and not exists (
            select 1 from contracts
            where contracts.account_no = last_versions.account_no and contracts.valid_from > {{ business_date() }}
        )
),

answers as (
    select
        tickets.account_no,
        tickets.ticket_no as subject_no,
        min(
            case clocks.unit_code
                when 'MINUTE' then clocks.started_at + make_interval(mins => clocks.target_value::integer)
                else {{ day_start_at('(last_day.calendar_date + 1)') }}
            end
        ) as due_at
    from clocks
    inner join tickets on clocks.ticket_no = tickets.ticket_no
    left join dates as first_day
        on clocks.unit_code = 'WORKING_DAY' and {{ local_date('clocks.started_at') }} = first_day.calendar_date
    left join dates as last_day
        on
            last_day.is_working_day
            and first_day.working_day_no + clocks.target_value = last_day.working_day_no
    group by tickets.account_no, tickets.ticket_no
),

tasks as (
    select
        account_no,
        task_code,
        subject_no,
        due_at,
        {{ local_date('due_at') }} as due_date,
        null::numeric as amount_cny
    from notices
    where due_at >= {{ day_start_at('(' ~ business_date() ~ ' + 1)') }}
    union all
    select
        account_no,
        'TICKET',
        subject_no,
        due_at,
        {{ local_date("(due_at - interval '1 second')") }},
        null
    from answers
    union all
    select
        ending.account_no,
        'CONTRACT',
        ending.subject_no,
        null,
        ending.due_date,
        rankings.revenue_12m_cny
    from ending
    left join rankings on ending.account_no = rankings.account_no
    union all
    select
        inspections.account_no,
        'HAZARD',
        hazards.hazard_no,
        null,
        hazards.rectification_due_date,
        null
    from hazards
    inner join inspections on hazards.inspection_no = inspections.inspection_no
    union all
    select
        account_no,
        'OVERDUE_BILL',
        bill_no,
        null,
        due_date,
        balance_cny
    from balances
    where balance_cny > 0 and due_date < {{ business_date() }}
    union all
    select
        account_no,
        'DATA',
        rule_id,
        null,
        null,
        sum(amount_at_stake_cny)
    from findings
    where account_no is not null
    group by account_no, rule_id
),

final as (
    select account_no, task_code, subject_no, due_at, due_date, amount_cny::numeric(18, 2) as amount_cny
    from tasks
)

select * from final
