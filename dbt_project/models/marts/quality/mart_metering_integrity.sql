{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['reading_date']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date', 'reaches_month': true}}
) }}

with months as (
    select * from {{ ref('dim_months') }}
),

energy as (
    select * from {{ touched(ref('fct_energy_daily')) }}
),

curves as (
    select * from {{ touched(ref('int_curves_validated')) }}
),

registers as (
    select * from {{ touched(ref('fct_registers_daily')) }}
    where energy_kind_code = 'ACTIVE' and direction_code = 'FWD' and rate_code = 'T'
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

meters as (
    select * from {{ ref('dim_meters') }}
),

bill_lines as (
    select * from {{ ref('fct_bill_lines') }}
),

events as (
    select * from {{ touched(ref('int_metering_events_daily'), day='event_date') }}
),

-- The energy channel has its states, the estimated slots among them, in fct_energy_daily; here are the others.
channels as (
    select
        metering_point_no,
        reading_date,
        date_trunc('month', reading_date::timestamp)::date as month_start_date,
        quantity_code || phase_code as channel_code,
        quantity_code = 'E+' as is_energy,
        cardinality(array_remove(values_by_slot, null)) as received_points,
        length(slot_states) - length(translate(slot_states, 'V', '')) as valid_points,
        length(slot_states) - length(translate(slot_states, 'O', '')) as outage_points
    from curves
),

channels_by_day as (
    select
        metering_point_no,
        reading_date,
        count(*) as channels,
        sum(received_points) as received_points,
        coalesce(sum(valid_points) filter (where not is_energy), 0) as valid_points,
        coalesce(sum(outage_points) filter (where not is_energy), 0) as outage_points
    from channels
    group by metering_point_no, reading_date
),

-- What a meter can deliver is what it did deliver on any day of the month; the energy channel besides, where it is expected.
channels_by_month as (
    select
        metering_point_no,
        month_start_date,
        count(distinct channel_code) filter (where not is_energy) as other_channels,
        bool_or(is_energy) as has_energy
    from channels
    group by metering_point_no, month_start_date
),

billed_multipliers as (
    select
        metering_point_no,
        bill_month,
        max(multiplier) as multiplier,
        lead(bill_month) over (partition by metering_point_no order by bill_month) as next_bill_month
    from bill_lines
    where multiplier is not null
    group by metering_point_no, bill_month
),

days as (
    select
        energy.*,
        months.month_start_date,
        case when energy.is_expected or channels_by_month.has_energy then 1 else 0 end as energy_channels,
        coalesce(channels_by_month.other_channels, 0) as other_channels
    from energy
    inner join months
        on {{ month_of('energy.reading_date') }} = months.month_start_date and energy.reading_date <= months.report_date
    left join channels_by_month
        on
            energy.metering_point_no = channels_by_month.metering_point_no
            and months.month_start_date = channels_by_month.month_start_date
),

counted as (
    select
        days.*,
        (days.energy_channels + days.other_channels)::integer as expected_channels,
        coalesce(channels_by_day.channels, 0)::integer as received_channels,
        (96 * (days.energy_channels + days.other_channels))::integer as expected_points,
        coalesce(channels_by_day.received_points, 0)::integer as received_points,
        (days.energy_channels * days.valid_slots + coalesce(channels_by_day.valid_points, 0))::integer as valid_points,
        (days.energy_channels * days.estimated_slots)::integer as estimated_points,
        (days.energy_channels * days.outage_slots + coalesce(channels_by_day.outage_points, 0))::integer as outage_points
    from days
    left join channels_by_day
        on
            days.metering_point_no = channels_by_day.metering_point_no
            and days.reading_date = channels_by_day.reading_date
),

compared as (
    select
        counted.*,
        metering_points.meter_asset_no,
        metering_points.multiplier,
        case when counted.missing_slots + counted.estimated_slots = 0 then counted.consumption_kwh end as whole_curve_kwh,
        registers.energy_kwh as register_kwh,
        case
            when registers.energy_kwh is not null
                then greatest(
                    {{ rule_parameter('MET-12', 'resolutions', on='counted.reading_date') }} * metering_points.multiplier
                    * 10 ^ (-coalesce(
                        meters.digits_dec, {{ rule_parameter('MET-12', 'decimals', on='counted.reading_date') }}
                    )::numeric),
                    {{ rule_parameter('MET-12', 'relative', on='counted.reading_date') }} * registers.energy_kwh
                )
        end as sum_check_limit_kwh,
        billed_multipliers.multiplier as billed_multiplier,
        events.clock_drift_minutes,
        coalesce(events.events, 0) as event_cnt,
        {{ rule_parameter('MET-04', 'tolerance_minutes', on='counted.reading_date') }} as clock_tolerance_minutes
    from counted
    left join metering_points
        on
            counted.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'counted.reading_date') }}
    left join meters on metering_points.meter_asset_no = meters.meter_asset_no
    left join registers
        on counted.metering_point_no = registers.metering_point_no and counted.reading_date = registers.reading_date
    left join billed_multipliers
        on
            counted.metering_point_no = billed_multipliers.metering_point_no
            and billed_multipliers.bill_month <= counted.month_start_date
            and (
                billed_multipliers.next_bill_month is null
                or counted.month_start_date < billed_multipliers.next_bill_month
            )
    left join events
        on counted.metering_point_no = events.metering_point_no and counted.reading_date = events.event_date
),

measured as (
    select
        metering_point_no,
        reading_date,
        account_no,
        role_code,
        meter_asset_no,
        expected_channels,
        received_channels,
        expected_points,
        received_points,
        valid_points,
        estimated_points,
        expected_points - valid_points - estimated_points - outage_points as missing_points,
        outage_points,
        (valid_points::numeric / nullif(expected_points, 0))::numeric(9, 6) as coverage,
        whole_curve_kwh::numeric(20, 4) as curve_kwh,
        register_kwh::numeric(20, 4) as register_kwh,
        (whole_curve_kwh - register_kwh)::numeric(20, 4) as sum_check_diff_kwh,
        sum_check_limit_kwh::numeric(20, 4) as sum_check_limit_kwh,
        abs(whole_curve_kwh - register_kwh) <= sum_check_limit_kwh as is_sum_check_ok,
        multiplier::numeric(18, 6) as multiplier,
        billed_multiplier::numeric(18, 6) as billed_multiplier,
        multiplier = billed_multiplier as is_multiplier_equal,
        clock_drift_minutes::numeric(14, 4) as clock_drift_minutes,
        clock_drift_minutes <= clock_tolerance_minutes as is_clock_ok,
        event_cnt
    from compared
),

final as ({{ partial_rows('measured') }})

select * from final
