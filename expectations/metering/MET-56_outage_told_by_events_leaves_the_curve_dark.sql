/*
sentence: While a meter was without supply by its events, no slot carries more than {load_share} of the load of the day.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: A test of the terminal or a lost clock makes hours of interruption that never were.
source: project rule
subject: met_power_event
not_tested: No outage covers a whole slot of a day with a curve.
population: power events of outages that cover whole slots with a value
reads: [int_outage_loads, stg_metering__power_events]
parameters: [load_share]
*/
-- tested
select
    events._raw_id as raw_id,
    events.event_at,
    loads.covered_slots,
    loads.loaded_slots,
    :load_share as load_share
from staging.int_outage_loads as loads
inner join staging.stg_metering__power_events as events
    on
        loads.metering_point_no = events.metering_point_no
        and events.event_at in (loads.started_at, loads.ended_at)
        and events.is_valid is not false
-- violations
select
    {{ finding('event_ts', day=local_date('event_at'), account=false) }},
    loaded_slots || ' of ' || covered_slots || ' slots without supply carry load' as observed,
    'at most ' || round(100 * load_share) || ' % of the load of the day between POWER_DOWN and POWER_UP' as expected
from tested
where loaded_slots > 0
