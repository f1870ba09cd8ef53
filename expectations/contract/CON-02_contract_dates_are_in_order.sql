/*
sentence: A contract ends after it begins, and is signed before it begins.
axis: mismatch
dimension: validity
severity: quarantine
owner: contract office
reason: A contract that ends before it begins is never in force; one signed late was in force unsigned.
source: project rule
subject: con_contract
quarantines: con_contract
population: contract versions
reads: [stg_contract__contracts]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.signed_date,
    contracts.valid_from,
    contracts.valid_to - 1 as last_day
from staging.stg_contract__contracts as contracts
where contracts.valid_from is not null and (contracts.signed_date is not null or contracts.valid_to is not null)
-- violations
select
    {{ finding('valid_to') }},
    last_day::text as observed,
    'after ' || valid_from as expected,
    'quarantine' as severity
from tested
where last_day <= valid_from
union all
select
    {{ finding('signed_on') }},
    signed_date::text as observed,
    'not after ' || valid_from as expected,
    'warn' as severity
from tested
where signed_date > valid_from
