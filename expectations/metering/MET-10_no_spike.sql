/*
sentence: The highest slot of a day is at most 180 % above the third highest, where it is above the floor.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: A lone peak is more often a fault of transmission than a load, and it sets the demand charge.
source: catalogue MET-10; California VEE spike check
subject: met_interval_96
not_tested: No curve landed tonight.
*/
-- tested
with limits as materialized (
    select
        quality.parameter('MET-10', 'tolerance', :business_date) as tolerance,
        quality.parameter('MET-10', 'floor_kw', :business_date) as floor_kw
)

select
    curves._raw_id as raw_id,
    curves.reading_date,
    peaks.highest,
    peaks.third,
    limits.tolerance,
    limits.floor_kw / case when curves.is_primary then 1 else greatest(coalesce(points.multiplier, 1), 1) end as floor_kw
from staging.stg_metering__curves as curves
inner join quality.tonight as tonight on tonight.table_name = 'met_interval_96' and tonight.raw_id = curves._raw_id
cross join limits
left join staging.int_metering_points_as_of as points
    on curves.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'curves.reading_date') }}
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
    'highest at most ' || third * (1 + tolerance) as expected
from tested
where highest > floor_kw and highest - third > tolerance * third
