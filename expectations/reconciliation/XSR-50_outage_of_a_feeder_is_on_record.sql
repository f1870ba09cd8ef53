/*
sentence: Where meters of {accounts:words} or more accounts of a feeder lose supply together, the supply side has a record of it.
axis: missing
dimension: consistency
severity: warn
owner: data quality office
reason: An outage without a record makes the feeder's reliability too good.
source: DL/T 836.1-2016, each interruption of a feeder is recorded
at_stake: "No money: an outage is a matter of reliability."
likely_wrong: "Undetermined: record and events are both of the metering system. Several meters tell of the same minute."
subject: feeder x outage
about: met_supply_outage
not_tested: No two accounts of a feeder lost supply together since there are records.
population: outages of a feeder that meters of several accounts saw since there are records
reads: [int_feeder_outages, int_metering_points_as_of, stg_metering__power_events, stg_metering__supply_outages]
compares: [metering.met_power_event.event_ts, metering.met_supply_outage.start_at, marketing.mkt_mp.feeder_no]
parameters: [accounts]
*/
-- tested
-- The first of the meters' events leads to those who were dark; a curve that tells it has none.
with first_events as (
    select
        points.feeder_no,
        events.event_at,
        min(events.power_event_id) as event_id
    from staging.stg_metering__power_events as events
    inner join staging.int_metering_points_as_of as points
        on
            events.metering_point_no = points.metering_point_no
            and points.role_code = 'BILLING'
            and {{ is_valid_on('points', local_date('events.event_at')) }}
    where events.event_code = 'POWER_DOWN'
    group by points.feeder_no, events.event_at
)

select
    jsonb_strip_nulls(jsonb_build_object(
        'feeder_no', outages.feeder_no, 'start_at', outages.started_at, 'event_id', first_events.event_id
    )) as record_key,
    outages.started_at,
    outages.ended_at,
    outages.accounts,
    outages.is_on_record
from staging.int_feeder_outages as outages
left join first_events on outages.feeder_no = first_events.feeder_no and outages.started_at = first_events.event_at
where
    outages.accounts >= :accounts
    and outages.started_at >= (select min(supply.started_at) from staging.stg_metering__supply_outages as supply)
-- violations
select
    {{ finding('start_at', day=local_date('started_at'), key='record_key', account=false) }},
    'no record; the meters of ' || accounts || ' accounts were dark from ' || started_at || ' to ' || ended_at as observed,
    'a record of the supply side' as expected
from tested
where not is_on_record
