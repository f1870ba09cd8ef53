with account_months as (
    select * from {{ ref('int_account_months') }}
    where is_published
),

scores as (
    select * from {{ ref('int_credit_scores') }}
),

receivables as (
    select * from {{ ref('int_receivables') }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where status_code <> 'DRAFT'
),

secured as (
    select distinct on (account_months.account_no, account_months.month_start_date)
        account_months.account_no,
        account_months.month_start_date,
        contracts.deposit_cny,
        contracts.guarantee_cny
    from account_months
    inner join contracts
        on account_months.account_no = contracts.account_no and contracts.valid_from <= account_months.report_date
    order by
        account_months.account_no,
        account_months.month_start_date,
        contracts.valid_from desc nulls last,
        contracts.version desc nulls last,
        contracts.contract_no
),

-- Exposure: what is owed, and what will be before supply could be cut, less what the utility holds.
measured as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.is_open,
        scores.is_new_customer,
        scores.payment_score,
        scores.violation_score,
        scores.contract_score,
        scores.volume_score,
        scores.market_score,
        scores.credit_score,
        scores.grade_by_score,
        coalesce(scores.veto_codes, '') as veto_codes,
        scores.grade,
        scores.pd_bucket,
        receivables.unpaid_cny,
        receivables.overdue_cny,
        receivables.oldest_overdue_days,
        receivables.penalty_open_cny,
        case when account_months.is_open then receivables.expected_bill_cny else 0 end::numeric(18, 2) as expected_bill_cny,
        coalesce(secured.deposit_cny, 0)::numeric(16, 2) as deposit_cny,
        coalesce(secured.guarantee_cny, 0)::numeric(16, 2) as guarantee_cny,
        (
            receivables.unpaid_cny
            + receivables.penalty_open_cny
            + case when account_months.is_open then receivables.expected_bill_cny else 0 end
            - coalesce(secured.deposit_cny, 0)
        )::numeric(18, 2) as exposure_cny,
        receivables.days_sales_outstanding
    from account_months
    inner join scores
        on account_months.account_no = scores.account_no and account_months.month_start_date = scores.month_start_date
    inner join receivables
        on account_months.account_no = receivables.account_no and account_months.month_start_date = receivables.month_start_date
    left join secured
        on account_months.account_no = secured.account_no and account_months.month_start_date = secured.month_start_date
    where account_months.is_open or receivables.unpaid_cny > 0
),

final as ({{ partial_rows('measured') }})

select * from final
