/*
sentence: Power in a slot is at most {MET-08.capacity_factor} times the running capacity.
axis: mismatch
dimension: plausibility
severity: quarantine
owner: metering office
reason: More cannot flow through the transformers of the customer.
source: project rule; daily energy and power are bounded by the capacity that runs
subject: met_interval_96
quarantines: met_interval_96
not_tested: No curve landed tonight.
population: power curves of points whose account states its running capacity
tests: touched rows
reads: [int_curves_latest, int_metering_points_as_of, stg_marketing__customers, stg_metering__curves]
parameters: [MET-08.capacity_factor]
*/
-- tested
select
    {{ row_of('curves') }},
    curves.reading_date,
    (select max(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value))::numeric * curves.to_primary as power_kw,
    curves.running_capacity_kva * :capacity_factor as bound_kw,
    curves.is_latest
from {{ curves_at_running_capacity('P') }} as curves
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(power_kw, 2) || ' kW' as observed,
    'at most ' || round(bound_kw, 2) || ' kW' as expected
from tested
where is_latest and power_kw > bound_kw
