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
with months as (
    select due_month, count(distinct inspection_no) as inspections
    from candidate.mart_safety_inspection
    group by due_month
)

select
    {{ mart_row('mart_safety_inspection', 'months', ['due_month']) }},
    months.inspections,
    count(distinct staged.inspection_no) as staged_inspections
from months
left join staging.stg_marketing__inspections as staged
    on months.due_month <= staged.due_date and staged.due_date < months.due_month + interval '1 month'
group by months.due_month, months.inspections
-- violations
{{ counts_that_differ('inspection_no', 'inspections', 'staged_inspections', day='due_month') }}
