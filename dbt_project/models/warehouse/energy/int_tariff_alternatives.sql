with options as (
    select * from {{ ref('int_tariff_options') }}
),

adjustments as (
    select * from {{ ref('power_factor_adjustment') }}
),

quantities as (
    select
        options.*,
        case options.basic_mode_code
            when 'BY_CAPACITY' then options.charged_capacity_kva
            when 'BY_ACTUAL_MD' then options.max_demand_kw * options.charged_month_share
            when 'BY_CONTRACT_MD'
                then options.charged_month_share * {{ billed_demand('options.max_demand_kw', 'options.contract_kw', 'options') }}
            else 0
        end as basic_quantity
    from options
),

charged as (
    select
        quantities.*,
        case
            when quantities.basic_mode_code = 'NONE' then 0
            else round(
                quantities.basic_quantity * case quantities.basic_mode_code
                    when 'BY_CAPACITY' then quantities.capacity_price_cny else quantities.demand_price_cny
                end, 2
            )
        end as gross_cny
    from quantities
),

discounted as (
    select
        charged.*,
        case
            when charged.basic_mode_code in ('BY_CONTRACT_MD', 'BY_ACTUAL_MD') and charged.earns_discount
                then round(charged.gross_cny * charged.demand_discount_share, 2)
            else 0
        end as discount_cny
    from charged
),

adjusted as (
    select
        discounted.*,
        discounted.gross_cny - discounted.discount_cny as basic_charge_cny,
        case when discounted.power_factor_standard_code is null then 0 else adjustments.pct end as adjustment_pct,
        discounted.gross_cny - discounted.discount_cny + discounted.energy_charge_cny as adjustment_base_cny
    from discounted
    left join adjustments
        on
            discounted.power_factor_standard_code = adjustments.standard
            and round(discounted.power_factor, 2) = adjustments.power_factor
            and {{ is_valid_on('adjustments', 'discounted.report_date') }}
),

final as (
    select
        account_no,
        month_start_date,
        basic_mode_code,
        tariff_code,
        is_current,
        contract_kw::numeric(16, 4) as contract_demand_kw,
        basic_quantity::numeric(18, 6) as basic_quantity,
        case basic_mode_code
            when 'BY_CAPACITY' then capacity_price_cny when 'NONE' then null else demand_price_cny
        end as basic_price_cny,
        discount_cny::numeric(16, 2) as demand_discount_cny,
        basic_charge_cny::numeric(16, 2) as basic_charge_cny,
        energy_charge_cny::numeric(18, 2) as energy_charge_cny,
        fund_charge_cny::numeric(16, 2) as fund_charge_cny,
        other_charge_cny::numeric(16, 2) as other_charge_cny,
        adjustment_pct::numeric(7, 4) as power_factor_adjustment_pct,
        adjustment_base_cny::numeric(18, 2) as power_factor_adjustment_base_cny,
        round(adjustment_base_cny * adjustment_pct / 100, 2)::numeric(16, 2) as power_factor_charge_cny,
        (
            adjustment_base_cny + round(adjustment_base_cny * adjustment_pct / 100, 2)
            + coalesce(fund_charge_cny, 0) + coalesce(other_charge_cny, 0)
        )::numeric(18, 2) as total_charge_cny,
        shifted.kwh::numeric(20, 4) as shiftable_kwh,
        shifted.value_cny::numeric(16, 2) as shift_value_cny
    from adjusted
    left join lateral (
        -- Unknown where neither rate is known; a month without sharp hours has the peak alone.
        select
            shiftable_share * coalesce(sharp_kwh + peak_kwh, sharp_kwh, peak_kwh) as kwh,
            shiftable_share * coalesce(sharp.value_cny + peak.value_cny, sharp.value_cny, peak.value_cny) as value_cny
        from (select sharp_kwh * (sharp_price_cny - valley_price_cny) as value_cny) as sharp
        cross join (select peak_kwh * (peak_price_cny - valley_price_cny) as value_cny) as peak
        where is_tou
    ) as shifted on true
)

select * from final
