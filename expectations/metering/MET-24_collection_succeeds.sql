/*
sentence: The collection tasks of a day bring in at least {success_share} of the items expected, in every organisation.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: Success that sinks slowly is not seen in any single meter, and one organisation's not in the sum of all.
source: project rule; a terminal is of the organisation of its first point, one without points of none
subject: organisation x day
about: met_collect_task
not_tested: No collection task was delivered.
population: days of collection of an organisation
reads: [int_metering_points_current, stg_marketing__customers, stg_metering__collection_tasks]
parameters: [success_share]
*/
-- tested
with terminals as (
    select distinct on (points.terminal_no) points.terminal_no, customers.org_no
    from staging.int_metering_points_current as points
    inner join staging.stg_marketing__customers as customers on points.account_no = customers.account_no
    where points.terminal_no is not null
    order by points.terminal_no, points.metering_point_no, customers._raw_id desc
)

select
    jsonb_build_object('org_no', coalesce(terminals.org_no, 'none'), 'data_date', tasks.reading_date) as record_key,
    tasks.reading_date,
    sum(tasks.expected_count) as expected_count,
    sum(tasks.received_count) as received_count
from staging.stg_metering__collection_tasks as tasks
left join terminals on tasks.terminal_no = terminals.terminal_no
where tasks.expected_count is not null and tasks.received_count is not null
group by coalesce(terminals.org_no, 'none'), tasks.reading_date
-- violations
{{ share_too_low('received_cnt', 'received_count', 'expected_count', ':success_share', day='reading_date', key='record_key') }}
