/*
sentence: At most 2 % of a day's curves and register readings are entered by hand.
axis: arbitrary
dimension: plausibility
severity: warn
owner: metering office
reason: Readings entered by hand are late, rounded, or guessed.
source: catalogue MET-30, share; the test of last digits needs 200 readings of one collector
subject: business date
about: met_interval_96
not_tested: No reading was delivered.
*/
-- tested
with collected as (
    select reading_date, collect_way_code from staging.stg_metering__curves
    union all
    select reading_date, collect_way_code from staging.stg_metering__register_freezes
)

select
    jsonb_build_object('data_date', collected.reading_date) as record_key,
    collected.reading_date,
    count(*) as readings,
    count(*) filter (where collected.collect_way_code = 'MANUAL') as manual_readings,
    quality.parameter('MET-30', 'manual_share', :business_date) as manual_share
from collected
group by collected.reading_date
-- violations
select
    record_key,
    reading_date as business_date,
    'collect_way' as column_name,
    manual_readings || ' of ' || readings || ' by hand' as observed,
    'at most ' || round(100 * manual_share, 1) || ' %' as expected
from tested
where manual_readings > manual_share * readings
