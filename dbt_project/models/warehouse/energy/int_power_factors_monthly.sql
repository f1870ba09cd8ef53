-- The power factor as the bill takes it: lagging and leading energy added, with the losses that were billed, beside the bill.
with months as (
    select * from {{ ref('dim_months') }}
),

energy_days as (
    select * from {{ ref('fct_energy_daily') }}
    where is_counted_in_account and account_no is not null
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where is_counted_in_account and metering_side_code = 'HV_LV'
),

bill_lines as (
    select * from {{ ref('fct_bill_lines') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

terms as (
    select * from {{ ref('int_tariff_terms_monthly') }}
),

adjustments as (
    select * from {{ ref('power_factor_adjustment') }}
),

energy as (
    select
        account_no,
        {{ month_of('reading_date') }} as month_start_date,
        sum(consumption_kwh) as energy_kwh,
        sum(lagging_kvarh) as lagging_kvarh,
        sum(leading_kvarh) as leading_kvarh,
        sum(missing_slots + estimated_slots) as slots_not_measured
    from energy_days
    group by account_no, {{ month_of('reading_date') }}
),

losses as (
    select
        account_no,
        bill_month as month_start_date,
        sum(coalesce(transformer_loss_kwh, 0) + coalesce(line_loss_kwh, 0)) as loss_kwh,
        count(transformer_loss_kwh) > 0 as is_loss_billed
    from bill_lines
    group by account_no, bill_month
),

billed as (
    select
        account_no,
        bill_month as month_start_date,
        count(*) as bills,
        sum(power_factor_adjustment_base_cny) as base_cny,
        sum(power_factor_charge_cny) as charge_cny
    from bills
    group by account_no, bill_month
),

-- Measured on the low side of the customer's transformer, its losses are in no meter.
low_sides as (
    select distinct
        metering_points.account_no,
        months.month_start_date
    from metering_points
    inner join months
        on
            metering_points.valid_from < months.next_month_start_date
            and (metering_points.valid_to is null or months.month_start_date < metering_points.valid_to)
),

computed as (
    select
        energy.*,
        months.report_date,
        months.is_closed and months.collected_from_date <= months.month_start_date as is_whole_month,
        terms.power_factor_standard_code,
        losses.loss_kwh,
        low_sides.account_no is not null and losses.is_loss_billed is not true as is_loss_unknown,
        billed.bills,
        billed.base_cny,
        billed.charge_cny,
        {{ power_factor(
            '(energy.energy_kwh + coalesce(losses.loss_kwh, 0))',
            "(energy.lagging_kvarh + case when "
            ~ text_parameter('mart_parameters', 'reactive_basis', 'months.report_date')
            ~ " = 'lagging' then 0 else coalesce(energy.leading_kvarh, 0) end)"
        ) }} as power_factor
    from energy
    inner join months on energy.month_start_date = months.month_start_date
    left join terms on energy.account_no = terms.account_no and energy.month_start_date = terms.month_start_date
    left join losses on energy.account_no = losses.account_no and energy.month_start_date = losses.month_start_date
    left join low_sides on energy.account_no = low_sides.account_no and energy.month_start_date = low_sides.month_start_date
    left join billed on energy.account_no = billed.account_no and energy.month_start_date = billed.month_start_date
),

adjusted as (
    select
        computed.*,
        adjustments.pct,
        (case when computed.is_whole_month then adjustments.pct * computed.base_cny / 100 end)::numeric(16, 2) as adjustment_cny
    from computed
    left join adjustments
        on
            {{ is_valid_on('adjustments', 'computed.report_date') }}
            and computed.power_factor_standard_code = adjustments.standard
            and round(computed.power_factor, 2) = adjustments.power_factor
),

-- A difference of more than a hundredth of the adjustment is told with its reason; of a step of the table, by how near it is.
final as (
    select
        account_no,
        month_start_date,
        loss_kwh::numeric(20, 4) as loss_kwh,
        power_factor::numeric(10, 8) as power_factor,
        pct as adjustment_pct,
        adjustment_cny,
        charge_cny::numeric(16, 2) as billed_cny,
        (adjustment_cny - charge_cny)::numeric(16, 2) as difference_cny,
        case
            when abs(adjustment_cny - charge_cny) <= greatest(abs(charge_cny) / 100, 0.01) then null
            when adjustment_cny is null or charge_cny is null then null
            when bills > 1 then 'REBILLED'
            when is_loss_unknown then 'LOSSES_UNKNOWN'
            when slots_not_measured > 0 then 'SLOTS_MISSING'
            when abs(round(power_factor - 0.005, 2) + 0.005 - power_factor) < 0.0005
                or abs(round(power_factor, 2) + 0.005 - power_factor) < 0.0005 then 'STEP_OF_THE_TABLE'
            else 'UNEXPLAINED'
        end as difference_code
    from adjusted
)

select * from final
