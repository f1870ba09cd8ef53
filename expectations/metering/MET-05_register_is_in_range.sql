/*
sentence: A register reading is at least zero and has no more integer digits than its meter.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: Such a reading was never on the meter; the energy of two days would be wrong.
source: project rule
subject: met_register_freeze
quarantines: met_register_freeze
not_tested: No register reading landed tonight.
population: register readings that landed
tests: touched rows
reads: [quality.open_findings, stg_metering__meters, stg_metering__register_freezes]
*/
-- tested
select
    registers._raw_id as raw_id,
    registers.reading_date,
    registers.register_reading_kwh,
    10 ^ meters.digits_int::numeric as above_range
from staging.stg_metering__register_freezes as registers
left join {{ one_each('staging.stg_metering__meters', 'meter_asset_no', 'digits_int', 'max') }} as meters
    on registers.meter_asset_no = meters.meter_asset_no
where registers.register_reading_kwh is not null and {{ is_new_or_open('registers', 'met_register_freeze') }}
-- violations
select
    {{ finding('reading', day='reading_date', account=false) }},
    register_reading_kwh::text as observed,
    'from 0 to below ' || coalesce(round(above_range)::text, 'the range of the meter') as expected
from tested
where register_reading_kwh < 0 or register_reading_kwh >= above_range
