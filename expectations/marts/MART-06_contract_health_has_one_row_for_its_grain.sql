/*
sentence: mart_contract_health has one row for each contract_no, as_of_date.
axis: mismatch
dimension: uniqueness
severity: block
owner: data warehouse
reason: A row twice is counted twice by every reader.
source: "catalogue, mart-level rules: row grain unique"
subject: row of a mart
*/
-- tested
select
    jsonb_build_object('mart', 'mart_contract_health', 'contract_no', marts.contract_no, 'as_of_date', marts.as_of_date) as record_key,
    num_nulls(marts.contract_no, marts.as_of_date) as empty_keys,
    count(*) as copies
from candidate.mart_contract_health as marts
group by marts.contract_no, marts.as_of_date
-- violations
select
    record_key,
    copies || ' rows' || case when empty_keys > 0 then ', key not filled' else '' end as observed,
    'one row with a filled key' as expected
from tested
where copies > 1 or empty_keys > 0
