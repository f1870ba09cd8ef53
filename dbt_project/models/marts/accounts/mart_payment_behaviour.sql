with months as (
    select * from {{ ref('dim_months') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

penalties as (
    select * from {{ ref('int_bill_penalties') }}
),

payments as (
    select * from {{ ref('fct_payments') }}
    where amount_cny > 0
),

paid as (
    select
        payments.bill_no,
        max(payments.paid_at) as paid_at,
        (array_agg(payments.channel_code order by payments.paid_at desc nulls last, payments.payment_no desc))[1]
            as channel_code
    from payments
    inner join penalties on payments.bill_no = penalties.bill_no
    where penalties.settled_date is null or payments.paid_date <= penalties.settled_date
    group by payments.bill_no
),

measured as (
    select
        bills.account_no,
        bills.bill_no,
        bills.bill_month,
        bills.issued_date,
        bills.due_date,
        bills.status_code,
        bills.total_charge_cny,
        case when penalties.settled_date is not null then paid.paid_at end as paid_at,
        coalesce(penalties.days_late, 0) as days_late,
        coalesce(penalties.partial_payments, 0) as partial_count,
        paid.channel_code,
        coalesce(penalties.unpaid_cny, 0)::numeric(16, 2) as unpaid_cny,
        coalesce(penalties.penalty_due_cny, 0)::numeric(16, 2) as penalty_due_cny,
        coalesce(penalties.penalty_charged_cny, 0)::numeric(16, 2) as penalty_charged_cny,
        coalesce(penalties.penalty_waived_cny, 0)::numeric(16, 2) as penalty_waived_cny,
        case
            when penalties.settled_date is null
                then greatest(coalesce(penalties.penalty_due_cny - penalties.penalty_charged_cny - penalties.penalty_waived_cny, 0), 0)
            else 0
        end::numeric(16, 2) as penalty_accruing_cny,
        case
            when penalties.settled_date is null
                then least(coalesce(penalties.penalty_due_cny - penalties.penalty_charged_cny - penalties.penalty_waived_cny, 0), 0)
            else penalties.penalty_due_cny - penalties.penalty_charged_cny - penalties.penalty_waived_cny
        end::numeric(16, 2) as penalty_gap_cny
    from bills
    inner join months on bills.issued_date >= months.month_start_date and bills.issued_date < months.next_month_start_date
    left join penalties on bills.bill_no = penalties.bill_no
    left join paid on bills.bill_no = paid.bill_no
    where bills.account_no is not null
),

final as ({{ partial_rows('measured') }})

select * from final
