/*
sentence: An effective contract has a scan of at least {pages:words} pages.
axis: missing
dimension: completeness
severity: warn
owner: contract office
reason: In a dispute the signed paper decides.
source: project rule
subject: con_contract
not_tested: No contract is effective.
population: effective contract versions
reads: [stg_contract__contracts]
parameters: [pages]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.scan_file_id,
    contracts.scan_pages
from staging.stg_contract__contracts as contracts
where contracts.status_code = 'EFFECTIVE' and contracts.kind_code <> 'PROTOCOL'
-- violations
select
    {{ finding('scan_file_id') }},
    coalesce(scan_pages || ' pages', 'empty') as observed,
    'a scan of at least ' || :pages || ' pages' as expected
from tested
where nullif(btrim(scan_file_id), '') is null or coalesce(scan_pages, 0) < :pages
