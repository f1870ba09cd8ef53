{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['reading_date']}, {'columns': ['dip_events']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date'}}
) }}

with voltage_days as (
    select * from {{ touched(ref('fct_voltage_daily')) }}
),

curves as (
    select * from {{ touched(ref('int_curves_validated')) }}
    where quantity_code = 'U' and phase_code in ('A', 'B', 'C')
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

alarms as (
    select * from {{ ref('stg_metering__event_alarms') }}
),

voltages as (
    select
        metering_point_no,
        reading_date,
        max(account_no) as account_no,
        bool_or(is_counted_in_account) as is_counted_in_account,
        max(nominal_v) as nominal_v,
        count(*)::integer as phases,
        sum(valid_slots)::integer as valid_slots,
        sum(in_band_slots)::integer as in_band_slots,
        sum(over_slots)::integer as over_slots,
        sum(under_slots)::integer as under_slots,
        sum(outage_slots)::integer as outage_slots,
        sum(missing_slots)::integer as missing_slots,
        min(voltage_min_v) as voltage_min_v,
        max(voltage_max_v) as voltage_max_v,
        sum(voltage_average_v * valid_slots) / nullif(sum(valid_slots), 0) as voltage_average_v
    from voltage_days
    group by metering_point_no, reading_date
),

-- Only four-wire meters tell all three voltages; the angle between them is not measured and taken as 120 degrees.
three_phases as (
    select
        phase_a.metering_point_no,
        phase_a.reading_date,
        phase_a.values_by_slot as a_values,
        phase_b.values_by_slot as b_values,
        phase_c.values_by_slot as c_values,
        phase_a.slot_states || phase_b.slot_states || phase_c.slot_states as states
    from curves as phase_a
    inner join curves as phase_b
        on phase_a.metering_point_no = phase_b.metering_point_no and phase_a.reading_date = phase_b.reading_date
    inner join curves as phase_c
        on phase_a.metering_point_no = phase_c.metering_point_no and phase_a.reading_date = phase_c.reading_date
    inner join metering_points
        on
            phase_a.metering_point_no = metering_points.metering_point_no
            and {{ is_valid_on('metering_points', 'phase_a.reading_date') }}
    where
        metering_points.wiring_code = '3P4W'
        and phase_a.phase_code = 'A' and phase_b.phase_code = 'B' and phase_c.phase_code = 'C'
),

line_voltages as materialized (
    select
        three_phases.metering_point_no,
        three_phases.reading_date,
        {{ line_voltage('slots.a_v', 'slots.b_v') }} as ab_v,
        {{ line_voltage('slots.b_v', 'slots.c_v') }} as bc_v,
        {{ line_voltage('slots.c_v', 'slots.a_v') }} as ca_v
    from three_phases
    cross join lateral unnest(three_phases.a_values, three_phases.b_values, three_phases.c_values)
        with ordinality as slots (a_v, b_v, c_v, slot_no)
    where
        three_phases.states = repeat('V', 3 * 96)
        or (
            substr(three_phases.states, slots.slot_no::integer, 1) = 'V'
            and substr(three_phases.states, 96 + slots.slot_no::integer, 1) = 'V'
            and substr(three_phases.states, 2 * 96 + slots.slot_no::integer, 1) = 'V'
        )
),

unbalances as materialized (
    select
        metering_point_no,
        reading_date,
        {{ voltage_unbalance_pct('ab_v', 'bc_v', 'ca_v') }} as unbalance_pct
    from line_voltages
),

unbalance_days as (
    select
        metering_point_no,
        reading_date,
        count(unbalance_pct)::integer as unbalance_slots,
        (count(*) filter (
            where unbalance_pct > {{ parameter('reliability_parameters', 'unbalance_limit_pct', on='reading_date') }}
        ))::integer as unbalance_over_slots,
        max(unbalance_pct) as unbalance_max_pct,
        percentile_disc(0.95) within group (order by unbalance_pct) as unbalance_95_pct
    from unbalances
    group by metering_point_no, reading_date
),

alarm_days as (
    select
        metering_point_no,
        (started_at at time zone 'Asia/Shanghai')::date as reading_date,
        (count(distinct alarm_id) filter (where event_code = 'VOLTAGE_DIP'))::integer as dip_events,
        (count(distinct alarm_id) filter (where event_code in ('LOSS_OF_VOLTAGE', 'PHASE_LOSS')))::integer as phase_loss_events,
        (count(distinct alarm_id) filter (where event_code = 'UNBALANCE'))::integer as unbalance_events
    from alarms
    where
        metering_point_no is not null
        and {{ is_touched('metering_point_no', "(started_at at time zone 'Asia/Shanghai')::date") }}
    group by metering_point_no, (started_at at time zone 'Asia/Shanghai')::date
),

final as (
    select
        metering_point_no,
        reading_date,
        voltages.account_no,
        voltages.is_counted_in_account,
        voltages.nominal_v,
        voltages.phases,
        voltages.voltage_min_v::numeric(14, 4) as voltage_min_v,
        voltages.voltage_max_v::numeric(14, 4) as voltage_max_v,
        voltages.voltage_average_v::numeric(14, 4) as voltage_average_v,
        voltages.valid_slots,
        voltages.in_band_slots,
        voltages.over_slots,
        voltages.under_slots,
        voltages.outage_slots,
        voltages.missing_slots,
        {{ qualified_pct('voltages.valid_slots', 'voltages.over_slots + voltages.under_slots') }}::numeric(9, 6)
            as voltage_ok_pct,
        unbalance_days.unbalance_slots,
        unbalance_days.unbalance_over_slots,
        unbalance_days.unbalance_max_pct::numeric(9, 4) as unbalance_max_pct,
        unbalance_days.unbalance_95_pct::numeric(9, 4) as unbalance_95_pct,
        {{ unless_left_out('met_event_alarm', 'coalesce(alarm_days.dip_events, 0)') }} as dip_events,
        {{ unless_left_out('met_event_alarm', 'coalesce(alarm_days.phase_loss_events, 0)') }} as phase_loss_events,
        {{ unless_left_out('met_event_alarm', 'coalesce(alarm_days.unbalance_events, 0)') }} as unbalance_events
    from voltages
    full outer join alarm_days using (metering_point_no, reading_date)
    left join unbalance_days using (metering_point_no, reading_date)
)

select * from final
