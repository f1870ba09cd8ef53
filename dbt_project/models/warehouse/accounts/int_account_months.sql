{% set look_back = parameter('risk_parameters', 'look_back_months', on='followed_months.report_date') %}

with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

-- One month before the first published one, because a grade depends on the one before.
followed_months as (
    select
        month_start_date,
        report_date,
        true as is_published
    from months
    union all
    select
        (min(month_start_date) - interval '1 month')::date as month_start_date,
        min(month_start_date) - 1 as report_date,
        false as is_published
    from months
    having count(*) > 0
),

-- Only an account that changed hands has one: its owner answers for what came since.
owners as (
    select
        *,
        lag(valid_from) over (partition by account_no order by valid_from) is not null as is_successor
    from {{ ref('bridge_account_customers') }}
),

final as (
    select
        accounts.account_no,
        followed_months.month_start_date,
        followed_months.report_date,
        {{ months_before('followed_months.report_date', look_back) }} as year_before_date,
        {{ months_before('followed_months.month_start_date', look_back) }} as year_before_month,
        followed_months.is_published,
        accounts.close_date is null or followed_months.report_date < accounts.close_date as is_open,
        coalesce(accounts.connect_date, accounts.open_date) as connected_date,
        owners.valid_from as owned_from_date
    from accounts
    inner join followed_months
        on coalesce(accounts.connect_date, accounts.open_date, followed_months.report_date) <= followed_months.report_date
    left join owners
        on
            accounts.account_no = owners.account_no
            and owners.is_successor
            and {{ is_valid_on('owners', 'followed_months.report_date') }}
)

select * from final
