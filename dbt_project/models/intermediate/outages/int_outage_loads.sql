-- What the curve shows of the slots that an outage by power events covers wholly.
with outages as (
    select * from {{ ref('int_outages_by_event') }}
    where ended_at is not null
),

energy_curves as (
    select * from {{ ref('int_curves_latest') }}
    where quantity_code = 'E+' and phase_code = 'T'
),

unfolded as (
    select
        outages.metering_point_no,
        outages.started_at,
        outages.ended_at,
        slots.slot_value,
        avg(slots.slot_value) over (
            partition by outages.metering_point_no, outages.started_at, energy_curves.reading_date
        ) as mean_value,
        {{ slot_start_at('energy_curves.reading_date', 'slots.slot_no') }} as slot_start_at,
        {{ slot_start_at('energy_curves.reading_date', 'slots.slot_no') }} >= outages.started_at
        and {{ slot_end_at('energy_curves.reading_date', 'slots.slot_no') }} <= outages.ended_at as is_covered
    from outages
    inner join energy_curves
        on
            outages.metering_point_no = energy_curves.metering_point_no
            and energy_curves.reading_date between {{ local_date('outages.started_at') }} and {{ local_date('outages.ended_at') }}
    cross join lateral unnest(energy_curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    where slots.slot_value is not null
),

followed as (
    select
        *,
        min(slot_start_at) filter (
            where slot_value > {{ rule_parameter('MET-56', 'load_share', business_date()) }} * mean_value
        ) over (partition by metering_point_no, started_at) as first_load_at
    from unfolded
    where is_covered
),

final as (
    select
        metering_point_no,
        started_at,
        ended_at,
        first_load_at,
        count(*)::integer as covered_slots,
        count(*) filter (
            where slot_value > {{ rule_parameter('MET-56', 'load_share', business_date()) }} * mean_value
        )::integer as loaded_slots,
        count(*) filter (where slot_start_at < first_load_at)::integer as dark_slots_before_load
    from followed
    group by metering_point_no, started_at, ended_at, first_load_at
)

select * from final
