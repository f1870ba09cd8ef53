with account_months as (
    select * from {{ ref('int_account_months') }}
),

balances as (
    select * from {{ ref('int_bill_balances') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
),

penalties as (
    select * from {{ ref('int_penalties') }}
),

rates as (
    select * from {{ ref('penalty_rates') }}
),

-- What of a bill was open by the day, and for how many days after it was due: yuan-days.
bills_by_day as (
    select
        account_months.account_no,
        account_months.report_date,
        -- the payment record of a former owner ends with the ownership
        greatest(account_months.year_before_date, account_months.owned_from_date - 1) as record_before_date,
        balances.bill_no,
        balances.payer_class_code,
        balances.bill_month,
        balances.due_date,
        balances.total_charge_cny,
        sum(balances.balance_cny) filter (
            where balances.to_date is null or account_months.report_date < balances.to_date
        ) as unpaid_cny,
        max(balances.settled_cny - balances.total_charge_cny) filter (
            where balances.to_date is null or account_months.report_date < balances.to_date
        ) as paid_beyond_cny,
        sum(balances.balance_cny * {{ overdue_days('balances', 'account_months.report_date') }}) as current_year_cny_days,
        sum(balances.balance_cny * {{ overdue_days('balances', 'account_months.report_date', cross_year=true) }})
            as cross_year_cny_days
    from account_months
    inner join balances
        on account_months.account_no = balances.account_no and balances.from_date <= account_months.report_date
    group by
        account_months.account_no,
        account_months.report_date,
        account_months.year_before_date,
        account_months.owned_from_date,
        balances.bill_no,
        balances.payer_class_code,
        balances.bill_month,
        balances.due_date,
        balances.total_charge_cny
),

-- A waiver says nothing of the months before it.
waived as (
    select
        bills_by_day.bill_no,
        bills_by_day.report_date,
        sum(penalties.penalty_cny) as penalty_cny
    from bills_by_day
    inner join penalties
        on bills_by_day.bill_no = penalties.bill_no and penalties.waived_from_date <= bills_by_day.report_date
    where penalties.is_waived
    group by bills_by_day.bill_no, bills_by_day.report_date
),

owed_by_bill as (
    select
        bills_by_day.*,
        bills_by_day.current_year_cny_days + bills_by_day.cross_year_cny_days as late_cny_days,
        greatest(
            {{ penalty_due_cny('bills_by_day.current_year_cny_days', 'bills_by_day.cross_year_cny_days', 'rates') }}
            - greatest(bills_by_day.paid_beyond_cny, 0)
            - coalesce(waived.penalty_cny, 0),
            0
        ) as penalty_open_cny
    from bills_by_day
    left join rates
        on bills_by_day.payer_class_code = rates.payer_class_code and {{ is_valid_on('rates', 'bills_by_day.due_date') }}
    left join waived on bills_by_day.bill_no = waived.bill_no and bills_by_day.report_date = waived.report_date
),

owed as (
    select
        account_no,
        report_date,
        sum(unpaid_cny) as unpaid_cny,
        sum(unpaid_cny) filter (where due_date < report_date) as overdue_cny,
        sum(unpaid_cny) filter (where extract(year from due_date) < extract(year from report_date)) as old_arrears_cny,
        count(distinct bill_month) filter (
            where unpaid_cny > 0 and due_date < report_date and extract(year from due_date) = extract(year from report_date)
        ) as arrears_months,
        max(report_date - due_date) filter (where unpaid_cny > 0 and due_date < report_date) as oldest_overdue_days,
        sum(penalty_open_cny) as penalty_open_cny,
        count(*) filter (where late_cny_days > 0 and record_before_date < due_date) as late_bills_12m,
        sum(late_cny_days) filter (where record_before_date < due_date)
        / nullif(sum(total_charge_cny) filter (where record_before_date < due_date and due_date <= report_date), 0)
            as weighted_late_days
    from owed_by_bill
    group by account_no, report_date
),

periods as (
    select
        account_no,
        report_date,
        year_before_date,
        {{ parameter('risk_parameters', 'sales_outstanding_days', on='report_date') }}::integer as outstanding_days,
        {{ parameter('risk_parameters', 'expected_bill_months', on='report_date') }}::integer as expected_months
    from account_months
),

newest_bills as (
    select
        periods.account_no,
        periods.report_date,
        periods.outstanding_days,
        periods.expected_months,
        bills.issued_date,
        bills.total_charge_cny,
        dense_rank() over (
            partition by periods.account_no, periods.report_date
            order by bills.bill_month desc nulls last
        ) as newest_month_no
    from periods
    inner join bills
        on
            periods.account_no = bills.account_no
            and bills.issued_date <= periods.report_date
            and periods.year_before_date < bills.issued_date
),

billed as (
    select
        account_no,
        report_date,
        outstanding_days,
        sum(total_charge_cny) as billed_12m_cny,
        sum(total_charge_cny) filter (where report_date - outstanding_days < issued_date) as billed_recently_cny,
        sum(total_charge_cny) filter (where newest_month_no <= expected_months)
        / nullif(least(max(newest_month_no), expected_months), 0) as expected_bill_cny
    from newest_bills
    group by account_no, report_date, outstanding_days, expected_months
),

reversed as (
    select
        account_months.account_no,
        account_months.report_date,
        count(*) as reversed_payments_12m
    from account_months
    inner join payments
        on
            account_months.account_no = payments.account_no
            and payments.paid_date <= account_months.report_date
            and greatest(account_months.year_before_date, account_months.owned_from_date - 1) < payments.paid_date
    where payments.reversed_payment_no is not null
    group by account_months.account_no, account_months.report_date
),

final as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.report_date as as_of_date,
        account_months.is_published,
        coalesce(billed.billed_12m_cny, 0)::numeric(18, 2) as billed_12m_cny,
        coalesce(billed.expected_bill_cny, 0)::numeric(18, 2) as expected_bill_cny,
        coalesce(owed.unpaid_cny, 0)::numeric(18, 2) as unpaid_cny,
        coalesce(owed.overdue_cny, 0)::numeric(18, 2) as overdue_cny,
        coalesce(owed.old_arrears_cny, 0)::numeric(18, 2) as old_arrears_cny,
        coalesce(owed.arrears_months, 0)::integer as arrears_months,
        coalesce(owed.oldest_overdue_days, 0)::integer as oldest_overdue_days,
        coalesce(owed.penalty_open_cny, 0)::numeric(18, 2) as penalty_open_cny,
        coalesce(owed.late_bills_12m, 0)::integer as late_bills_12m,
        coalesce(owed.weighted_late_days, 0)::numeric(14, 6) as weighted_late_days,
        coalesce(reversed.reversed_payments_12m, 0)::integer as reversed_payments_12m,
        (
            coalesce(owed.unpaid_cny, 0) * billed.outstanding_days
            / nullif(billed.billed_recently_cny, 0)
        )::numeric(14, 4) as days_sales_outstanding
    from account_months
    left join owed on account_months.account_no = owed.account_no and account_months.report_date = owed.report_date
    left join billed on account_months.account_no = billed.account_no and account_months.report_date = billed.report_date
    left join reversed
        on account_months.account_no = reversed.account_no and account_months.report_date = reversed.report_date
)

select * from final
