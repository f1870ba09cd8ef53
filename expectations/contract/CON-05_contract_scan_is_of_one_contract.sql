/*
sentence: No two contracts have the same scanned pages.
axis: arbitrary
dimension: uniqueness
severity: warn
owner: contract office
reason: One file under fourteen contracts proves one of them at most.
source: project rule; each hash of pages alone, no test of chance, since two different scans do not share a hash
subject: con_contract
not_tested: No contract has a scan.
population: contract versions with a scan
reads: [stg_contract__contracts]
*/
-- tested
select
    {{ row_of('contracts') }},
    shared.contracts
from staging.stg_contract__contracts as contracts
inner join {{ one_each(
    'staging.stg_contract__contracts', 'page_hash', 'distinct contract_no', 'count', 'contracts', "nullif(btrim(page_hash), '') is not null"
) }} as shared on contracts.page_hash = shared.page_hash
-- violations
select
    {{ finding('page_hash') }},
    'scan of ' || contracts || ' contracts' as observed,
    'one contract' as expected
from tested
where contracts > 1
