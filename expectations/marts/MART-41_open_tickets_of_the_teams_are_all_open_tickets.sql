/*
sentence: The tickets open with the teams at the end of a day are all tickets of a department that were accepted by then and not closed.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A case that lies with nobody is a case that nobody works on.
source: "requirement S19: counts at day end"
subject: day
population: days
reads: [candidate.mart_team_load, stg_marketing__tickets]
*/
-- tested
with days as (
    select calendar_date, sum(open_tickets) as open_tickets
    from candidate.mart_team_load
    group by calendar_date
)

select
    {{ mart_row('mart_team_load', 'days', ['calendar_date']) }},
    days.open_tickets,
    count(tickets.ticket_no) as staged_tickets
from days
left join {{ newest_each('staging.stg_marketing__tickets', 'ticket_no', where='dept_no is not null') }} as tickets
    on
        {{ local_date('tickets.accepted_at') }} <= days.calendar_date
        and (tickets.closed_at is null or {{ local_date('tickets.closed_at') }} > days.calendar_date)
group by days.calendar_date, days.open_tickets
-- violations
{{ values_that_differ('open_tickets', 'open_tickets', 'staged_tickets', day='calendar_date') }}
