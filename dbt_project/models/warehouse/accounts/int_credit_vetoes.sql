with account_months as (
    select * from {{ ref('int_account_months') }}
),

vetoes as (
    select * from {{ ref('credit_vetoes') }}
),

violations as (
    select * from {{ ref('fct_violations') }}
),

amendments as (
    select * from {{ ref('fct_contract_amendments') }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
),

inspections as (
    select * from {{ ref('fct_inspections') }}
),

hazards as (
    select * from {{ ref('fct_hazards') }}
),

receivables as (
    select * from {{ ref('int_receivables') }}
),

-- What sets the grade to C, from its day on: for a time, or as long as it lasts. A major hazard has until its date.
reasons as (
    select
        account_no,
        case when violation_class_code = 'THEFT' then 'THEFT' else 'VIOLATION' end as veto_code,
        found_date as from_date,
        null::date as to_date
    from violations
    union all
    select
        contracts.account_no,
        'UNSIGNED_CHANGE' as veto_code,
        amendments.effective_date as from_date,
        amendments.signed_date as to_date
    from amendments
    inner join contracts on amendments.contract_no = contracts.contract_no
    where amendments.signed_date is null or amendments.signed_date > amendments.effective_date
    union all
    select
        account_no,
        'INCIDENT' as veto_code,
        done_date as from_date,
        null::date as to_date
    from inspections
    where kind_code = 'INCIDENT'
    union all
    select
        inspections.account_no,
        'MAJOR_HAZARD' as veto_code,
        coalesce(hazards.rectification_due_date + 1, inspections.done_date) as from_date,
        hazards.removed_date as to_date
    from hazards
    inner join inspections on hazards.inspection_no = inspections.inspection_no
    where hazards.hazard_level_code = 'MAJOR'
),

overdue as (
    select
        account_no,
        month_start_date,
        'OLD_ARREARS' as veto_code
    from receivables
    where old_arrears_cny > 0
    union all
    select
        account_no,
        month_start_date,
        'ARREARS' as veto_code
    from receivables
    where arrears_months >= {{ parameter('risk_parameters', 'arrears_months', on='receivables.as_of_date') }}
),

final as (
    select distinct
        account_months.account_no,
        account_months.month_start_date,
        vetoes.veto_code
    from account_months
    inner join vetoes on {{ is_valid_on('vetoes', 'account_months.report_date') }}
    inner join reasons
        on
            account_months.account_no = reasons.account_no
            and vetoes.veto_code = reasons.veto_code
            and (account_months.owned_from_date is null or account_months.owned_from_date <= reasons.from_date)
            and {{ is_in_period('account_months.report_date', 'reasons.from_date', 'reasons.to_date') }}
            and (
                vetoes.look_back_months is null
                or {{ months_before('account_months.report_date', 'vetoes.look_back_months') }} < reasons.from_date
            )
    union
    select
        overdue.account_no,
        overdue.month_start_date,
        overdue.veto_code
    from overdue
    inner join account_months
        on overdue.account_no = account_months.account_no and overdue.month_start_date = account_months.month_start_date
    inner join vetoes on overdue.veto_code = vetoes.veto_code and {{ is_valid_on('vetoes', 'account_months.report_date') }}
)

select * from final
