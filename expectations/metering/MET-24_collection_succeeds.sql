/*
sentence: The collection tasks of a day bring in at least 99 % of the items expected.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: Success that sinks slowly is not seen in any single meter.
source: catalogue MET-24
subject: business date
about: met_collect_task
not_tested: No collection task was delivered.
*/
-- tested
select
    jsonb_build_object('data_date', tasks.reading_date) as record_key,
    tasks.reading_date,
    sum(tasks.expected_count) as expected_count,
    sum(tasks.received_count) as received_count,
    quality.parameter('MET-24', 'success_share', :business_date) as success_share
from staging.stg_metering__collection_tasks as tasks
where tasks.expected_count is not null and tasks.received_count is not null
group by tasks.reading_date
-- violations
select
    record_key,
    reading_date as business_date,
    'received_cnt' as column_name,
    received_count || ' of ' || expected_count as observed,
    'at least ' || round(100 * success_share) || ' %' as expected
from tested
where received_count < success_share * expected_count
