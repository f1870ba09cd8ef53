with terms as (
    select * from {{ ref('int_tariff_terms_monthly') }}
),

usage as (
    select * from {{ ref('int_usage_monthly') }}
),

alternatives as (
    select * from {{ ref('int_tariff_alternatives') }}
    where is_current
),

final as (
    select
        terms.account_no,
        terms.month_start_date,
        terms.report_date,
        terms.org_no,
        terms.tariff_code,
        terms.basic_mode_code,
        terms.is_tou,
        terms.power_factor_standard_code,
        terms.contract_capacity_kva,
        terms.charged_capacity_kva,
        terms.running_capacity_kva,
        terms.charged_month_share,
        terms.contract_demand_kw as agreed_demand_kw,
        usage.usage_basis_code,
        usage.energy_kwh,
        usage.sharp_kwh,
        usage.peak_kwh,
        usage.flat_kwh,
        usage.valley_kwh,
        usage.deep_kwh,
        usage.power_factor,
        usage.max_demand_kw,
        alternatives.contract_demand_kw,
        alternatives.basic_price_cny,
        alternatives.demand_discount_cny,
        alternatives.basic_charge_cny,
        alternatives.energy_charge_cny,
        alternatives.fund_charge_cny,
        alternatives.other_charge_cny,
        alternatives.power_factor_adjustment_pct,
        alternatives.power_factor_adjustment_base_cny,
        alternatives.power_factor_charge_cny,
        alternatives.total_charge_cny,
        alternatives.shiftable_kwh,
        alternatives.shift_value_cny,
        (
            (alternatives.energy_charge_cny + coalesce(alternatives.fund_charge_cny, 0) + coalesce(alternatives.other_charge_cny, 0))
            / nullif(usage.energy_kwh, 0)
        )::numeric(12, 6) as kwh_price_cny
    from terms
    inner join usage on terms.account_no = usage.account_no and terms.month_start_date = usage.month_start_date
    left join alternatives
        on terms.account_no = alternatives.account_no and terms.month_start_date = alternatives.month_start_date
)

select * from final
