/*
sentence: The energy of a day is at most 24 hours of {capacity_factor} times the running capacity.
axis: mismatch
dimension: plausibility
severity: quarantine
owner: metering office
reason: More cannot flow through the transformers of the customer; the reading or the ratio is wrong.
source: project rule; daily energy and power are bounded by the capacity that runs
subject: met_interval_96
quarantines: met_interval_96
implies: [MET-12]
not_tested: No curve landed tonight.
population: energy curves of points whose account states its running capacity
tests: touched rows
reads: [int_curves_latest, int_metering_points_as_of, stg_marketing__customers, stg_metering__curves]
parameters: [capacity_factor]
*/
-- tested
select
    {{ row_of('curves') }},
    curves.reading_date,
    quality.slot_sum(curves.values_by_slot) * curves.to_primary as energy_kwh,
    24 * curves.running_capacity_kva * :capacity_factor as bound_kwh,
    curves.is_latest
from {{ curves_at_running_capacity('E+') }} as curves
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(energy_kwh, 2) || ' kWh' as observed,
    'at most ' || round(bound_kwh, 2) || ' kWh' as expected,
    energy_kwh as exposure_kwh
from tested
where is_latest and energy_kwh > bound_kwh
