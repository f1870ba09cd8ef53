-- What the last bill of an account would cost more or less by the contract's terms than by those of the archive, term by
-- term, all else as billed. An account with several main points is priced by the terms of each; the largest difference counts.
with bills as (
    select
        bills.*,
        terms.metering_point_no,
        terms.month_end_date,
        terms.running_capacity_kva,
        terms.marketing_capacity_kva,
        terms.contract_tariff_code,
        terms.marketing_tariff_code,
        terms.contract_standard_code,
        terms.marketing_standard_code,
        terms.contract_mode_code,
        terms.marketing_mode_code,
        terms.contract_demand_kw,
        terms.marketing_demand_kw
    from {{ ref('int_terms_in_force') }} as terms
    inner join {{ ref('int_accounts_last_billed') }} as last_billed on terms.account_no = last_billed.account_no
    inner join {{ ref('stg_marketing__bills') }} as bills on last_billed.bill_no = bills.bill_no
    where
        terms.contract_tariff_code <> terms.marketing_tariff_code
        or terms.contract_standard_code <> terms.marketing_standard_code
        or terms.contract_mode_code <> terms.marketing_mode_code
        or terms.contract_demand_kw <> terms.marketing_demand_kw
),

prices as (
    select prices.*
    from {{ ref('tariff_prices') }} as prices
    inner join (select distinct month_end_date from bills) as months on {{ is_valid_on('prices', 'months.month_end_date') }}
),

-- Energy by rate, what is charged for every kWh beside it, and the basic charge.
parts as (
    select
        bills.account_no,
        bills.metering_point_no,
        'ENERGY' as component_code,
        lines.rate_code,
        sum(lines.billed_kwh) as quantity
    from bills
    inner join {{ ref('stg_marketing__bill_lines') }} as lines on bills.bill_no = lines.bill_no
    group by bills.account_no, bills.metering_point_no, lines.rate_code
    union all
    select
        bills.account_no,
        bills.metering_point_no,
        surcharges.component_code,
        'T' as rate_code,
        bills.billed_kwh as quantity
    from bills
    cross join (values ('FUND'), ('LINE_LOSS'), ('SYSTEM_OPERATION')) as surcharges (component_code)
    union all
    select
        account_no,
        metering_point_no,
        case basic_mode_code when 'BY_CAPACITY' then 'CAPACITY' else 'DEMAND' end as component_code,
        'T' as rate_code,
        basic_quantity as quantity
    from bills
    where basic_mode_code <> 'NONE'
),

-- A tariff without a price for energy is not in the list; one without another price does not charge for that.
tariffs as (
    select
        bills.account_no,
        bills.metering_point_no,
        abs(sum(
            parts.quantity * (coalesce(contract.price_cny, 0) - coalesce(marketing.price_cny, 0))
            * case
                when parts.component_code in ('ENERGY', 'CAPACITY', 'DEMAND')
                    then 1 + coalesce(bills.power_factor_adjustment_pct, 0) / 100
                else 1
            end
        )) as difference_cny
    from bills
    inner join parts using (account_no, metering_point_no)
    left join prices as contract
        on
            bills.contract_tariff_code = contract.tariff_code
            and parts.component_code = contract.component_code
            and parts.rate_code = contract.rate_code
    left join prices as marketing
        on
            bills.marketing_tariff_code = marketing.tariff_code
            and parts.component_code = marketing.component_code
            and parts.rate_code = marketing.rate_code
    where bills.contract_tariff_code <> bills.marketing_tariff_code
    group by bills.account_no, bills.metering_point_no
    having bool_and(
        parts.component_code <> 'ENERGY' or parts.quantity = 0 or num_nulls(contract.price_cny, marketing.price_cny) = 0
    )
),

adjustments as (
    select adjustments.*
    from {{ ref('power_factor_adjustment') }} as adjustments
    inner join (select distinct month_end_date from bills) as months
        on {{ is_valid_on('adjustments', 'months.month_end_date') }}
),

standards as (
    select
        bills.account_no,
        bills.metering_point_no,
        abs(
            case when bills.contract_standard_code = 'NONE' then 0 else contract.pct end
            - case when bills.marketing_standard_code = 'NONE' then 0 else marketing.pct end
        ) / 100 * abs(bills.power_factor_adjustment_base_cny) as difference_cny
    from bills
    left join adjustments as contract
        on bills.contract_standard_code = contract.standard and round(bills.power_factor, 2) = contract.power_factor
    left join adjustments as marketing
        on bills.marketing_standard_code = marketing.standard and round(bills.power_factor, 2) = marketing.power_factor
    where bills.contract_standard_code <> bills.marketing_standard_code
),

rules as materialized (
    select
        months.month_end_date,
        {{ parameters_on('tariff_parameters', [
            'over_demand_limit_share', 'over_demand_factor', 'demand_discount_kwh_per_kva', 'demand_discount_share',
        ], 'months.month_end_date') }},
        {{ text_parameter('tariff_parameters', 'over105_formula', 'months.month_end_date') }} as over105_formula
    from (select distinct month_end_date from bills) as months
),

bases as (
    select
        bills.account_no,
        bills.metering_point_no,
        sides.sign,
        case sides.basic_mode_code
            when 'NONE' then 0
            when 'BY_CAPACITY'
                then case when bills.basic_mode_code = 'BY_CAPACITY' then bills.basic_quantity else bills.running_capacity_kva end
                    * capacity.price_cny
            else
                case sides.basic_mode_code
                    when 'BY_CONTRACT_MD' then {{ billed_demand('bills.actual_demand_kw', 'sides.contract_kw', 'rules') }}
                    else bills.actual_demand_kw
                end
                * demand.price_cny
                * case
                    when bills.billed_kwh >= bills.marketing_capacity_kva * rules.demand_discount_kwh_per_kva
                        then 1 - rules.demand_discount_share
                    else 1
                end
        end as charge_cny
    from bills
    inner join rules on bills.month_end_date = rules.month_end_date
    cross join lateral (
        values
        (1, bills.contract_mode_code, bills.contract_demand_kw),
        (-1, bills.marketing_mode_code, bills.marketing_demand_kw)
    ) as sides (sign, basic_mode_code, contract_kw)
    left join prices as capacity
        on bills.marketing_tariff_code = capacity.tariff_code and capacity.component_code = 'CAPACITY'
    left join prices as demand
        on bills.marketing_tariff_code = demand.tariff_code and demand.component_code = 'DEMAND'
    where bills.contract_mode_code <> bills.marketing_mode_code or bills.contract_demand_kw <> bills.marketing_demand_kw
),

basic_charges as (
    select
        account_no,
        metering_point_no,
        abs(sum(sign * charge_cny)) as difference_cny
    from bases
    group by account_no, metering_point_no
    having count(charge_cny) = 2
),

final as (
    select
        bills.account_no,
        bills.bill_no,
        max(round(tariffs.difference_cny, 2)) as tariff_difference_cny,
        max(round(standards.difference_cny, 2)) as power_factor_difference_cny,
        max(round(basic_charges.difference_cny, 2)) as basic_difference_cny
    from bills
    left join tariffs using (account_no, metering_point_no)
    left join standards using (account_no, metering_point_no)
    left join basic_charges using (account_no, metering_point_no)
    group by bills.account_no, bills.bill_no
)

select * from final
