{{ config(meta={'changed_days': ["(started_at at time zone 'Asia/Shanghai')::date", "(ended_at at time zone 'Asia/Shanghai')::date"]}) }}

with events as (
    select * from {{ ref('int_outages_by_event') }}
),

outage_loads as (
    select * from {{ ref('int_outage_loads') }}
    where loaded_slots > 0
),

dark_days as (
    select * from {{ ref('int_dark_days') }}
),

curves as (
    select * from {{ ref('int_curves_latest') }}
    where quantity_code in ('U', 'I')
),

samples as (
    select * from {{ ref('stg_metering__power_quality_samples') }}
),

metering_points as (
    select * from {{ ref('stg_metering__measuring_points') }}
),

lost_shares as (
    select * from {{ ref('reliability_parameters') }}
    where parameter_code = 'voltage_lost_share'
),

-- A meter whose slots carry load has supply, whatever its events say (MET-56): an outage by events ends at the first load, for
-- a POWER_UP may be lost, and one that carries load from its first slot on was none. What the curve tells of the rest stays.
outages_by_event as (
    select
        events.metering_point_no,
        events.started_at,
        case when outage_loads.metering_point_no is null then events.ended_at else outage_loads.first_load_at end as ended_at
    from events
    left join outage_loads
        on events.metering_point_no = outage_loads.metering_point_no and events.started_at = outage_loads.started_at
    where outage_loads.metering_point_no is null or outage_loads.dark_slots_before_load > 0
),

-- Outages told by curves: no voltage and no current on any phase in consecutive slots.
-- In 3P3W wiring phase B has no voltage of its own: zero there tells nothing.
dark_slots as (
    select
        curves.metering_point_no,
        curves.reading_date,
        slots.slot_no
    from dark_days
    inner join curves
        on
            dark_days.metering_point_no = curves.metering_point_no
            and dark_days.reading_date = curves.reading_date
    left join metering_points on curves.metering_point_no = metering_points.metering_point_no
    cross join lateral unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where
        not (
            curves.quantity_code = 'U'
            and curves.phase_code = 'B'
            and metering_points.wiring_code is not distinct from '3P3W'
        )
    group by curves.metering_point_no, curves.reading_date, slots.slot_no
    having
        count(*) filter (where curves.quantity_code = 'U' and slots.slot_value = 0) > 0
        and count(*) filter (where slots.slot_value <> 0) = 0
),

dark_islands as (
    select
        metering_point_no,
        (reading_date - date '2000-01-01') * 96 + slot_no as slot_index,
        (reading_date - date '2000-01-01') * 96 + slot_no
        - row_number() over (partition by metering_point_no order by reading_date, slot_no) as island
    from dark_slots
),

dark_runs as (
    select
        metering_point_no,
        min(slot_index) as first_slot_index,
        max(slot_index) as last_slot_index,
        count(*) as slots,
        date '2000-01-01' + ((min(slot_index) - 1) / 96)::integer as first_date
    from dark_islands
    group by metering_point_no, island
),

-- U and I are taken at the end of a slot, so a run lasts from its first dark instant to the first lit one.
outages_by_curve as (
    select
        metering_point_no,
        {{ slot_end_at("date '2000-01-01'", 'first_slot_index') }} as started_at,
        case
            when last_slot_index < ({{ business_date() }} - date '2000-01-01' + 1) * 96
                then {{ slot_end_at("date '2000-01-01'", '(last_slot_index + 1)') }}
        end as ended_at
    from dark_runs
    where slots >= {{ parameter('reliability_parameters', 'dark_slots_min', on='first_date') }}
),

-- Outages told by a power-quality recorder: all three phases far below the point's own middle value.
medians as (
    select
        metering_point_no,
        percentile_disc(0.5) within group (order by voltage_a_v) as middle_a_v,
        percentile_disc(0.5) within group (order by voltage_b_v) as middle_b_v,
        percentile_disc(0.5) within group (order by voltage_c_v) as middle_c_v
    from samples
    group by metering_point_no
),

judged_samples as (
    select
        samples.metering_point_no,
        samples.sampled_at,
        samples.voltage_a_v < medians.middle_a_v * lost_shares.number_value
        and samples.voltage_b_v < medians.middle_b_v * lost_shares.number_value
        and samples.voltage_c_v < medians.middle_c_v * lost_shares.number_value as is_dark
    from samples
    inner join medians on samples.metering_point_no = medians.metering_point_no
    inner join lost_shares
        on
            {{ is_valid_on('lost_shares', "(samples.sampled_at at time zone 'Asia/Shanghai')::date") }}
    where num_nonnulls(samples.voltage_a_v, samples.voltage_b_v, samples.voltage_c_v) = 3
),

followed_samples as (
    select
        metering_point_no,
        sampled_at,
        is_dark,
        lag(is_dark) over by_time as was_dark,
        min(sampled_at) filter (where not is_dark) over (
            partition by metering_point_no
            order by sampled_at
            rows between 1 following and unbounded following
        ) as next_lit_at
    from judged_samples
    window by_time as (partition by metering_point_no order by sampled_at)
),

outages_by_sample as (
    select
        metering_point_no,
        sampled_at as started_at,
        next_lit_at as ended_at
    from followed_samples
    where is_dark and was_dark is not true
),

all_outages as (
    select metering_point_no, started_at, ended_at, 1 as precedence, 'POWER_EVENT' as basis_code
    from outages_by_event
    union all
    select metering_point_no, started_at, ended_at, 2 as precedence, 'POWER_QUALITY_SAMPLE' as basis_code
    from outages_by_sample
    union all
    select metering_point_no, started_at, ended_at, 3 as precedence, 'CURVE' as basis_code
    from outages_by_curve
),

-- One interruption told twice is one: the more exact telling stays. A slot is the grain of the coarsest.
final as (
    select
        md5(told.metering_point_no || '|' || extract(epoch from told.started_at)::text) as point_outage_id,
        told.metering_point_no,
        told.started_at,
        told.ended_at,
        told.basis_code
    from all_outages as told
    where
        not exists (
            select 1
            from all_outages as better
            where
                better.metering_point_no = told.metering_point_no
                and better.precedence < told.precedence
                and better.started_at <= coalesce(told.ended_at, 'infinity'::timestamptz) + interval '15 minutes'
                and told.started_at <= coalesce(better.ended_at, 'infinity'::timestamptz) + interval '15 minutes'
        )
)

select * from final
