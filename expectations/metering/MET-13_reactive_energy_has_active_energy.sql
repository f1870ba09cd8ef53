/*
sentence: A slot with reactive energy has active energy, in one direction or the other.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: Reactive energy without active energy is a lost channel, and it lowers the power factor.
source: California VEE, kVARh check
subject: met_interval_96
not_tested: No day with a zero slot and reactive energy has a curve that landed tonight.
population: energy curves of days with a zero slot and reactive energy
tests: touched points
reads: [int_curves_latest, stg_metering__curves]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    min(slots.slot_no) filter (
        where
            slots.slot_value = 0
            and reactive.values_by_slot[slots.slot_no] > 0
            and coalesce(reverse.values_by_slot[slots.slot_no], 0) = 0
    ) as first_slot
from {{ curves_of_dates_touched() }} as curves
inner join {{ days_touched(['E+', 'E-', 'RQ1', 'RQ2', 'RQ3', 'RQ4']) }} as changed
    on curves.metering_point_no = changed.metering_point_no and curves.reading_date = changed.reading_date
inner join {{ curves_of_dates_touched() }} as reactive
    on
        curves.metering_point_no = reactive.metering_point_no
        and curves.reading_date = reactive.reading_date
        and reactive.quantity_code in ('RQ1', 'RQ2', 'RQ3', 'RQ4')
left join {{ curves_of_dates_touched() }} as reverse on {{ is_curve_of('reverse', 'curves', 'E-') }}
cross join lateral unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
where curves.quantity_code = 'E+' and curves.phase_code = 'T' and 0 = any(curves.values_by_slot)
group by curves._raw_id, curves.reading_date
-- violations
select
    {{ finding(column_sql="'v' || first_slot", day='reading_date', account=false) }},
    'reactive energy, no active energy' as observed,
    'active energy above 0' as expected
from tested
where first_slot is not null
