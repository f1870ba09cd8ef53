/*
sentence: An agreed estimate names two different persons and a reason, and covers slots of a known metering point that no other line covers.
axis: missing
dimension: validity
severity: warn
owner: metering office
reason: A line that one person wrote alone is no agreement; it is not used, and its slots stay missing.
source: "seed estimation_agreements: an estimate that was agreed by hand has two persons and a reason"
subject: agreed estimate
not_tested: No estimate was agreed.
population: agreed estimates
reads: [int_agreed_estimates]
*/
-- tested
select
    jsonb_build_object(
        'metering_point_no', agreed.metering_point_no,
        'quantity', agreed.quantity_code,
        'date', agreed.reading_date,
        'first_slot', agreed.first_slot_no,
        'line', agreed.line_no
    ) as record_key,
    agreed.problem
from staging.int_agreed_estimates as agreed
-- violations
select
    record_key,
    problem as observed,
    'two persons, a reason, slots of its own' as expected
from tested
where problem is not null
