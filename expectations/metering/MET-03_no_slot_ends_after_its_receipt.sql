/*
sentence: No slot of a curve ends later than {tolerance_minutes:words} minutes after the curve was received.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: A reading from the future is a wrong date or a wrong clock.
source: California VEE, time tolerance
subject: met_interval_96
quarantines: met_interval_96
not_tested: No curve landed tonight.
population: curves with a time of receipt that landed
tests: touched rows
reads: [stg_metering__curves]
parameters: [tolerance_minutes]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    curves.received_at,
    make_interval(mins => :tolerance_minutes::integer) as tolerance,
    -- Only a curve received before its day was over can hold such a slot.
    case
        when curves.received_at + make_interval(mins => :tolerance_minutes::integer)
            < (curves.reading_date + 1)::timestamp at time zone 'Asia/Shanghai' then (
            select max(slots.slot_no)
            from unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
            where slots.slot_value is not null
        )
    end as last_slot
from {{ touched_curves('staging.stg_metering__curves') }} as curves
where curves.received_at is not null
-- violations
select
    {{ finding(column_sql="'v' || last_slot", day='reading_date', account=false) }},
    'received ' || received_at as observed,
    'received after ' || reading_date::timestamp + last_slot * interval '15 minutes' as expected
from tested
where
    (reading_date::timestamp + last_slot * interval '15 minutes') at time zone 'Asia/Shanghai' > received_at + tolerance
