/*
sentence: A stage of an application begins when the stage before it has ended.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: Stages typed from memory overlap, and the time between them is negative.
source: project rule
subject: mkt_app_stage
not_tested: No application has two stages of which the earlier has ended.
population: stages after one that has ended
reads: [stg_marketing__application_stages, stg_marketing__applications]
*/
-- tested
select
    stages.raw_id,
    applications.account_no,
    stages.started_at,
    stages.ended_before
from (
    select
        _raw_id as raw_id,
        application_no,
        started_at,
        lag(ended_at) over (partition by application_no order by stage_seq, _raw_id) as ended_before
    from staging.stg_marketing__application_stages
) as stages
left join staging.stg_marketing__applications as applications on stages.application_no = applications.application_no
where stages.ended_before is not null
-- violations
select
    {{ finding('start_at') }},
    started_at::text as observed,
    'not before ' || ended_before as expected
from tested
where started_at < ended_before
