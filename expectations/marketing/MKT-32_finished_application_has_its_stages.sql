/*
sentence: A finished application has every stage that its type requires, that of an important user also review and mid check.
axis: missing
dimension: completeness
severity: quarantine
owner: marketing office
reason: A step that was skipped is a connection nobody has checked.
source: requirement S31; seed quality_required_stages
subject: mkt_application
quarantines: mkt_application
not_tested: No application is finished.
population: finished applications
reads:
  - quality_required_stages
  - stg_marketing__application_stages
  - stg_marketing__applications
  - stg_marketing__customers
*/
-- tested
select
    {{ row_of('applications') }},
    applications.application_type_code,
    string_agg(required.stage_code, ', ' order by required.stage_code) filter (where stages.stage_code is null) as missing_stages
from staging.stg_marketing__applications as applications
left join {{ newest_each('staging.stg_marketing__customers', 'account_no') }} as customers on applications.account_no = customers.account_no
inner join staging.quality_required_stages as required
    on
        applications.application_type_code = required.application_type_code
        and (not required.is_for_important_users or customers.importance_code <> 'NONE')
        and {{ is_valid_on('required', local_date('applications.accepted_at')) }}
left join {{ one_each('staging.stg_marketing__application_stages', 'application_no, stage_code', '*', 'count', 'runs') }} as stages
    on applications.application_no = stages.application_no and required.stage_code = stages.stage_code
where applications.status_code = 'DONE'
group by applications._raw_id, applications.account_no, applications.application_type_code
-- violations
select
    {{ finding('app_type') }},
    'without ' || missing_stages as observed,
    'every stage that ' || application_type_code || ' requires' as expected
from tested
where missing_stages is not null
