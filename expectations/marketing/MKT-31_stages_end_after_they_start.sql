/*
sentence: A stage does not end before it starts, and verification, building and final check take time.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: Twelve stages closed in the same minute were entered afterwards.
source: requirement S31
subject: mkt_app_stage
not_tested: No stage has ended.
population: stages that have ended
reads: [stg_marketing__application_stages, stg_marketing__applications]
*/
-- tested
select
    {{ row_of('stages', account='applications') }},
    stages.stage_code,
    stages.started_at,
    stages.ended_at
from staging.stg_marketing__application_stages as stages
left join {{ one_each('staging.stg_marketing__applications', 'application_no', 'account_no') }} as applications
    on stages.application_no = applications.application_no
where stages.started_at is not null and stages.ended_at is not null
-- violations
select
    {{ finding('end_at', day=local_date('ended_at')) }},
    stage_code || ' from ' || started_at || ' to ' || ended_at as observed,
    'an end after the start' as expected
from tested
where ended_at < started_at or (ended_at = started_at and stage_code in ('VERIFY', 'BUILD', 'FINAL_CHECK'))
