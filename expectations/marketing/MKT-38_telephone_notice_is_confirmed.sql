/*
sentence: A notice by telephone has a time of confirmation and the operator who called.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: A call that nobody confirmed cannot be proved.
source: requirement S23
subject: mkt_outage_notice
not_tested: No notice was given by telephone.
population: outage notices by telephone
reads: [stg_marketing__outage_notices]
*/
-- tested
select
    {{ row_of('notices') }},
    notices.confirmed_at,
    notices.operator_no
from staging.stg_marketing__outage_notices as notices
where notices.channel_code = 'PHONE'
-- violations
select
    {{ finding(column_sql="case when confirmed_at is null then 'confirmed_at' else 'operator_no' end") }},
    'empty' as observed,
    'a confirmed call with its operator' as expected
from tested
where confirmed_at is null or nullif(operator_no, '') is null
