/*
sentence: No slot of an energy, a voltage or a current is negative.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: A meter counts each direction upwards; a negative slot is a correction that was booked into the curve.
source: contract of the metering system, E+ and E-, RQ1 to RQ4, U and I
subject: met_interval_96
quarantines: met_interval_96
not_tested: No curve of energy, voltage or current landed tonight.
population: curves of energies, voltages and currents that landed
tests: touched rows
reads: [stg_metering__curves]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    curves.values_by_slot,
    -- Most curves have no such slot; they are not unfolded.
    case
        when 0 > any(curves.values_by_slot)
            then (select min(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value))
    end as lowest_value
from {{ touched_curves('staging.stg_metering__curves') }} as curves
where curves.quantity_code in ('E+', 'E-', 'RQ1', 'RQ2', 'RQ3', 'RQ4', 'U', 'I')
-- violations
select
    {{ finding(column_sql="'v' || array_position(values_by_slot, lowest_value)", day='reading_date', account=false) }},
    trim_scale(lowest_value::numeric) || ' in slot ' || array_position(values_by_slot, lowest_value) as observed,
    'at least 0' as expected
from tested
where lowest_value < 0
