/*
sentence: At least {share} of the billing points affected by a finished outage plan recorded an outage during it.
axis: missing
dimension: consistency
severity: warn
owner: data quality office
reason: A plan that no meter saw did not happen, or happened elsewhere.
source: requirement S28
at_stake: "No money: an outage is a matter of reliability."
likely_wrong: "Undetermined: a dead terminal and a plan that was not carried out leave the same trace."
subject: mkt_outage_plan
not_tested: No plan was carried out since collection started.
population: outage plans carried out since collection began
reads:
  - int_customer_outages
  - int_metering_points_as_of
  - stg_marketing__outage_affected_accounts
  - stg_marketing__outage_plans
compares: [metering.met_power_event.event_ts, marketing.mkt_outage_plan.actual_start]
parameters: [share]
*/
-- tested
with affected as (
    select
        plans._raw_id,
        points.metering_point_no,
        bool_or(outages.point_outage_id is not null) as was_seen
    from staging.stg_marketing__outage_plans as plans
    cross join quality.current_run as run
    inner join staging.stg_marketing__outage_affected_accounts as affected on plans.plan_no = affected.plan_no
    inner join staging.int_metering_points_as_of as points
        on
            affected.account_no = points.account_no
            and points.is_expected_to_report
            and {{ is_valid_on('points', local_date('plans.actual_start_at')) }}
            -- Where the feeder of the plan is known, points on other feeders stay lit.
            and (plans.feeder_no is null or points.feeder_no is null or plans.feeder_no = points.feeder_no)
    left join staging.int_customer_outages as outages
        on
            points.metering_point_no = outages.metering_point_no
            and outages.started_at <= plans.actual_end_at
            and coalesce(outages.ended_at, 'infinity') >= plans.actual_start_at
    where
        plans.status_code = 'DONE'
        and plans.actual_end_at is not null
        and affected.exception_code is distinct from 'BACKUP_SUPPLY'
        and {{ local_date('plans.actual_start_at') }} >= run.collection_start
    group by plans._raw_id, points.metering_point_no
)

select
    affected._raw_id as raw_id,
    count(*) as points,
    count(*) filter (where affected.was_seen) as points_off
from affected
group by affected._raw_id
-- violations
{{ share_too_low('status', 'points_off', 'points', ':share', 'points off') }}
