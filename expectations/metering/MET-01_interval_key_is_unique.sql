/*
sentence: Each metering point, day, quantity, phase and collection version has one row.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: metering office
reason: Two curves of one key cannot both be right; either would be counted.
source: project rule
subject: met_interval_96
quarantines: met_interval_96
not_tested: No curve landed tonight.
population: curves that landed
tests: touched rows
reads: [stg_metering__curves]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    num_nulls(
        nullif(curves.metering_point_no, ''), curves.reading_date, curves.quantity_code, curves.phase_code, curves.version
    ) > 0 as lacks_key,
    count(*) over (partition by curves._key) as copies
from {{ touched_curves('staging.stg_metering__curves') }} as curves
-- violations
select
    {{ finding('mp_no', day='reading_date', account=false) }},
    case when lacks_key then 'empty' else copies || ' rows' end as observed,
    'one row for each mp_no, data_date, data_type, phase, version' as expected
from tested
where lacks_key or copies > 1
