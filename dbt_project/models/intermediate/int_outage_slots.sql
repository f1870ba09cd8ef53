{{ config(indexes=[{'columns': ['metering_point_no', 'reading_date']}]) }}

with outages as (
    select * from {{ ref('int_customer_outages') }}
),

curves as (
    select * from {{ ref('int_curves_latest') }}
),

-- Interruptions are remembered for longer than curves are collected: slots are wanted only where curves can be.
collection as (
    select least(current_run.collection_start, (select min(curves.reading_date) from curves)) as first_date
    from {{ source('quality', 'current_run') }} as current_run
),

-- An interruption that nobody reported as ended lasts, as far as is known, until the end of D.
bounded as (
    select
        metering_point_no,
        started_at,
        coalesce(ended_at, {{ day_start_at(business_date() ~ ' + 1') }}) as ended_at
    from outages
),

outage_days as (
    select
        bounded.metering_point_no,
        bounded.started_at,
        bounded.ended_at,
        days.reading_date::date as reading_date
    from bounded
    cross join collection
    cross join lateral generate_series(
        greatest((bounded.started_at at time zone 'Asia/Shanghai')::date, collection.first_date)::timestamp,
        least((bounded.ended_at at time zone 'Asia/Shanghai')::date, {{ business_date() }})::timestamp,
        interval '1 day'
    ) as days (reading_date)
),

outage_slots as (
    select
        outage_days.metering_point_no,
        outage_days.reading_date,
        slots.slot_no,
        bool_or(
            outage_days.started_at <= {{ slot_start_at('outage_days.reading_date', 'slots.slot_no') }}
            and {{ slot_end_at('outage_days.reading_date', 'slots.slot_no') }} <= outage_days.ended_at
        ) as is_covered,
        bool_or(
            outage_days.started_at <= {{ slot_end_at('outage_days.reading_date', 'slots.slot_no') }}
            and {{ slot_end_at('outage_days.reading_date', 'slots.slot_no') }} < outage_days.ended_at
        ) as is_dark_at_end
    from outage_days
    cross join generate_series(1, 96) as slots (slot_no)
    group by outage_days.metering_point_no, outage_days.reading_date, slots.slot_no
),

final as (
    select
        metering_point_no,
        reading_date,
        string_agg(case when is_covered then '1' else '0' end, '' order by slot_no) as covered_slots,
        string_agg(case when is_dark_at_end then '1' else '0' end, '' order by slot_no) as dark_at_end_slots,
        count(*) filter (where is_covered)::integer as covered_slot_count
    from outage_slots
    group by metering_point_no, reading_date
    having bool_or(is_covered or is_dark_at_end)
)

select * from final
