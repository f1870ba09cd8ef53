with terms as (
    select * from {{ ref('int_tariff_terms_monthly') }}
),

usage as (
    select * from {{ ref('int_usage_monthly') }}
),

tariff_options as (
    select * from {{ ref('tariff_options') }}
),

tariff_prices as (
    select * from {{ ref('tariff_prices') }}
),

-- Parameters of the month once, so that the formulas below read as in the tariff.
rules as materialized (
    select
        month_start_date,
        {{ parameters_on('tariff_parameters', [
            'contract_demand_floor_share', 'over_demand_limit_share', 'over_demand_factor', 'proposed_contract_demand_share',
            'demand_discount_kwh_per_kva', 'demand_discount_share',
        ], 'days.report_date') }},
        {{ parameter('saving_parameters', 'shiftable_share', 'days.report_date') }} as shiftable_share,
        {{ text_parameter('tariff_parameters', 'over105_formula', 'days.report_date') }} as over105_formula
    from (select distinct month_start_date, report_date from terms) as days
),

options as (
    select
        terms.account_no,
        terms.month_start_date,
        terms.report_date,
        terms.is_tou,
        terms.power_factor_standard_code,
        terms.charged_month_share,
        terms.charged_capacity_kva,
        tariff_options.basic_mode_code,
        tariff_options.option_tariff_code as tariff_code,
        terms.basic_mode_code = tariff_options.basic_mode_code as is_current,
        usage.energy_kwh,
        usage.sharp_kwh,
        usage.peak_kwh,
        usage.flat_kwh,
        usage.valley_kwh,
        usage.deep_kwh,
        case
            when terms.is_tou
                then coalesce(usage.sharp_kwh, 0) + coalesce(usage.peak_kwh, 0) + coalesce(usage.flat_kwh, 0)
                    + coalesce(usage.valley_kwh, 0) + coalesce(usage.deep_kwh, 0)
            else usage.energy_kwh
        end as rated_kwh,
        usage.power_factor,
        usage.max_demand_kw,
        rules.over_demand_limit_share,
        rules.over_demand_factor,
        rules.demand_discount_share,
        rules.over105_formula,
        rules.shiftable_share,
        usage.energy_kwh >= terms.contract_capacity_kva * rules.demand_discount_kwh_per_kva as earns_discount,
        greatest(
            coalesce(terms.contract_demand_kw, usage.max_demand_kw * rules.proposed_contract_demand_share),
            terms.charged_capacity_kva * rules.contract_demand_floor_share
        )::numeric(18, 6) as contract_kw
    from terms
    inner join usage on terms.account_no = usage.account_no and terms.month_start_date = usage.month_start_date
    inner join rules on terms.month_start_date = rules.month_start_date
    inner join tariff_options
        on
            terms.tariff_code = tariff_options.tariff_code
            and {{ is_valid_on('tariff_options', 'terms.report_date') }}
            and (
                terms.basic_mode_code = tariff_options.basic_mode_code
                or (
                    terms.contract_capacity_kva > tariff_options.above_capacity_kva
                    and (
                        tariff_options.below_capacity_kva is null
                        or terms.contract_capacity_kva < tariff_options.below_capacity_kva
                    )
                )
            )
),

priced as (
    select
        options.account_no,
        options.month_start_date,
        options.basic_mode_code,
        max(prices.price_cny) filter (where prices.component_code = 'CAPACITY') as capacity_price_cny,
        max(prices.price_cny) filter (where prices.component_code = 'DEMAND') as demand_price_cny,
        max(prices.price_cny) filter (where prices.component_code = 'ENERGY' and prices.rate_code = 'SHARP')
            as sharp_price_cny,
        max(prices.price_cny) filter (where prices.component_code = 'ENERGY' and prices.rate_code = 'PEAK')
            as peak_price_cny,
        max(prices.price_cny) filter (where prices.component_code = 'ENERGY' and prices.rate_code = 'VALLEY')
            as valley_price_cny,
        case
            when sum(charged.kwh) filter (where prices.component_code = 'ENERGY') = max(options.rated_kwh)
                then sum(round(charged.kwh * prices.price_cny, 2)) filter (where prices.component_code = 'ENERGY')
        end as energy_charge_cny,
        sum(round(charged.kwh * prices.price_cny, 2)) filter (where prices.component_code = 'FUND') as fund_charge_cny,
        sum(round(charged.kwh * prices.price_cny, 2)) filter (
            where prices.component_code in ('LINE_LOSS', 'SYSTEM_OPERATION')
        ) as other_charge_cny
    from options
    inner join tariff_prices as prices
        on
            options.tariff_code = prices.tariff_code
            and {{ is_valid_on('prices', 'options.report_date') }}
    cross join lateral (
        select
            case
                when prices.component_code <> 'ENERGY' then options.energy_kwh
                when not options.is_tou then case prices.rate_code when 'T' then options.energy_kwh end
                else
                    case prices.rate_code
                        when 'SHARP' then options.sharp_kwh
                        when 'PEAK' then options.peak_kwh
                        when 'FLAT' then options.flat_kwh
                        when 'VALLEY' then options.valley_kwh
                        when 'DEEP' then options.deep_kwh
                    end
            end as kwh
    ) as charged
    group by options.account_no, options.month_start_date, options.basic_mode_code
),

final as (
    select
        options.*,
        priced.capacity_price_cny,
        priced.demand_price_cny,
        priced.sharp_price_cny,
        priced.peak_price_cny,
        priced.valley_price_cny,
        priced.energy_charge_cny::numeric(18, 2) as energy_charge_cny,
        priced.fund_charge_cny::numeric(16, 2) as fund_charge_cny,
        priced.other_charge_cny::numeric(16, 2) as other_charge_cny
    from options
    inner join priced using (account_no, month_start_date, basic_mode_code)
)

select * from final
