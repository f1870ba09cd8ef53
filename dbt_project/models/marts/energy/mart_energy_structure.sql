with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account and account_no is not null
),

loads as (
    select * from {{ ref('int_load_monthly') }}
),

estimates as (
    select * from {{ ref('int_estimation_monthly') }}
),

behind as (
    select * from {{ ref('int_sub_metered_monthly') }}
),

register_months as (
    select * from {{ ref('int_register_points_monthly') }}
    where energy_kind_code = 'ACTIVE'
),

terms as (
    select * from {{ ref('int_tariff_terms_monthly') }}
),

as_of_months as (
    select * from {{ ref('int_accounts_as_of_month') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

as_billed as (
    select * from {{ ref('int_power_factors_monthly') }}
),

adjustments as (
    select * from {{ ref('power_factor_adjustment') }}
),

account_months as (
    select
        accounts.account_no,
        accounts.org_no,
        coalesce(terms.running_capacity_kva, as_of_months.running_capacity_kva) as running_capacity_kva,
        terms.power_factor_standard_code,
        {{ text_parameter('mart_parameters', 'reactive_basis', 'months.report_date') }} as reactive_basis_code,
        months.month_start_date,
        months.report_date,
        case when months.is_closed then months.known_hours end as closed_hours,
        months.is_closed and months.collected_from_date <= months.month_start_date as is_whole_month
    from accounts
    inner join months
        on
            accounts.open_date <= months.report_date
            and (accounts.close_date is null or months.month_start_date <= accounts.close_date)
    left join terms on accounts.account_no = terms.account_no and months.month_start_date = terms.month_start_date
    left join as_of_months
        on accounts.account_no = as_of_months.account_no and months.month_start_date = as_of_months.month_start_date
),

energy as (
    select
        account_no,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        sum(consumption_kwh) as energy_kwh,
        sum(export_kwh) as export_kwh,
        sum(lagging_kvarh) as lagging_kvarh,
        sum(leading_kvarh) as leading_kvarh,
        sum(expected_slots) as expected_slots,
        sum(valid_slots) as valid_slots,
        sum(missing_slots) as missing_slots,
        sum(outage_slots) as outage_slots,
        sum(estimated_slots) as estimated_slots,
        count(*) as metering_point_days
    from energy_days
    group by account_no, date_trunc('month', reading_date::timestamp)::date
),

registers as (
    select
        account_no,
        month_start_date,
        coalesce(bool_or(is_partial), false) as is_register_month_partial,
        case when bool_and(energy_kwh is not null) then sum(energy_kwh) end as register_energy_kwh,
        case when bool_and(max_demand_kw is not null) then sum(max_demand_kw) end as register_max_demand_kw
    from register_months
    group by account_no, month_start_date
),

power_factors as (
    select
        energy.account_no,
        energy.month_start_date,
        {{ power_factor('energy.energy_kwh', 'energy.lagging_kvarh') }} as lagging_power_factor,
        {{ power_factor('energy.energy_kwh', '(energy.lagging_kvarh + coalesce(energy.leading_kvarh, 0))') }} as both_power_factor
    from energy
),

-- The full value is rounded once: rounded twice, .914974 would become .92.
measured as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.org_no,
        account_months.is_whole_month,
        energy.energy_kwh::numeric(20, 4) as energy_kwh,
        taken.sub_metered_kwh::numeric(20, 4) as sub_metered_kwh,
        case when energy.energy_kwh >= taken.sub_metered_kwh then energy.energy_kwh - taken.sub_metered_kwh end::numeric(20, 4) as own_energy_kwh,
        estimates.estimated_kwh,
        estimates.estimated_share,
        estimates.is_over_estimated,
        energy.export_kwh::numeric(20, 4) as export_kwh,
        energy.lagging_kvarh::numeric(20, 4) as lagging_kvarh,
        energy.leading_kvarh::numeric(20, 4) as leading_kvarh,
        loads.max_kw::numeric(18, 4) as max_kw,
        loads.max_kw_slot_started_at,
        loads.min_kw::numeric(18, 4) as min_kw,
        loads.average_kw::numeric(18, 6) as average_kw,
        (loads.average_kw / nullif(loads.max_kw, 0))::numeric(12, 8) as load_factor,
        ((loads.max_kw - loads.min_kw)::numeric / nullif(loads.max_kw, 0))::numeric(12, 8) as peak_valley_rate,
        (energy.energy_kwh::numeric / nullif(loads.max_kw, 0))::numeric(14, 4) as utilisation_hours,
        loads.base_kw,
        (loads.base_kw / nullif(loads.average_kw, 0))::numeric(12, 8) as base_load_share,
        loads.working_day_average_kw,
        loads.rest_day_average_kw,
        (loads.rest_day_average_kw / nullif(loads.working_day_average_kw, 0))::numeric(12, 8) as rest_day_ratio,
        (loads.max_kw::numeric / nullif(account_months.running_capacity_kva * power_factors.lagging_power_factor, 0))
            ::numeric(14, 6) as transformer_load_rate,
        shares.rate_basis_code,
        {% for rate in ['sharp', 'peak', 'flat', 'valley', 'deep'] -%}
        case shares.rate_basis_code
            when 'CURVES' then loads.{{ rate }}_kwh / nullif(energy.energy_kwh, 0)
            else charges.{{ rate }}_kwh / nullif(charges.energy_kwh, 0)
        end::numeric(10, 8) as {{ rate }}_share,
        {% endfor -%}
        account_months.power_factor_standard_code,
        account_months.reactive_basis_code,
        power_factors.lagging_power_factor::numeric(10, 8) as power_factor,
        with_lagging.pct as power_factor_adjustment_pct,
        power_factors.both_power_factor::numeric(10, 8) as power_factor_with_leading,
        with_leading.pct as power_factor_with_leading_adjustment_pct,
        as_billed.loss_kwh as billed_loss_kwh,
        as_billed.power_factor as power_factor_as_billed,
        as_billed.adjustment_pct as power_factor_as_billed_adjustment_pct,
        coalesce(as_billed.adjustment_cny, charges.power_factor_charge_cny)::numeric(16, 2) as power_factor_adjustment_cny,
        as_billed.billed_cny as power_factor_billed_cny,
        as_billed.difference_cny as power_factor_difference_cny,
        as_billed.difference_code as power_factor_difference_code,
        registers.is_register_month_partial,
        registers.register_energy_kwh::numeric(20, 4) as register_energy_kwh,
        registers.register_max_demand_kw::numeric(18, 4) as register_max_demand_kw,
        (
            registers.register_energy_kwh / nullif(registers.register_max_demand_kw * account_months.closed_hours, 0)
        )::numeric(12, 8) as register_load_factor,
        coalesce(energy.metering_point_days, 0)::integer as metering_point_days,
        coalesce(energy.expected_slots, 0)::integer as expected_slots,
        coalesce(energy.valid_slots, 0)::integer as valid_slots,
        coalesce(energy.estimated_slots, 0)::integer as estimated_slots,
        coalesce(energy.missing_slots, 0)::integer as missing_slots,
        coalesce(energy.outage_slots, 0)::integer as outage_slots
    from account_months
    {%- for measures in ['energy', 'estimates', 'behind', 'loads', 'registers', 'charges', 'as_billed', 'power_factors'] %}
    left join {{ measures }} using (account_no, month_start_date)
    {%- endfor %}
    cross join lateral (select case when behind.sub_points > 0 then behind.sub_metered_kwh else 0 end as sub_metered_kwh) as taken
    cross join lateral (
        select
            case
                when charges.usage_basis_code = 'BILL' then 'BILL'
                when charges.usage_basis_code = 'REGISTERS' and charges.flat_kwh is not null then 'REGISTERS'
                when loads.known_days > 0 then 'CURVES'
            end as rate_basis_code
    ) as shares
    {%- for kind, factor in [('lagging', 'lagging'), ('leading', 'both')] %}
    left join adjustments as with_{{ kind }}
        on
            {{ is_valid_on('with_' ~ kind, 'account_months.report_date') }}
            and account_months.power_factor_standard_code = with_{{ kind }}.standard
            and round(power_factors.{{ factor }}_power_factor, 2) = with_{{ kind }}.power_factor
    {%- endfor %}
),

final as ({{ partial_rows('measured') }})

select * from final
