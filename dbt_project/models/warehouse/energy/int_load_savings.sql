with months as (
    select * from {{ ref('dim_closed_months') }}
),

charges as (
    select * from {{ ref('int_charges_monthly') }}
),

loads as (
    select * from {{ ref('int_load_monthly') }}
),

transformers as (
    select * from {{ ref('dim_transformers') }}
    where state_code = 'RUN'
),

rules as (
    select
        months.month_start_date,
        months.known_hours,
        {{ parameters_on('saving_parameters', [
            'min_known_days', 'transformer_load_limit', 'no_load_loss_w_per_kva', 'shift_min_peak_share',
            'base_load_min_share', 'base_load_max_load_factor', 'base_load_reducible_share',
        ], 'months.report_date') }}
    from months
),

-- The largest transformer that the others can spare: any where a month had no demand. A bill of no energy has no losses to save.
needed as (
    select
        *,
        case when max_demand_kw = 0 then 0 else max_demand_kw / nullif(power_factor, 0) end as needed_kva,
        case when energy_kwh = 0 then 0 else 1 end as loss_share,
        case when energy_kwh = 0 then coalesce(kwh_price_cny, 0) else kwh_price_cny end as loss_price_cny
    from charges
),

spared as (
    select distinct on (charges.account_no, charges.month_start_date)
        charges.account_no,
        charges.month_start_date,
        transformers.capacity_kva,
        charges.loss_share * transformers.capacity_kva * rules.no_load_loss_w_per_kva / 1000 * rules.known_hours as saved_kwh,
        case when charges.basic_mode_code = 'BY_CAPACITY' then charges.basic_price_cny else 0 end as capacity_price_cny,
        charges.loss_price_cny as kwh_price_cny,
        charges.needed_kva,
        (charges.running_capacity_kva - transformers.capacity_kva) * rules.transformer_load_limit as left_kva
    from needed as charges
    inner join rules on charges.month_start_date = rules.month_start_date
    inner join transformers
        on
            charges.account_no = transformers.account_no
            and transformers.valid_from <= charges.month_start_date
            and (transformers.valid_to is null or charges.report_date < transformers.valid_to)
    where charges.needed_kva <= (charges.running_capacity_kva - transformers.capacity_kva) * rules.transformer_load_limit
    order by charges.account_no, charges.month_start_date, transformers.capacity_kva desc, transformers.transformer_no
),

suspend_tran as (
    select
        account_no,
        month_start_date,
        'SUSPEND_TRAN' as advice_code,
        capacity_kva as quantity,
        'kVA' as quantity_unit,
        saved_kwh as saving_kwh,
        capacity_kva * capacity_price_cny + saved_kwh * kwh_price_cny as saving_cny,
        format(
            '%s kVA needed, %s kVA left at full permitted load; %s kVA x %s yuan + %s kWh no-load loss x %s yuan',
            round(needed_kva, 1), round(left_kva, 1), round(capacity_kva), round(capacity_price_cny, 2),
            round(saved_kwh, 1), round(kwh_price_cny, 4)
        ) as calculation
    from spared
),

shift_valley as (
    select
        charges.account_no,
        charges.month_start_date,
        'SHIFT_VALLEY' as advice_code,
        charges.shiftable_kwh as quantity,
        'kWh' as quantity_unit,
        null::numeric as saving_kwh,
        charges.shift_value_cny as saving_cny,
        format(
            'sharp %s + peak %s of %s kWh; %s kWh of them at sharp or peak price less valley price',
            round(coalesce(charges.sharp_kwh, 0)), round(coalesce(charges.peak_kwh, 0)), round(charges.energy_kwh),
            round(charges.shiftable_kwh)
        ) as calculation
    from charges
    inner join rules on charges.month_start_date = rules.month_start_date
    where
        charges.is_tou
        and coalesce(charges.sharp_kwh, 0) + coalesce(charges.peak_kwh, 0) >= rules.shift_min_peak_share * charges.energy_kwh
),

baseload as (
    select
        charges.account_no,
        charges.month_start_date,
        'BASELOAD' as advice_code,
        loads.base_kw as quantity,
        'kW' as quantity_unit,
        switched_off.kwh as saving_kwh,
        switched_off.kwh * charges.kwh_price_cny as saving_cny,
        format(
            'base load %s of %s kW mean; %s of it over %s h x %s yuan',
            round(loads.base_kw, 2), round(loads.average_kw, 2), round(rules.base_load_reducible_share, 2), rules.known_hours,
            round(charges.kwh_price_cny, 4)
        ) as calculation
    from charges
    inner join rules on charges.month_start_date = rules.month_start_date
    inner join loads on charges.account_no = loads.account_no and charges.month_start_date = loads.month_start_date
    cross join lateral (
        select loads.base_kw * rules.base_load_reducible_share * rules.known_hours as kwh
    ) as switched_off
    where
        loads.known_days >= rules.min_known_days
        and loads.base_kw >= rules.base_load_min_share * loads.average_kw
        and loads.average_kw <= rules.base_load_max_load_factor * loads.max_kw
),

savings as (
    select * from suspend_tran
    union all
    select * from shift_valley
    union all
    select * from baseload
),

final as (
    select
        account_no,
        month_start_date,
        advice_code,
        quantity::numeric(20, 4) as quantity,
        quantity_unit,
        saving_kwh::numeric(20, 4) as saving_kwh,
        saving_cny::numeric(16, 2) as saving_cny,
        calculation
    from savings
)

select * from final
