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

demand_days as (
    select * from {{ ref('fct_demand_daily') }}
),

register_months as (
    select * from {{ ref('fct_registers_monthly') }}
    where is_counted_in_account and account_no is not null
),

tariffs as (
    select * from {{ ref('dim_tariffs') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

adjustments as (
    select * from {{ ref('power_factor_adjustment') }}
    where valid_from <= {{ business_date() }} and (valid_to is null or {{ business_date() }} < valid_to)
),

account_months as (
    select
        accounts.account_no,
        accounts.org_no,
        accounts.running_capacity_kva,
        months.month_start_date,
        months.report_date,
        months.is_closed and months.collected_from_date <= months.month_start_date as is_whole_month
    from accounts
    inner join months
        on
            accounts.open_date <= months.report_date
            and (accounts.close_date is null or months.month_start_date <= accounts.close_date)
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

demand as (
    select
        account_no,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        max(max_kw) as max_kw,
        min(min_kw) as min_kw,
        (array_agg(max_kw_slot_started_at order by max_kw desc nulls last, reading_date))[1] as max_kw_slot_started_at,
        sum(known_kw_sum)::numeric / nullif(sum(known_slots), 0) as average_kw,
        sum(sharp_kwh) as sharp_kwh,
        sum(peak_kwh) as peak_kwh,
        sum(flat_kwh) as flat_kwh,
        sum(valley_kwh) as valley_kwh,
        sum(deep_kwh) as deep_kwh
    from demand_days
    group by account_no, date_trunc('month', reading_date::timestamp)::date
),

registers as (
    select
        account_no,
        month_start_date,
        sum(energy_kwh) filter (where energy_kind_code = 'ACTIVE') as register_energy_kwh,
        sum(max_demand_kw) filter (where energy_kind_code = 'ACTIVE') as register_max_demand_kw
    from register_months
    group by account_no, month_start_date
),

-- Points of one account may follow several standards: the strictest one is published.
standards as (
    select
        account_months.account_no,
        account_months.month_start_date,
        max(nullif(tariffs.power_factor_standard_code, 'NONE')) as power_factor_standard_code
    from account_months
    inner join tariffs
        on
            account_months.account_no = tariffs.account_no
            and tariffs.valid_from <= account_months.report_date
            and (tariffs.valid_to is null or account_months.report_date < tariffs.valid_to)
    group by account_months.account_no, account_months.month_start_date
),

billed as (
    select
        account_no,
        bill_month as month_start_date,
        sum(power_factor_adjustment_base_cny) as adjustment_base_cny
    from bills
    group by account_no, bill_month
),

power_factors as (
    select
        energy.account_no,
        energy.month_start_date,
        {{ power_factor('energy.energy_kwh', 'energy.lagging_kvarh') }} as lagging_power_factor,
        {{ power_factor('energy.energy_kwh', '(energy.lagging_kvarh + coalesce(energy.leading_kvarh, 0))') }}
            as both_power_factor,
        {{ text_parameter('mart_parameters', 'reactive_basis') }} as reactive_basis_code
    from energy
),

-- The full value is rounded once: rounded twice, .914974 would become .92.
final as (
    select
        account_months.account_no,
        account_months.month_start_date,
        account_months.org_no,
        account_months.is_whole_month,
        energy.energy_kwh::numeric(20, 4) as energy_kwh,
        energy.export_kwh::numeric(20, 4) as export_kwh,
        energy.lagging_kvarh::numeric(20, 4) as lagging_kvarh,
        energy.leading_kvarh::numeric(20, 4) as leading_kvarh,
        demand.max_kw::numeric(18, 4) as max_kw,
        demand.max_kw_slot_started_at,
        demand.min_kw::numeric(18, 4) as min_kw,
        demand.average_kw::numeric(18, 6) as average_kw,
        (demand.average_kw / nullif(demand.max_kw, 0))::numeric(12, 8) as load_factor,
        ((demand.max_kw - demand.min_kw)::numeric / nullif(demand.max_kw, 0))::numeric(12, 8) as peak_valley_rate,
        (energy.energy_kwh::numeric / nullif(demand.max_kw, 0))::numeric(14, 4) as utilisation_hours,
        (
            demand.max_kw::numeric / nullif(account_months.running_capacity_kva * power_factors.lagging_power_factor, 0)
        )::numeric(14, 6) as transformer_load_rate,
        (demand.sharp_kwh::numeric / nullif(energy.energy_kwh, 0))::numeric(10, 8) as sharp_share,
        (demand.peak_kwh::numeric / nullif(energy.energy_kwh, 0))::numeric(10, 8) as peak_share,
        (demand.flat_kwh::numeric / nullif(energy.energy_kwh, 0))::numeric(10, 8) as flat_share,
        (demand.valley_kwh::numeric / nullif(energy.energy_kwh, 0))::numeric(10, 8) as valley_share,
        (demand.deep_kwh::numeric / nullif(energy.energy_kwh, 0))::numeric(10, 8) as deep_share,
        standards.power_factor_standard_code,
        power_factors.reactive_basis_code,
        power_factors.lagging_power_factor::numeric(10, 8) as power_factor,
        with_lagging.pct as power_factor_adjustment_pct,
        power_factors.both_power_factor::numeric(10, 8) as power_factor_with_leading,
        with_leading.pct as power_factor_with_leading_adjustment_pct,
        (
            case power_factors.reactive_basis_code when 'lagging' then with_lagging.pct else with_leading.pct end
            * billed.adjustment_base_cny
            / 100
            * case when account_months.is_whole_month then 1 end
        )::numeric(16, 2) as power_factor_adjustment_cny,
        registers.register_energy_kwh::numeric(20, 4) as register_energy_kwh,
        registers.register_max_demand_kw::numeric(18, 4) as register_max_demand_kw,
        coalesce(energy.metering_point_days, 0)::integer as metering_point_days,
        coalesce(energy.expected_slots, 0)::integer as expected_slots,
        coalesce(energy.valid_slots, 0)::integer as valid_slots,
        coalesce(energy.estimated_slots, 0)::integer as estimated_slots,
        coalesce(energy.missing_slots, 0)::integer as missing_slots,
        coalesce(energy.outage_slots, 0)::integer as outage_slots
    from account_months
    left join energy using (account_no, month_start_date)
    left join demand using (account_no, month_start_date)
    left join registers using (account_no, month_start_date)
    left join standards using (account_no, month_start_date)
    left join billed using (account_no, month_start_date)
    left join power_factors using (account_no, month_start_date)
    left join adjustments as with_lagging
        on
            standards.power_factor_standard_code = with_lagging.standard
            and round(power_factors.lagging_power_factor, 2) = with_lagging.power_factor
    left join adjustments as with_leading
        on
            standards.power_factor_standard_code = with_leading.standard
            and round(power_factors.both_power_factor, 2) = with_leading.power_factor
)

select * from final
