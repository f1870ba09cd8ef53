/*
sentence: A notice is sent before the start that it announces.
axis: mismatch
dimension: consistency
severity: quarantine
owner: marketing office
reason: A notice after the start is no notice.
source: requirement S23
subject: mkt_outage_notice
quarantines: mkt_outage_notice
not_tested: No notice was sent.
population: outage notices that were sent
reads: [stg_marketing__outage_notices]
*/
-- tested
select
    {{ row_of('notices') }},
    notices.sent_at,
    notices.planned_start_at
from staging.stg_marketing__outage_notices as notices
where notices.sent_at is not null and notices.planned_start_at is not null
-- violations
select
    {{ finding('sent_at', day=local_date('planned_start_at')) }},
    sent_at::text as observed,
    'before ' || planned_start_at as expected
from tested
where sent_at >= planned_start_at
