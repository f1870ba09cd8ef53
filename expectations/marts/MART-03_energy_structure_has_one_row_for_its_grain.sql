/*
sentence: mart_energy_structure has one row for each account_no, month_start_date.
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
    jsonb_build_object('mart', 'mart_energy_structure', 'account_no', marts.account_no, 'month_start_date', marts.month_start_date) as record_key,
    num_nulls(marts.account_no, marts.month_start_date) as empty_keys,
    count(*) as copies
from candidate.mart_energy_structure as marts
group by marts.account_no, marts.month_start_date
-- violations
select
    record_key,
    copies || ' rows' || case when empty_keys > 0 then ', key not filled' else '' end as observed,
    'one row with a filled key' as expected
from tested
where copies > 1 or empty_keys > 0
