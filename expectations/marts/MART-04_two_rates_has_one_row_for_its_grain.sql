/*
sentence: mart_two_rates has one row for each entity_kind_code, entity_no, month_start_date, side_code.
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
    jsonb_build_object('mart', 'mart_two_rates', 'entity_kind_code', marts.entity_kind_code, 'entity_no', marts.entity_no, 'month_start_date', marts.month_start_date, 'side_code', marts.side_code) as record_key,
    num_nulls(marts.entity_kind_code, marts.entity_no, marts.month_start_date, marts.side_code) as empty_keys,
    count(*) as copies
from candidate.mart_two_rates as marts
group by marts.entity_kind_code, marts.entity_no, marts.month_start_date, marts.side_code
-- violations
select
    record_key,
    copies || ' rows' || case when empty_keys > 0 then ', key not filled' else '' end as observed,
    'one row with a filled key' as expected
from tested
where copies > 1 or empty_keys > 0
