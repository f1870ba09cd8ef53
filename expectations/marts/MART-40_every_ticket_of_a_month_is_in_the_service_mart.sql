/*
sentence: The tickets of a month in the service mart are the admitted tickets accepted in that month.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A hit rate over fewer tickets than there were looks better than the service was.
source: "requirement S17: totals of a mart are those of its facts"
subject: month of acceptance
population: months of acceptance
reads: [candidate.mart_ticket_sla, stg_marketing__tickets]
*/
-- tested
{{ counted_by_month(
    'mart_ticket_sla', 'accepted_month', 'ticket_no', 'staging.stg_marketing__tickets', local_date('staged.accepted_at'),
    up_to=':business_date', records='count(*)'
) }}
-- violations
{{ values_that_differ('ticket_no', 'listed', 'staged', day='accepted_month') }}
