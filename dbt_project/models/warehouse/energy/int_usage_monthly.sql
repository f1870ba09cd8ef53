with months as (
    select * from {{ ref('dim_closed_months') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
    where account_no is not null and bill_month is not null
),

register_months as (
    select * from {{ ref('int_register_points_monthly') }}
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account and account_no is not null
),

rates as (
    select * from {{ ref('int_load_monthly') }}
),

-- A correction is a negative bill and a new one: energy and money are the sum of all, demand and factor those of the newest.
billed as (
    select
        account_no,
        bill_month as month_start_date,
        sum(billed_kwh) as energy_kwh,
        sum(sharp_kwh) as sharp_kwh,
        sum(peak_kwh) as peak_kwh,
        sum(flat_kwh) as flat_kwh,
        sum(valley_kwh) as valley_kwh,
        sum(deep_kwh) as deep_kwh,
        (array_agg(actual_demand_kw order by total_charge_cny >= 0 desc, issued_date desc nulls last, bill_no desc))[1]
            as max_demand_kw,
        (array_agg(power_factor order by total_charge_cny >= 0 desc, issued_date desc nulls last, bill_no desc))[1]
            as power_factor
    from bills
    group by account_no, bill_month
    having bool_or(total_charge_cny >= 0 and status_code is distinct from 'REVERSED')
),

-- The demand of several feeds is added, whenever each of them had its maximum; rates count where every feed has them.
register_points as (
    select
        account_no,
        metering_point_no,
        month_start_date,
        sum(energy_kwh) filter (where energy_kind_code = 'ACTIVE') as energy_kwh,
        sum(energy_kwh) filter (where energy_kind_code = 'REACTIVE_Q1') as lagging_kvarh,
        sum(energy_kwh) filter (where energy_kind_code = 'REACTIVE_Q4') as leading_kvarh,
        sum(sharp_kwh) filter (where energy_kind_code = 'ACTIVE') as sharp_kwh,
        sum(peak_kwh) filter (where energy_kind_code = 'ACTIVE') as peak_kwh,
        sum(flat_kwh) filter (where energy_kind_code = 'ACTIVE') as flat_kwh,
        sum(valley_kwh) filter (where energy_kind_code = 'ACTIVE') as valley_kwh,
        sum(deep_kwh) filter (where energy_kind_code = 'ACTIVE') as deep_kwh,
        coalesce(
            bool_or(num_nonnulls(sharp_kwh, peak_kwh, flat_kwh, valley_kwh, deep_kwh) > 0)
            filter (where energy_kind_code = 'ACTIVE'), false
        ) as has_rates,
        max(max_demand_kw) filter (where energy_kind_code = 'ACTIVE') as max_demand_kw,
        coalesce(bool_or(is_partial) filter (where energy_kind_code in ('REACTIVE_Q1', 'REACTIVE_Q4')), false)
            as is_reactive_partial
    from register_months
    group by account_no, metering_point_no, month_start_date
),

curve_points as (
    select
        account_no,
        metering_point_no,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        sum(consumption_kwh) as energy_kwh,
        sum(lagging_kvarh) as lagging_kvarh,
        sum(leading_kvarh) as leading_kvarh,
        null::numeric as sharp_kwh,
        null::numeric as peak_kwh,
        null::numeric as flat_kwh,
        null::numeric as valley_kwh,
        null::numeric as deep_kwh,
        false as has_rates,
        max(max_kw) as max_demand_kw,
        false as is_reactive_partial
    from energy_days
    group by account_no, metering_point_no, date_trunc('month', reading_date::timestamp)::date
),

points as (
    select 'REGISTERS' as usage_basis_code, * from register_points
    union all
    select 'CURVES' as usage_basis_code, * from curve_points
),

metered as (
    select
        usage_basis_code,
        account_no,
        month_start_date,
        sum(energy_kwh) as energy_kwh,
        case when not bool_or(is_reactive_partial) then sum(lagging_kvarh) end as lagging_kvarh,
        case when not bool_or(is_reactive_partial) then sum(leading_kvarh) end as leading_kvarh,
        case when bool_and(has_rates) then sum(sharp_kwh) end as sharp_kwh,
        case when bool_and(has_rates) then sum(peak_kwh) end as peak_kwh,
        case when bool_and(has_rates) then sum(flat_kwh) end as flat_kwh,
        case when bool_and(has_rates) then sum(valley_kwh) end as valley_kwh,
        case when bool_and(has_rates) then sum(deep_kwh) end as deep_kwh,
        case when count(max_demand_kw) = count(*) then sum(max_demand_kw) end as max_demand_kw
    from points
    group by usage_basis_code, account_no, month_start_date
    having count(energy_kwh) = count(*)
),

known as (
    select
        'BILL' as usage_basis_code,
        billed.*
    from billed
    union all
    select
        metered.usage_basis_code,
        metered.account_no,
        metered.month_start_date,
        metered.energy_kwh,
        coalesce(metered.sharp_kwh, rates.sharp_kwh),
        coalesce(metered.peak_kwh, rates.peak_kwh),
        coalesce(metered.flat_kwh, rates.flat_kwh),
        coalesce(metered.valley_kwh, rates.valley_kwh),
        coalesce(metered.deep_kwh, rates.deep_kwh),
        metered.max_demand_kw,
        {{ power_factor(
            'metered.energy_kwh',
            "(metered.lagging_kvarh + case when "
            ~ text_parameter('mart_parameters', 'reactive_basis', 'months.report_date')
            ~ " = 'lagging' then 0 else coalesce(metered.leading_kvarh, 0) end)"
        ) }} as power_factor
    from metered
    inner join months on metered.month_start_date = months.month_start_date
    left join rates
        on
            metered.usage_basis_code = 'CURVES'
            and metered.account_no = rates.account_no
            and metered.month_start_date = rates.month_start_date
    where metered.usage_basis_code = 'REGISTERS' or months.collected_from_date <= months.month_start_date
),

-- What was billed is what advice must explain; without a bill the registers tell, else the curves.
final as (
    select distinct on (known.account_no, known.month_start_date)
        known.account_no,
        known.month_start_date,
        known.usage_basis_code,
        known.energy_kwh::numeric(20, 4) as energy_kwh,
        known.sharp_kwh::numeric(20, 4) as sharp_kwh,
        known.peak_kwh::numeric(20, 4) as peak_kwh,
        known.flat_kwh::numeric(20, 4) as flat_kwh,
        known.valley_kwh::numeric(20, 4) as valley_kwh,
        known.deep_kwh::numeric(20, 4) as deep_kwh,
        known.max_demand_kw::numeric(18, 6) as max_demand_kw,
        known.power_factor::numeric(24, 20) as power_factor
    from known
    inner join months on known.month_start_date = months.month_start_date
    order by
        known.account_no,
        known.month_start_date,
        array_position(array['BILL', 'REGISTERS', 'CURVES'], known.usage_basis_code)
)

select * from final
