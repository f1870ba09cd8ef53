/*
sentence: The manager of an assignment in force is in post and holds a valid certificate.
axis: mismatch
dimension: referential
severity: warn
owner: marketing office
reason: An account whose manager has left has none.
source: requirement S05
subject: mkt_manager_assign
not_tested: No manager is assigned.
population: manager assignments in force
reads: [stg_marketing__manager_assignments, stg_marketing__managers]
*/
-- tested
select
    {{ row_of('assignments') }},
    managers.status_code,
    managers.certificate_valid_to
from staging.stg_marketing__manager_assignments as assignments
inner join staging.stg_marketing__managers as managers on assignments.manager_no = managers.manager_no
where {{ is_valid_on('assignments', ':business_date') }}
-- violations
select
    {{ finding('manager_no') }},
    case when status_code = 'LEFT' then 'has left' else 'certificate ended ' || certificate_valid_to - 1 end as observed,
    'in post, with a valid certificate' as expected
from tested
where status_code = 'LEFT' or certificate_valid_to <= :business_date
