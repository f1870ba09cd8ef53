with months as (
    select * from {{ ref('dim_months') }}
),

managers as (
    select * from {{ ref('dim_managers') }}
    where is_current
),

assignments as (
    select * from {{ ref('bridge_account_managers') }}
    where assign_role_code = 'PRIMARY'
),

outcomes as (
    select * from {{ ref('int_service_outcomes') }}
),

balances as (
    select * from {{ ref('int_bill_balances') }}
),

findings as (
    select * from {{ ref('fct_findings') }}
    where account_no is not null
),

manager_months as (
    select
        managers.manager_no,
        months.month_start_date,
        months.report_date,
        {{ months_before(
            'months.month_start_date', parameter('service_parameters', 'performance_months', on='months.report_date') ~ ' - 1'
        ) }} as window_start_date
    from managers
    inner join months
        on
            managers.posted_date <= months.report_date
            and (managers.left_date is null or months.month_start_date <= managers.left_date)
),

-- An outcome counts for the manager who was in charge of the account on its day.
counted as (
    select
        manager_months.manager_no,
        manager_months.month_start_date,
        count(*) filter (where outcomes.outcome_code = 'CLOCK') as clocks_judged,
        count(*) filter (where outcomes.outcome_code = 'CLOCK' and outcomes.is_good) as clocks_met,
        count(*) filter (where outcomes.outcome_code = 'SATISFACTION') as satisfaction_answers,
        avg(outcomes.value) filter (where outcomes.outcome_code = 'SATISFACTION') as satisfaction_score_pct,
        count(distinct outcomes.account_no) filter (
            where outcomes.outcome_code = 'VISIT' and outcomes.manager_no = manager_months.manager_no
        ) as accounts_visited,
        count(*) filter (where outcomes.outcome_code = 'NOTICE') as notices_counted,
        count(*) filter (where outcomes.outcome_code = 'NOTICE' and outcomes.is_good) as notices_in_time,
        sum(outcomes.value) filter (where outcomes.outcome_code = 'LATE_PAYMENT') as overdue_paid_cny,
        count(distinct outcomes.account_no) filter (where outcomes.outcome_code = 'CHURN') as churned_accounts
    from manager_months
    inner join outcomes
        on outcomes.outcome_date between manager_months.window_start_date and manager_months.report_date
    inner join assignments
        on
            manager_months.manager_no = assignments.manager_no
            and outcomes.account_no = assignments.account_no
            and {{ is_valid_on('assignments', 'outcomes.outcome_date') }}
    group by manager_months.manager_no, manager_months.month_start_date
),

in_charge as (
    select
        manager_months.manager_no,
        manager_months.month_start_date,
        manager_months.report_date,
        assignments.account_no,
        bool_or({{ is_valid_on('assignments', 'manager_months.report_date') }}) as is_in_charge_now
    from manager_months
    inner join assignments
        on
            manager_months.manager_no = assignments.manager_no
            and assignments.valid_from <= manager_months.report_date
            and (assignments.valid_to is null or manager_months.window_start_date < assignments.valid_to)
    group by manager_months.manager_no, manager_months.month_start_date, manager_months.report_date, assignments.account_no
),

overdue as (
    select
        in_charge.manager_no,
        in_charge.month_start_date,
        sum(balances.balance_cny) as overdue_unpaid_cny
    from in_charge
    inner join balances
        on
            in_charge.account_no = balances.account_no
            and balances.due_date < in_charge.report_date
            and {{ is_in_period('in_charge.report_date', 'balances.from_date', 'balances.to_date') }}
    where in_charge.is_in_charge_now
    group by in_charge.manager_no, in_charge.month_start_date
),

found as (
    select
        in_charge.manager_no,
        in_charge.month_start_date,
        count(*) as dq_defects_owned,
        count(distinct findings.account_no) as accounts_with_defects
    from in_charge
    inner join findings
        on
            in_charge.account_no = findings.account_no
            and coalesce(findings.record_date, {{ business_date() }}) <= in_charge.report_date
    where in_charge.is_in_charge_now
    group by in_charge.manager_no, in_charge.month_start_date
),

portfolios as (
    select
        manager_no,
        month_start_date,
        count(*) as accounts_in_window,
        count(*) filter (where is_in_charge_now) as accounts_now
    from in_charge
    group by manager_no, month_start_date
),

final as (
    select
        manager_months.manager_no,
        manager_months.month_start_date,
        manager_months.report_date,
        manager_months.window_start_date,
        coalesce(portfolios.accounts_in_window, 0)::integer as accounts_in_window,
        coalesce(portfolios.accounts_now, 0)::integer as accounts_now,
        coalesce(counted.clocks_judged, 0)::integer as clocks_judged,
        coalesce(counted.clocks_met, 0)::integer as clocks_met,
        coalesce(counted.satisfaction_answers, 0)::integer as satisfaction_answers,
        counted.satisfaction_score_pct::numeric(8, 4) as satisfaction_score_pct,
        coalesce(counted.accounts_visited, 0)::integer as accounts_visited,
        coalesce(counted.notices_counted, 0)::integer as notices_counted,
        coalesce(counted.notices_in_time, 0)::integer as notices_in_time,
        coalesce(counted.overdue_paid_cny, 0)::numeric(18, 2) as overdue_paid_cny,
        coalesce(overdue.overdue_unpaid_cny, 0)::numeric(18, 2) as overdue_unpaid_cny,
        coalesce(counted.churned_accounts, 0)::integer as churned_accounts,
        coalesce(found.dq_defects_owned, 0)::integer as dq_defects_owned,
        coalesce(found.accounts_with_defects, 0)::integer as accounts_with_defects
    from manager_months
    left join counted
        on manager_months.manager_no = counted.manager_no and manager_months.month_start_date = counted.month_start_date
    left join portfolios
        on manager_months.manager_no = portfolios.manager_no and manager_months.month_start_date = portfolios.month_start_date
    left join overdue
        on manager_months.manager_no = overdue.manager_no and manager_months.month_start_date = overdue.month_start_date
    left join found
        on manager_months.manager_no = found.manager_no and manager_months.month_start_date = found.month_start_date
)

select * from final
