/*
sentence: A curve has {slots} slots; with fewer than {quarantine_below_slots} ({quarantine_below_slots:% of slots}) it does not count as a day.
axis: missing
dimension: completeness
severity: quarantine
owner: metering office
reason: Energy of missing slots is unknown, and a day built from the rest is too low.
source: project rule
subject: met_interval_96
quarantines: met_interval_96
not_tested: No curve landed tonight.
population: curves that landed
tests: touched rows
reads: [int_curves_latest, int_metering_points_current, stg_metering__curves]
parameters: [quarantine_below_slots, slots]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    quality.slot_count(curves.values_by_slot) as collected_slots,
    :slots as slots,
    :quarantine_below_slots as quarantine_below,
    latest._raw_id is not null as is_latest,
    curves.quantity_code = 'U' and curves.phase_code = 'B' and curves.metering_point_no in (
        select points.metering_point_no
        from staging.int_metering_points_current as points
        where points.wiring_code = '3P3W'
    ) as has_no_own_voltage
from {{ touched_curves('staging.stg_metering__curves') }} as curves
left join staging.int_curves_latest as latest on curves._raw_id = latest._raw_id
-- violations
-- A later collection of the same day answers for the gaps of an earlier one; phase B has no voltage in 3P3W wiring.
select
    {{ finding('v1', day='reading_date', account=false) }},
    collected_slots || ' slots' as observed,
    slots || ' slots' as expected,
    case when collected_slots < quarantine_below then 'quarantine' else 'warn' end as severity
from tested
where is_latest and not has_no_own_voltage and coalesce(collected_slots, 0) < slots
