/*
sentence: The inspections of a month in the safety mart are the admitted inspections due in it.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: Coverage is done on time over due; an inspection that is left out was never due.
source: "requirement S26: coverage = done on time / due"
subject: month in which inspections are due
population: months in which inspections are due
reads: [candidate.mart_safety_inspection, stg_marketing__inspections]
*/
-- tested
{{ counted_by_month(
    'mart_safety_inspection', 'due_month', 'inspection_no', 'staging.stg_marketing__inspections', 'staged.due_date'
) }}
-- violations
{{ values_that_differ('inspection_no', 'listed', 'staged', day='due_month') }}
