with power_events as (
    select * from {{ ref('stg_metering__power_events') }}
),

energy_curves as (
    select * from {{ ref('int_curves_latest') }}
    where quantity_code = 'E+' and phase_code = 'T'
),

-- From the first POWER_DOWN to the next POWER_UP, repeats of either ignored.
distinct_events as (
    select distinct
        metering_point_no,
        event_code,
        event_at
    from power_events
    where is_valid is not false and event_at < {{ day_start_at(business_date() ~ ' + 1') }}
),

followed_events as (
    select
        metering_point_no,
        event_code,
        event_at,
        lag(event_code) over by_time as previous_event_code,
        lag(event_at) over by_time as previous_event_at,
        min(event_at) filter (where event_code = 'POWER_UP') over (
            partition by metering_point_no
            order by event_at, event_code desc
            rows between 1 following and unbounded following
        ) as next_up_at
    from distinct_events
    window by_time as (partition by metering_point_no order by event_at, event_code desc)
),

-- A POWER_DOWN after another repeats it, unless the curve carried load between them: then the POWER_UP of the first was lost.
begun_anew as (
    select distinct
        followed_events.metering_point_no,
        followed_events.event_at
    from followed_events
    inner join energy_curves
        on
            followed_events.metering_point_no = energy_curves.metering_point_no
            and energy_curves.reading_date
            between {{ local_date('followed_events.previous_event_at') }} and {{ local_date('followed_events.event_at') }}
    cross join lateral unnest(energy_curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where
        followed_events.event_code = 'POWER_DOWN'
        and followed_events.previous_event_code = 'POWER_DOWN'
        and slots.slot_value > 0
        and followed_events.previous_event_at <= {{ slot_start_at('energy_curves.reading_date', 'slots.slot_no') }}
        and {{ slot_end_at('energy_curves.reading_date', 'slots.slot_no') }} <= followed_events.event_at
),

first_downs as (
    select
        followed_events.metering_point_no,
        followed_events.event_at as started_at,
        followed_events.next_up_at,
        lead(followed_events.event_at) over (
            partition by followed_events.metering_point_no order by followed_events.event_at
        ) as next_down_at
    from followed_events
    left join begun_anew
        on
            followed_events.metering_point_no = begun_anew.metering_point_no
            and followed_events.event_at = begun_anew.event_at
    where
        followed_events.event_code = 'POWER_DOWN'
        and (followed_events.previous_event_code is distinct from 'POWER_DOWN' or begun_anew.event_at is not null)
),

downs as (
    select
        metering_point_no,
        started_at,
        case when next_down_at is null or next_up_at <= next_down_at then next_up_at end as next_up_at
    from first_downs
),

-- A POWER_UP may never arrive: the first slot that carries load again tells as much.
loads_after as (
    select
        downs.metering_point_no,
        downs.started_at,
        min({{ slot_start_at('energy_curves.reading_date', 'slots.slot_no') }}) as load_at
    from downs
    inner join energy_curves
        on
            downs.metering_point_no = energy_curves.metering_point_no
            and (downs.started_at at time zone 'Asia/Shanghai')::date <= energy_curves.reading_date
    cross join lateral unnest(energy_curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where
        downs.next_up_at is null
        and slots.slot_value > 0
        and downs.started_at <= {{ slot_start_at('energy_curves.reading_date', 'slots.slot_no') }}
    group by downs.metering_point_no, downs.started_at
),

final as (
    select
        downs.metering_point_no,
        downs.started_at,
        coalesce(downs.next_up_at, loads_after.load_at) as ended_at
    from downs
    left join loads_after
        on downs.metering_point_no = loads_after.metering_point_no and downs.started_at = loads_after.started_at
)

select * from final
