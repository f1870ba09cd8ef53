/*
sentence: A planned outage ends after it starts, within {hours} hours.
axis: mismatch
dimension: validity
severity: quarantine
owner: marketing office
reason: Notices and outage hours follow from the plan.
source: project rule
subject: mkt_outage_plan
quarantines: mkt_outage_plan
not_tested: No outage was planned.
population: outage plans
reads: [stg_marketing__outage_plans]
parameters: [hours]
*/
-- tested
select
    plans._raw_id as raw_id,
    plans.planned_start_at,
    plans.planned_end_at
from staging.stg_marketing__outage_plans as plans
where plans.planned_start_at is not null and plans.planned_end_at is not null
-- violations
select
    {{ finding('planned_end', day=local_date('planned_start_at'), account=false) }},
    planned_start_at || ' to ' || planned_end_at as observed,
    'an end after the start, within ' || make_interval(hours => :hours::integer) as expected
from tested
where planned_end_at <= planned_start_at or planned_end_at > planned_start_at + make_interval(hours => :hours::integer)
