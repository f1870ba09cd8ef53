with bills as (
    select * from {{ ref('fct_bills') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
    where paid_date is not null and amount_cny is not null
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

-- A correction is a negative bill and a new one: the negative one settles the bill that it names.
settlements as (
    select
        bill_no,
        paid_date as settled_date,
        amount_cny
    from payments
    where bill_no is not null
    union all
    select
        orig_bill_no as bill_no,
        issued_date as settled_date,
        -total_charge_cny as amount_cny
    from bills
    where orig_bill_no is not null and total_charge_cny < 0
),

steps as (
    select
        bills.bill_no,
        bills.issued_date as from_date,
        0 as settled_cny
    from bills
    union all
    select
        settlements.bill_no,
        greatest(settlements.settled_date, bills.issued_date) as from_date,
        settlements.amount_cny as settled_cny
    from settlements
    inner join bills on settlements.bill_no = bills.bill_no
),

steps_by_day as (
    select
        bill_no,
        from_date,
        sum(settled_cny) as settled_cny
    from steps
    group by bill_no, from_date
),

followed as (
    select
        bill_no,
        from_date,
        lead(from_date) over by_day as to_date,
        sum(settled_cny) over by_day as settled_cny
    from steps_by_day
    window by_day as (partition by bill_no order by from_date nulls last)
),

final as (
    select
        followed.bill_no,
        followed.from_date,
        followed.to_date,
        bills.account_no,
        bills.bill_month,
        bills.issued_date,
        bills.due_date,
        case when accounts.customer_class_code = 'RESIDENT' then 'RESIDENT' else 'OTHER' end as payer_class_code,
        bills.total_charge_cny,
        followed.settled_cny::numeric(16, 2) as settled_cny,
        greatest(bills.total_charge_cny - followed.settled_cny, 0)::numeric(16, 2) as balance_cny
    from followed
    inner join bills on followed.bill_no = bills.bill_no
    left join accounts on bills.account_no = accounts.account_no
    where bills.total_charge_cny > 0 and followed.from_date is not null
)

select * from final
