/*
sentence: A notice tells the start that the plan had in the version that it names.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: Who is told another hour stops too early or too late.
source: requirement S23
subject: mkt_outage_notice
not_tested: No notice of a plan names a version and a start.
population: notices of plans that name a version and a start
reads: [stg_marketing__outage_notices, stg_marketing__outage_plans]
*/
-- tested
-- Of an earlier version the plan's start is known no more: it is the one that most of its notices tell.
with starts as (
    select
        notices.plan_no,
        notices.plan_version,
        count(*) as notices,
        mode() within group (order by notices.planned_start_at) as told_start_at
    from staging.stg_marketing__outage_notices as notices
    where notices.planned_start_at is not null
    group by notices.plan_no, notices.plan_version
)

select
    {{ row_of('notices') }},
    notices.plan_version,
    notices.planned_start_at,
    coalesce(plans.planned_start_at, starts.told_start_at) as plan_start_at,
    plans.plan_no is not null as is_newest
from staging.stg_marketing__outage_notices as notices
inner join starts on notices.plan_no = starts.plan_no and notices.plan_version = starts.plan_version
left join staging.stg_marketing__outage_plans as plans
    on notices.plan_no = plans.plan_no and notices.plan_version = plans.plan_version
where notices.planned_start_at is not null
-- violations
select
    {{ finding('planned_start', day=local_date('plan_start_at')) }},
    planned_start_at::text as observed,
    plan_start_at || case when is_newest then ', the start of the plan' else ', as most notices tell' end
    || ' in version ' || plan_version as expected
from tested
where planned_start_at <> plan_start_at
