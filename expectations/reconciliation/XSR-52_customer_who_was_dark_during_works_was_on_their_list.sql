/*
sentence: An account whose meters were dark during works on its feeder is on the list of those that the plan affects.
axis: missing
dimension: consistency
severity: warn
owner: data quality office
reason: Nobody warns a customer who is not on the list.
source: requirement S23; whom works concern is told by the meters
at_stake: "No money: a notice has no price."
likely_wrong: "Marketing: the meter was dark."
subject: plan x account
about: mkt_outage_affected
not_tested: No meter was dark during works that were carried out.
population: accounts with a billing point on the feeder of works that were carried out, dark from their start
reads:
  - int_customer_outages
  - int_metering_points_as_of
  - stg_marketing__outage_affected_accounts
  - stg_marketing__outage_plans
compares: [metering.met_power_event.event_ts, marketing.mkt_outage_affected.cons_no]
parameters: [XSR-50.minutes]
*/
-- tested
with limits as materialized (
    select make_interval(mins => :minutes::integer) as apart
)

select distinct
    jsonb_build_object('plan_no', plans.plan_no, 'cons_no', points.account_no) as record_key,
    points.account_no,
    {{ local_date('plans.actual_start_at') }} as works_date,
    outages.started_at,
    exists (
        select 1
        from staging.stg_marketing__outage_affected_accounts as affected
        where affected.plan_no = plans.plan_no and affected.account_no = points.account_no
    ) as is_listed
from staging.stg_marketing__outage_plans as plans
inner join staging.int_metering_points_as_of as points
    on
        plans.feeder_no = points.feeder_no
        and points.is_expected_to_report
        and points.account_no is not null
        and {{ is_valid_on('points', local_date('plans.actual_start_at')) }}
        and (plans.transformer_area_no is null or plans.transformer_area_no = points.transformer_area_no)
cross join limits
inner join staging.int_customer_outages as outages
    on
        points.metering_point_no = outages.metering_point_no
        and outages.started_at between plans.actual_start_at - limits.apart and plans.actual_start_at + limits.apart
where
    plans.status_code = 'DONE'
-- violations
select
    {{ finding('cons_no', day='works_date', key='record_key') }},
    'not on the list; its meter was dark from ' || started_at as observed,
    'on the list of the plan' as expected,
    'marketing' as suspect_side
from tested
where not is_listed
