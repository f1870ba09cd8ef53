with tickets as (
    select * from {{ ref('fct_tickets') }}
),

ticket_clocks as (
    select * from {{ ref('int_ticket_clocks') }}
),

stages as (
    select * from {{ ref('fct_application_stages') }}
),

answers as (
    select * from {{ ref('fct_survey_answers') }}
),

visits as (
    select * from {{ ref('fct_manager_visits') }}
),

notices as (
    select * from {{ ref('int_notice_compliance') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
),

churned as (
    select * from {{ ref('fct_churn_events') }}
),

-- A payment that bounced, and its reversal, brought nothing in.
outcomes as (
    select
        'CLOCK' as outcome_code,
        tickets.ticket_no || ' ' || ticket_clocks.clock_code as reference,
        tickets.account_no,
        tickets.accepted_date as outcome_date,
        null as manager_no,
        ticket_clocks.is_met as is_good,
        ticket_clocks.elapsed as value
    from ticket_clocks
    inner join tickets on ticket_clocks.ticket_no = tickets.ticket_no
    where ticket_clocks.is_counted and ticket_clocks.is_met is not null
    union all
    select
        'CLOCK' as outcome_code,
        application_no || ' ' || stage_seq || ' ' || clock_code as reference,
        account_no,
        read_date as outcome_date,
        null as manager_no,
        is_met as is_good,
        utility_working_days as value
    from stages
    where is_met is not null
    union all
    select
        'SATISFACTION' as outcome_code,
        ticket_no as reference,
        account_no,
        accepted_date as outcome_date,
        null as manager_no,
        null as is_good,
        (satisfaction_score - 1)::numeric * 100
        / nullif({{ parameter('service_parameters', 'satisfaction_scale', on='tickets.accepted_date') }} - 1, 0) as value
    from tickets
    where satisfaction_score is not null
    union all
    select
        'SATISFACTION' as outcome_code,
        survey_id || ' ' || question_code as reference,
        account_no,
        answered_date as outcome_date,
        null as manager_no,
        null as is_good,
        score_pct as value
    from answers
    where score_pct is not null
    union all
    select
        'VISIT' as outcome_code,
        visit_no as reference,
        account_no,
        visited_date as outcome_date,
        manager_no,
        null as is_good,
        work_minutes as value
    from visits
    where touch_type_code = 'VISIT'
    union all
    select
        'NOTICE' as outcome_code,
        plan_no as reference,
        account_no,
        (planned_start_at at time zone 'Asia/Shanghai')::date as outcome_date,
        null as manager_no,
        all_ok as is_good,
        null as value
    from notices
    where is_counted and all_ok is not null
    union all
    select
        'LATE_PAYMENT' as outcome_code,
        payment_no as reference,
        account_no,
        paid_date as outcome_date,
        null as manager_no,
        null as is_good,
        amount_cny as value
    from payments
    where
        days_late > 0
        and amount_cny > 0
        and payment_no not in (
            select reversed_payment_no from payments where reversed_payment_no is not null
        )
    union all
    select
        'CHURN' as outcome_code,
        churn_kind_code || ' ' || left_date as reference,
        account_no,
        left_date as outcome_date,
        null as manager_no,
        false as is_good,
        null as value
    from churned
),

final as (
    select
        outcome_code,
        reference,
        account_no,
        outcome_date,
        manager_no,
        is_good,
        value::numeric(18, 4) as value
    from outcomes
    where account_no is not null
)

select * from final
