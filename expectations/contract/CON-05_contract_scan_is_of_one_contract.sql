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
with shared as (
    select page_hash, count(distinct contract_no) as contracts
    from staging.stg_contract__contracts
    where nullif(btrim(page_hash), '') is not null
    group by page_hash
)

select
    {{ row_of('contracts') }},
    shared.contracts
from staging.stg_contract__contracts as contracts
inner join shared on contracts.page_hash = shared.page_hash
-- violations
select
    {{ finding('page_hash') }},
    'scan of ' || contracts || ' contracts' as observed,
    'one contract' as expected
from tested
where contracts > 1
