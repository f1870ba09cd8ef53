with months as (
    select * from {{ ref('dim_closed_months') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

alternatives as (
    select * from {{ ref('int_tariff_alternatives') }}
),

loads as (
    select * from {{ ref('int_load_monthly') }}
),

adjustments as (
    select * from {{ ref('power_factor_adjustment') }}
),

rules as materialized (
    select
        months.month_start_date,
        months.known_hours,
        {{ parameters_on('tariff_parameters', [
            'over_demand_limit_share', 'over_demand_factor', 'demand_discount_kwh_per_kva', 'demand_discount_share',
        ], 'months.report_date') }},
        {{ text_parameter('tariff_parameters', 'over105_formula', 'months.report_date') }} as over105_formula,
        {{ parameters_on('saving_parameters', ['min_known_days', 'reach_260_min_share'], 'months.report_date') }}
    from months
),

paying as (
    select
        charges.*,
        rules.known_hours,
        rules.over_demand_limit_share,
        rules.over_demand_factor,
        rules.over105_formula,
        rules.demand_discount_kwh_per_kva,
        rules.demand_discount_share,
        rules.min_known_days,
        rules.reach_260_min_share
    from charges
    inner join rules on charges.month_start_date = rules.month_start_date
),

-- The lowest power factor that earns the highest reward of the standard.
targets as (
    select distinct on (months.month_start_date, adjustments.standard)
        months.month_start_date,
        adjustments.standard,
        adjustments.power_factor,
        adjustments.pct
    from months
    inner join adjustments
        on
            {{ is_valid_on('adjustments', 'months.report_date') }}
    order by months.month_start_date, adjustments.standard, adjustments.pct, adjustments.power_factor
),

pf_up as (
    select
        paying.account_no,
        paying.month_start_date,
        'PF_UP' as advice_code,
        capacitor.kvar as quantity,
        'kvar' as quantity_unit,
        paying.power_factor_adjustment_base_cny * (paying.power_factor_adjustment_pct - targets.pct) / 100 as saving_cny,
        format(
            'capacitors %s kW x (tan of %s - tan of %s); %s yuan x (%s %% - %s %%)',
            round(capacitor.mean_kw, 2), round(paying.power_factor, 4), targets.power_factor,
            paying.power_factor_adjustment_base_cny, round(paying.power_factor_adjustment_pct, 2), round(targets.pct, 2)
        ) as calculation
    from paying
    inner join targets
        on
            paying.power_factor_standard_code = targets.standard
            and paying.month_start_date = targets.month_start_date
            and round(paying.power_factor, 2) < targets.power_factor
    cross join lateral (
        select
            paying.energy_kwh / nullif(paying.known_hours, 0) as mean_kw,
            paying.energy_kwh / nullif(paying.known_hours, 0)
            * ({{ tangent_of('paying.power_factor') }} - {{ tangent_of('targets.power_factor') }}) as kvar
    ) as capacitor
),

mode_switch as (
    select distinct on (paying.account_no, paying.month_start_date)
        paying.account_no,
        paying.month_start_date,
        'MODE_SWITCH' as advice_code,
        case when alternatives.basic_mode_code <> 'NONE' then alternatives.basic_quantity end as quantity,
        case alternatives.basic_mode_code when 'NONE' then null when 'BY_CAPACITY' then 'kVA' else 'kW' end as quantity_unit,
        paying.total_charge_cny - alternatives.total_charge_cny as saving_cny,
        format(
            '%s %s yuan -> %s %s yuan',
            paying.basic_mode_code, paying.total_charge_cny, alternatives.basic_mode_code, alternatives.total_charge_cny
        ) as calculation
    from paying
    inner join alternatives
        on paying.account_no = alternatives.account_no and paying.month_start_date = alternatives.month_start_date
    where alternatives.total_charge_cny < paying.total_charge_cny
    order by paying.account_no, paying.month_start_date, alternatives.total_charge_cny, alternatives.basic_mode_code
),

-- The demand of several feeds is scaled by the account's own highest days, which are known of all feeds together.
md_reduce as (
    select
        paying.account_no,
        paying.month_start_date,
        'MD_REDUCE' as advice_code,
        paying.max_demand_kw - reachable.demand_kw as quantity,
        'kW' as quantity_unit,
        reachable.saved_kw * paying.charged_month_share * paying.basic_price_cny
        * (1 - case when paying.demand_discount_cny > 0 then paying.demand_discount_share else 0 end) as saving_cny,
        format(
            'demand %s -> %s kW without its highest days; %s kW billed less x %s yuan%s',
            round(paying.max_demand_kw, 2), round(reachable.demand_kw, 2), round(reachable.saved_kw, 2),
            round(paying.basic_price_cny, 2),
            case when paying.demand_discount_cny > 0 then ', reduced for high use' else '' end
        ) as calculation
    from paying
    inner join loads
        on
            paying.account_no = loads.account_no
            and paying.month_start_date = loads.month_start_date
            and loads.known_days >= paying.min_known_days
    cross join lateral (
        select paying.max_demand_kw * loads.max_kw_without_peak_days / nullif(loads.max_kw, 0) as demand_kw
    ) as scaled
    cross join lateral (
        select
            scaled.demand_kw,
            case paying.basic_mode_code
                when 'BY_ACTUAL_MD' then paying.max_demand_kw - scaled.demand_kw
                else
                    {{ billed_demand('paying.max_demand_kw', 'paying.contract_demand_kw', 'paying') }}
                    - {{ billed_demand('scaled.demand_kw', 'paying.contract_demand_kw', 'paying') }}
            end as saved_kw
    ) as reachable
    where paying.basic_mode_code in ('BY_CONTRACT_MD', 'BY_ACTUAL_MD')
),

reach_260 as (
    select
        account_no,
        month_start_date,
        'REACH_260' as advice_code,
        contract_capacity_kva * demand_discount_kwh_per_kva - energy_kwh as quantity,
        'kWh' as quantity_unit,
        basic_charge_cny * demand_discount_share as saving_cny,
        format(
            '%s kWh / %s kVA = %s below %s kWh/kVA: the missing energy or %s kVA less earn it; %s yuan x %s',
            round(energy_kwh), round(contract_capacity_kva), round(energy_kwh / contract_capacity_kva, 2),
            round(demand_discount_kwh_per_kva), ceil(contract_capacity_kva - energy_kwh / demand_discount_kwh_per_kva),
            basic_charge_cny, round(demand_discount_share, 2)
        ) as calculation
    from paying
    where
        basic_mode_code in ('BY_CONTRACT_MD', 'BY_ACTUAL_MD')
        and energy_kwh < contract_capacity_kva * demand_discount_kwh_per_kva
        and energy_kwh >= contract_capacity_kva * demand_discount_kwh_per_kva * reach_260_min_share
),

savings as (
    select * from pf_up
    union all
    select * from mode_switch
    union all
    select * from md_reduce
    union all
    select * from reach_260
),

final as (
    select
        account_no,
        month_start_date,
        advice_code,
        quantity::numeric(20, 4) as quantity,
        quantity_unit,
        saving_cny::numeric(16, 2) as saving_cny,
        calculation
    from savings
)

select * from final
