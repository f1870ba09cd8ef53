/*
sentence: A single slot without energy, between slots that carry load and without an outage, is a missing reading and not a load of zero.
axis: missing
dimension: plausibility
severity: warn
owner: metering office
reason: Counted as load it lowers energy and power factor; the slot is treated as missing.
source: project rule
subject: met_interval_96
not_tested: No curve of energy or of the power factor landed tonight.
population: energy curves, with the days beside them
tests: touched points
reads: [int_curves_latest, int_zero_coded_slots, stg_metering__curves]
*/
-- tested
-- A day is looked at again with the day before and after it, whose slots stand beside its own, and with any of its channels.
with changed as (
    select distinct landed.metering_point_no, landed.reading_date + shifts.days as reading_date
    from {{ days_touched(['E+', 'RQ1', 'RQ2', 'RQ3', 'RQ4', 'PF']) }} as landed
    cross join (values (-1), (0), (1)) as shifts (days)
)

select
    curves._raw_id as raw_id,
    curves.reading_date,
    slots.slot_no,
    slots.value_before,
    slots.value_after
from {{ curves_of_dates_touched([-1, 0, 1]) }} as curves
inner join changed on curves.metering_point_no = changed.metering_point_no and curves.reading_date = changed.reading_date
left join staging.int_zero_coded_slots as slots
    on curves.metering_point_no = slots.metering_point_no and curves.reading_date = slots.reading_date
where curves.quantity_code = 'E+' and curves.phase_code = 'T'
-- violations
select
    {{ finding(column_sql="'v' || slot_no", day='reading_date', account=false) }},
    '0 between ' || trim_scale(value_before) || ' and ' || trim_scale(value_after) as observed,
    'empty' as expected
from tested
where slot_no is not null
