with months as (
    select * from {{ ref('dim_closed_months') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

alternatives as (
    select * from {{ ref('int_tariff_alternatives') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

billed as (
    select
        account_no,
        bill_month as month_start_date,
        sum(basic_charge_cny)::numeric(16, 2) as basic_charge_cny,
        sum(total_charge_cny)::numeric(18, 2) as total_charge_cny
    from bills
    group by account_no, bill_month
),

compared as (
    select
        account_no,
        month_start_date,
        {% for mode, name in [
            ('BY_CAPACITY', 'capacity'), ('BY_CONTRACT_MD', 'contract_demand'), ('BY_ACTUAL_MD', 'actual_demand'),
        ] -%}
        (max(basic_charge_cny) filter (where basic_mode_code = '{{ mode }}'))::numeric(16, 2) as {{ name }}_charge_cny,
        (max(total_charge_cny) filter (where basic_mode_code = '{{ mode }}'))::numeric(18, 2) as {{ name }}_total_cny,
        {% endfor -%}
        (max(total_charge_cny) filter (where basic_mode_code = 'NONE'))::numeric(18, 2) as single_part_total_cny,
        (max(contract_demand_kw) filter (where basic_mode_code = 'BY_CONTRACT_MD'))::numeric(16, 4) as contract_demand_kw,
        max(basic_price_cny) filter (where basic_mode_code = 'BY_CAPACITY') as capacity_price_cny,
        max(basic_price_cny) filter (where basic_mode_code = 'BY_ACTUAL_MD') as demand_price_cny
    from alternatives
    group by account_no, month_start_date
),

-- The cheapest; among equals the one in force.
advised as (
    select distinct on (account_no, month_start_date)
        account_no,
        month_start_date,
        basic_mode_code,
        total_charge_cny
    from alternatives
    where total_charge_cny is not null
    order by account_no, month_start_date, total_charge_cny, is_current desc nulls last, basic_mode_code
),

measured as (
    select
        charges.account_no,
        charges.month_start_date,
        charges.org_no,
        charges.usage_basis_code,
        charges.tariff_code,
        charges.basic_mode_code,
        charges.is_tou,
        charges.charged_capacity_kva,
        charges.contract_capacity_kva,
        compared.contract_demand_kw,
        case
            when compared.contract_demand_kw is null then null
            when charges.agreed_demand_kw is null then 'PROPOSED'
            else 'AGREED'
        end as contract_demand_basis_code,
        charges.max_demand_kw::numeric(18, 4) as max_demand_kw,
        (charges.max_demand_kw / nullif(charges.charged_capacity_kva, 0))::numeric(12, 6) as demand_per_kva,
        (compared.capacity_price_cny / nullif(compared.demand_price_cny, 0))::numeric(12, 6) as break_even_demand_per_kva,
        charges.energy_kwh,
        (charges.energy_kwh / nullif(charges.contract_capacity_kva, 0))::numeric(14, 6) as kwh_per_kva,
        {% for rate in ['sharp', 'peak', 'flat', 'valley', 'deep'] -%}
        (charges.{{ rate }}_kwh / nullif(charges.energy_kwh, 0))::numeric(10, 8) as {{ rate }}_share,
        {% endfor -%}
        charges.power_factor::numeric(10, 8) as power_factor,
        charges.power_factor_standard_code,
        charges.power_factor_adjustment_pct,
        charges.power_factor_adjustment_base_cny,
        charges.power_factor_charge_cny as pf_cost_cny,
        compared.capacity_charge_cny,
        compared.contract_demand_charge_cny,
        compared.actual_demand_charge_cny,
        charges.demand_discount_cny,
        charges.basic_charge_cny,
        charges.energy_charge_cny,
        charges.fund_charge_cny,
        charges.other_charge_cny,
        charges.total_charge_cny,
        billed.basic_charge_cny as billed_basic_charge_cny,
        billed.total_charge_cny as billed_total_cny,
        compared.single_part_total_cny,
        compared.capacity_total_cny,
        compared.contract_demand_total_cny,
        compared.actual_demand_total_cny,
        advised.basic_mode_code as advised_mode_code,
        (charges.total_charge_cny - advised.total_charge_cny)::numeric(16, 2) as saving_cny,
        (
            (charges.total_charge_cny - charges.fund_charge_cny) / nullif(charges.energy_kwh, 0)
        )::numeric(12, 6) as average_price_cny_per_kwh,
        charges.shiftable_kwh,
        charges.shift_value_cny
    from charges
    inner join months on charges.month_start_date = months.month_start_date
    left join compared on charges.account_no = compared.account_no and charges.month_start_date = compared.month_start_date
    left join advised on charges.account_no = advised.account_no and charges.month_start_date = advised.month_start_date
    left join billed on charges.account_no = billed.account_no and charges.month_start_date = billed.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
