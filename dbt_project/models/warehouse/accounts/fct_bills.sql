with bills as (
    select * from {{ ref('stg_marketing__bills') }}
),

payments as (
    select * from {{ ref('stg_marketing__payments') }}
),

penalties as (
    select * from {{ ref('stg_marketing__penalties') }}
),

charged_penalties as (
    select
        bill_no,
        sum(penalty_cny) as penalty_cny
    from penalties
    where is_waived is not true
    group by bill_no
),

paid as (
    select
        bill_no,
        sum(amount_cny) as paid_cny,
        (max(paid_at) at time zone 'Asia/Shanghai')::date as last_paid_date
    from payments
    where bill_no is not null
    group by bill_no
),

final as (
    select distinct on (bills.bill_no)
        bills.bill_no,
        bills.orig_bill_no,
        bills.account_no,
        bills.settlement_account_no,
        bills.bill_month,
        bills.read_from,
        bills.read_to,
        bills.issued_date,
        bills.due_date,
        bills.status_code,
        bills.billed_kwh,
        bills.sharp_kwh,
        bills.peak_kwh,
        bills.flat_kwh,
        bills.valley_kwh,
        bills.deep_kwh,
        bills.power_factor,
        bills.power_factor_standard_code,
        bills.power_factor_adjustment_pct,
        bills.power_factor_adjustment_base_cny,
        bills.power_factor_charge_cny,
        bills.basic_mode_code,
        bills.basic_quantity,
        bills.basic_charge_cny,
        bills.actual_demand_kw,
        bills.energy_charge_cny,
        bills.fund_charge_cny,
        bills.total_charge_cny,
        coalesce(charged_penalties.penalty_cny, 0)::numeric(16, 2) as penalty_cny,
        coalesce(paid.paid_cny, 0)::numeric(16, 2) as paid_cny,
        (
            bills.total_charge_cny + coalesce(charged_penalties.penalty_cny, 0) - coalesce(paid.paid_cny, 0)
        )::numeric(16, 2) as unpaid_cny,
        paid.last_paid_date
    from bills
    left join charged_penalties on bills.bill_no = charged_penalties.bill_no
    left join paid on bills.bill_no = paid.bill_no
    order by bills.bill_no, bills._raw_id desc
)

select * from final
