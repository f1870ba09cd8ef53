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
with months as (
    select accepted_month, count(*) as tickets
    from candidate.mart_ticket_sla
    group by accepted_month
)

select
    {{ mart_row('mart_ticket_sla', 'months', ['accepted_month']) }},
    months.tickets,
    count(distinct staged.ticket_no) as staged_tickets
from months
left join staging.stg_marketing__tickets as staged
    on
        {{ local_date('staged.accepted_at') }} >= months.accepted_month
        and {{ local_date('staged.accepted_at') }} < months.accepted_month + interval '1 month'
        and {{ local_date('staged.accepted_at') }} <= :business_date
group by months.accepted_month, months.tickets
-- violations
{{ counts_that_differ('ticket_no', 'tickets', 'staged_tickets', day='accepted_month') }}
