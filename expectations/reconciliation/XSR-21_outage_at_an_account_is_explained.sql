/*
sentence: An outage of more than {minutes:words} minutes at an account overlaps a plan, a fault ticket or a supply record.
axis: missing
dimension: consistency
severity: warn
owner: data quality office
reason: An outage that nobody knows of is in no reliability figure.
source: DL/T 836.1-2016, interruptions of more than 3 minutes. One that several accounts of a feeder share is XSR-50.
at_stake: "No money: an outage is a matter of reliability."
likely_wrong: "Undetermined: nothing that was delivered explains the outage."
subject: met_power_event
not_tested: No account had an outage.
population: outages at accounts, key accounts or not, that no other account of the feeder shares
reads:
  - int_feeder_outages
  - int_metering_points_as_of
  - stg_marketing__outage_affected_accounts
  - stg_marketing__outage_plans
  - stg_marketing__tickets
  - stg_metering__power_events
  - stg_metering__supply_outages
compares:
  - metering.met_power_event.event_ts
  - metering.met_supply_outage.start_at
  - marketing.mkt_outage_plan.planned_start
  - marketing.mkt_ticket.accepted_at
parameters: [minutes, XSR-50.accounts]
*/
-- tested
with told_once as (
    select distinct on (metering_point_no, event_at, event_code) *
    from staging.stg_metering__power_events
    where is_valid is not false
    order by metering_point_no, event_at, event_code, received_at, power_event_id
),

-- From the first POWER_DOWN to the next POWER_UP: what tells of an outage again begins none.
followed as (
    select
        told_once.*,
        lag(told_once.event_code) over by_time as previous_code,
        min(told_once.event_at) filter (where told_once.event_code = 'POWER_UP') over (
            by_time rows between 1 following and unbounded following
        ) as ended_at
    from told_once
    window by_time as (partition by told_once.metering_point_no order by told_once.event_at, told_once.event_code desc)
),

downs as (
    select
        followed._raw_id,
        followed.event_at as started_at,
        coalesce(followed.ended_at, {{ day_start_at(':business_date + 1') }}) as ended_at,
        points.account_no,
        points.feeder_no,
        max(coalesce(followed.ended_at, {{ day_start_at(':business_date + 1') }})) over (
            partition by points.account_no
            order by followed.event_at, followed._raw_id
            rows between unbounded preceding and 1 preceding
        ) as dark_until
    from followed
    inner join staging.int_metering_points_as_of as points
        on
            followed.metering_point_no = points.metering_point_no
            and {{ is_valid_on('points', local_date('followed.event_at')) }}
    where
        followed.event_code = 'POWER_DOWN'
        and followed.previous_code is distinct from 'POWER_DOWN'
        and points.account_no is not null
),

-- Points of an account that are dark at once tell of one outage of it.
outages as (
    select
        told.account_no,
        (array_agg(told._raw_id order by told.started_at, told._raw_id))[1] as raw_id,
        min(told.started_at) as started_at,
        max(told.ended_at) as ended_at,
        array_agg(distinct told.feeder_no) as feeders,
        make_interval(mins => :minutes::integer) as shortest
    from (
        select
            downs.*,
            count(*) filter (where downs.dark_until is null or downs.dark_until < downs.started_at) over (
                partition by downs.account_no order by downs.started_at, downs._raw_id
            ) as outage_of_account
        from downs
    ) as told
    group by told.account_no, told.outage_of_account
)

select
    outages.raw_id,
    outages.account_no,
    outages.started_at,
    outages.ended_at,
    exists (
        select 1
        from staging.stg_metering__supply_outages as supply
        where
            supply.feeder_no = any(outages.feeders)
            and supply.started_at <= outages.ended_at
            and coalesce(supply.ended_at, 'infinity') >= outages.started_at
    )
    or exists (
        select 1
        from staging.stg_marketing__outage_affected_accounts as affected
        inner join staging.stg_marketing__outage_plans as plans on affected.plan_no = plans.plan_no
        where
            affected.account_no = outages.account_no
            and coalesce(plans.actual_start_at, plans.planned_start_at) <= outages.ended_at
            and coalesce(plans.actual_end_at, plans.planned_end_at) >= outages.started_at
    )
    or exists (
        select 1
        from staging.stg_marketing__tickets as tickets
        where
            tickets.account_no = outages.account_no
            and tickets.ticket_type_code = 'FAULT'
            and tickets.accepted_at between outages.started_at and outages.ended_at + interval '1 day'
    ) as is_explained
from outages
where
    outages.ended_at - outages.started_at > outages.shortest
    and not exists (
        select 1
        from staging.int_feeder_outages as shared
        where
            shared.feeder_no = any(outages.feeders)
            and outages.started_at between shared.started_at and shared.last_started_at
            and shared.accounts >= :accounts
    )
-- violations
select
    {{ finding('event_ts', day=local_date('started_at')) }},
    started_at || ' to ' || ended_at as observed,
    'a plan, a fault ticket or a supply record' as expected
from tested
where not is_explained
