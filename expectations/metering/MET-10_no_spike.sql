/*
sentence: The highest slot of a day is at most {tolerance} above the third highest, where it is above the floor.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: A lone peak is more often a fault of transmission than a load, and it sets the demand charge.
source: California VEE, spike check
subject: met_interval_96
not_tested: No curve landed tonight.
population: power curves
tests: touched rows
reads: [int_curves_latest, int_metering_points_as_of, stg_metering__curves]
parameters: [floor_kw, tolerance]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    peaks.highest,
    peaks.third,
    :floor_kw / greatest(coalesce(curves.to_primary, 1), 1) as floor_kw
from {{ curves_touched() }} as curves
cross join lateral (
    select max(ranked.slot_value) as highest, min(ranked.slot_value) as third
    from (
        select slots.slot_value::numeric as slot_value
        from unnest(curves.values_by_slot) as slots (slot_value)
        where slots.slot_value is not null
        order by slots.slot_value desc
        limit 3
    ) as ranked
    having count(*) = 3
) as peaks
where curves.quantity_code = 'P' and curves.phase_code = 'T'
-- violations
select
    {{ finding('v1', day='reading_date', account=false) }},
    'highest ' || highest || ', third ' || third as observed,
    'highest at most ' || third * (1 + :tolerance) as expected
from tested
where highest > floor_kw and highest - third > :tolerance * third
