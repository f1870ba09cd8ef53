with payments as (
    select * from {{ ref('stg_marketing__payments') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

final as (
    select distinct on (payments.payment_no)
        payments.payment_no,
        payments.bill_no,
        bills.account_no,
        payments.settlement_account_no,
        payments.reversed_payment_no,
        payments.channel_code,
        payments.paid_at,
        (payments.paid_at at time zone 'Asia/Shanghai')::date as paid_date,
        payments.amount_cny,
        greatest((payments.paid_at at time zone 'Asia/Shanghai')::date - bills.due_date, 0) as days_late
    from payments
    left join bills on payments.bill_no = bills.bill_no
    order by payments.payment_no, payments._raw_id desc
)

select * from final
