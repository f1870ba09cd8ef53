-- Prices by which rules tell what a difference costs: those that the customer was billed by, so that an auditor finds them on
-- the bill. Reversals and what they reverse are left out.
{%- set month_end = "(bills.bill_month + interval '1 month' - interval '1 day')::date" %}
with bills as (
    select distinct on (bill_no) *
    from {{ ref('stg_marketing__bills') }}
    where orig_bill_no is null and status_code is distinct from 'REVERSED' and bill_month <= {{ business_date() }}
    order by bill_no, _raw_id desc
),

agreed as (
    select
        bills.bill_no,
        max(assignments.contract_demand_kw) as contract_demand_kw
    from bills
    inner join {{ ref('stg_marketing__tariff_assignments') }} as assignments
        on bills.account_no = assignments.account_no and {{ is_valid_on('assignments', month_end) }}
    where bills.basic_mode_code = 'BY_CONTRACT_MD'
    group by bills.bill_no
),

-- What a kVA or kW cost after the reduction of the demand price, if there was one.
charged as (
    select
        bills.*,
        coalesce(bills.basic_charge_cny / nullif(bills.basic_quantity, 0), bills.basic_price_cny) as basic_unit_cny
    from bills
),

final as (
    select
        bills.bill_no,
        bills.account_no,
        bills.bill_month,
        bills.billed_kwh as bill_kwh,
        bills.total_charge_cny as bill_total_cny,
        bills.total_charge_cny / nullif(bills.billed_kwh, 0) as average_price_cny,
        case when bills.basic_mode_code = 'BY_CAPACITY' then bills.basic_unit_cny else 0 end as capacity_price_cny,
        case when bills.basic_mode_code in ('BY_ACTUAL_MD', 'BY_CONTRACT_MD') then bills.basic_unit_cny else 0 end as demand_price_cny,
        -- A demand above this is charged, each kW of it so many times: the whole of an actual demand, of an agreed one the excess.
        case
            when bills.basic_mode_code = 'BY_CONTRACT_MD'
                then agreed.contract_demand_kw * {{ parameter('tariff_parameters', 'over_demand_limit_share', month_end) }}
            else 0
        end as charged_above_kw,
        case
            when bills.basic_mode_code = 'BY_CONTRACT_MD' then {{ parameter('tariff_parameters', 'over_demand_factor', month_end) }}
            else 1
        end as charged_times
    from charged as bills
    left join agreed on bills.bill_no = agreed.bill_no
)

select * from final
