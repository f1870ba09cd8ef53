with balances as (
    select
        *,
        max(from_date) filter (where balance_cny > 0) over (partition by bill_no) as last_owed_from
    from {{ ref('int_bill_balances') }}
    where from_date <= {{ business_date() }}
),

rates as (
    select * from {{ ref('penalty_rates') }}
),

penalties as (
    select * from {{ ref('int_penalties') }}
),

charged as (
    select
        bill_no,
        coalesce(sum(penalty_cny) filter (where not is_waived), 0) as penalty_charged_cny,
        coalesce(sum(penalty_cny) filter (where is_waived), 0) as penalty_waived_cny
    from penalties
    group by bill_no
),

bills as (
    select
        bill_no,
        account_no,
        payer_class_code,
        due_date,
        sum(balance_cny) filter (where to_date is null or {{ business_date() }} < to_date) as unpaid_cny,
        min(from_date) filter (where balance_cny = 0 and from_date > coalesce(last_owed_from, '-infinity')) as settled_date,
        count(*) filter (where balance_cny > 0 and balance_cny < total_charge_cny) as partial_steps,
        sum(balance_cny * {{ overdue_days('balances', business_date()) }}) as current_year_cny_days,
        sum(balance_cny * {{ overdue_days('balances', business_date(), cross_year=true) }}) as cross_year_cny_days
    from balances
    group by bill_no, account_no, payer_class_code, due_date
),

final as (
    select
        bills.bill_no,
        bills.account_no,
        case when bills.unpaid_cny = 0 then bills.settled_date end as settled_date,
        greatest(
            case when bills.unpaid_cny = 0 then bills.settled_date else {{ business_date() }} end - bills.due_date, 0
        ) as days_late,
        bills.partial_steps::integer as partial_payments,
        bills.unpaid_cny::numeric(16, 2) as unpaid_cny,
        ({{ penalty_due_cny('bills.current_year_cny_days', 'bills.cross_year_cny_days', 'rates') }})::numeric(16, 2)
            as penalty_due_cny,
        coalesce(charged.penalty_charged_cny, 0)::numeric(16, 2) as penalty_charged_cny,
        coalesce(charged.penalty_waived_cny, 0)::numeric(16, 2) as penalty_waived_cny
    from bills
    left join rates
        on bills.payer_class_code = rates.payer_class_code and {{ is_valid_on('rates', 'bills.due_date') }}
    left join charged on bills.bill_no = charged.bill_no
)

select * from final
