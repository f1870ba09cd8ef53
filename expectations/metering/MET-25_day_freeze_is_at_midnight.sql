/*
sentence: A day freeze is taken at 00:00:00 local time.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: A reading of another time belongs to another day's energy.
source: project rule
subject: met_register_freeze
quarantines: met_register_freeze
not_tested: No day freeze was delivered.
population: day freezes
reads: [stg_metering__register_freezes]
*/
-- tested
select
    registers._raw_id as raw_id,
    registers.reading_date,
    (registers.frozen_at at time zone 'Asia/Shanghai')::time as frozen_time
from staging.stg_metering__register_freezes as registers
where registers.freeze_kind_code = 'DAY' and registers.frozen_at is not null
-- violations
select
    {{ finding('freeze_ts', day='reading_date', account=false) }},
    frozen_time::text as observed,
    '00:00:00' as expected
from tested
where frozen_time <> time '00:00'
