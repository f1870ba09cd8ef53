/*
sentence: The clock of a terminal differs from the time of receipt by {tolerance_minutes:words} minutes at most, where the task is real-time.
axis: late
dimension: validity
severity: warn
owner: metering office
reason: A clock that drifts moves energy between slots and between prices.
source: California VEE, time tolerance
subject: met_collect_task
not_tested: No real-time task reported its clock.
population: real-time tasks that report their clock
reads: [stg_metering__collection_tasks]
parameters: [tolerance_minutes]
*/
-- tested
select
    tasks._raw_id as raw_id,
    tasks.reading_date,
    tasks.terminal_clock_at,
    tasks.received_at,
    abs(extract(epoch from tasks.terminal_clock_at - tasks.received_at)) / 60 as drift_minutes
from staging.stg_metering__collection_tasks as tasks
where tasks.terminal_clock_at is not null and tasks.received_at is not null
-- violations
select
    {{ finding('terminal_ts', day='reading_date', account=false) }},
    round(drift_minutes, 1) || ' min' as observed,
    'at most ' || :tolerance_minutes || ' min' as expected
from tested
where drift_minutes > :tolerance_minutes
