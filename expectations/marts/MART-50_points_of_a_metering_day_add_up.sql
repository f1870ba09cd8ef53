/*
sentence: Valid, estimated, missing and outage points of a metering point and day are its expected points, and none is negative.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A point counted twice or not at all makes coverage meaningless.
source: "requirement S08: slots valid + estimated + missing + outage"
subject: metering point x day
population: days of a metering point
reads: [candidate.mart_metering_integrity]
*/
-- tested
select
    {{ mart_row('mart_metering_integrity', 'days', ['metering_point_no', 'reading_date']) }},
    days.account_no,
    days.expected_points,
    days.valid_points + days.estimated_points + days.missing_points + days.outage_points as counted_points,
    least(days.valid_points, days.estimated_points, days.missing_points, days.outage_points) as smallest
from candidate.mart_metering_integrity as days
-- violations
select
    {{ finding('expected_points', day='reading_date', key='record_key') }},
    counted_points || case when smallest < 0 then ', of one kind ' || smallest else '' end as observed,
    expected_points::text as expected
from tested
where counted_points <> expected_points or smallest < 0
