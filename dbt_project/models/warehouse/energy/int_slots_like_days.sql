{{ config(indexes=[{'columns': ['metering_point_no', 'reading_date']}]) }}

with slots as (
    select * from {{ ref('int_slots_substituted') }}
),

days as (
    select * from {{ ref('dim_dates') }}
),

reference_days as (
    select * from {{ ref('estimation_reference_days') }}
),

open_slots as (
    select * from slots
    where num_nonnulls(check_energy, linear_energy, outage_energy) = 0
),

open_days as (
    select
        open_slots.metering_point_no,
        open_slots.quantity_code,
        open_slots.reading_date,
        days.day_type_code,
        {{ parameter('estimation_parameters', 'reference_days', on='open_slots.reading_date') }}::integer as wanted_days,
        {{ parameter('estimation_parameters', 'reference_look_back_days', on='open_slots.reading_date') }}::integer
            as look_back_days
    from (select distinct metering_point_no, quantity_code, reading_date from open_slots) as open_slots
    inner join days on open_slots.reading_date = days.calendar_date
),

-- Of the points with such slots alone, by the index.
curves as (
    select * from {{ ref('int_curves_validated') }}
    where
        phase_code = 'T'
        and metering_point_no = any (array(select open_days.metering_point_no from open_days))
        and reading_date >= (select min(open_days.reading_date - open_days.look_back_days) from open_days)
),

-- Only days before the gap, and whole ones: an estimate does not change because later days arrive, nor rests on another.
ranked as (
    select
        open_days.metering_point_no,
        open_days.quantity_code,
        open_days.reading_date,
        open_days.wanted_days,
        curves.reading_date as reference_date,
        row_number() over (
            partition by open_days.metering_point_no, open_days.quantity_code, open_days.reading_date
            order by reference_days.preference_no, curves.reading_date desc
        ) as day_no
    from open_days
    inner join curves
        on
            open_days.metering_point_no = curves.metering_point_no
            and open_days.quantity_code = curves.quantity_code
            and curves.reading_date between open_days.reading_date - open_days.look_back_days and open_days.reading_date - 1
    inner join days on curves.reading_date = days.calendar_date
    inner join reference_days
        on
            open_days.day_type_code = reference_days.day_type_code
            and days.day_type_code = reference_days.reference_day_type_code
            and days.iso_weekday = coalesce(reference_days.reference_iso_weekday, days.iso_weekday)
            and {{ is_valid_on('reference_days', 'open_days.reading_date') }}
    where curves.slot_states = repeat('V', 96) and curves.primary_factor is not null
),

like_days as (
    select
        ranked.metering_point_no,
        ranked.quantity_code,
        ranked.reading_date,
        ranked.wanted_days,
        measured.slot_no,
        sum(measured.slot_value::numeric * curves.primary_factor) / ranked.wanted_days as energy
    from ranked
    inner join curves
        on
            ranked.metering_point_no = curves.metering_point_no
            and ranked.quantity_code = curves.quantity_code
            and ranked.reference_date = curves.reading_date
    cross join lateral unnest(curves.values_by_slot) with ordinality as measured (slot_value, slot_no)
    where ranked.day_no <= ranked.wanted_days
    group by
        ranked.metering_point_no, ranked.quantity_code, ranked.reading_date, ranked.wanted_days, measured.slot_no
    having count(*) = ranked.wanted_days
),

final as (
    select
        open_slots.metering_point_no,
        open_slots.quantity_code,
        open_slots.reading_date,
        open_slots.slot_no,
        like_days.energy::numeric(20, 6) as like_day_energy
    from open_slots
    inner join like_days using (metering_point_no, quantity_code, reading_date, slot_no)
)

select * from final
