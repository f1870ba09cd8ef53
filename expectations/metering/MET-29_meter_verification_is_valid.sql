/*
sentence: A running meter is read within the term of its verification.
axis: mismatch
dimension: validity
severity: warn
owner: metering office
reason: An expired verification makes the reading contestable.
source: project rule
subject: met_meter
population: running meters with a term of verification
reads: [stg_metering__meters]
*/
-- tested
select
    meters._raw_id as raw_id,
    meters.verification_due_date
from staging.stg_metering__meters as meters
where meters.status_code = 'RUNNING' and meters.verification_due_date is not null
-- violations
select
    {{ finding('verify_due', account=false) }},
    verification_due_date::text as observed,
    'not before ' || :business_date as expected
from tested
where verification_due_date < :business_date
