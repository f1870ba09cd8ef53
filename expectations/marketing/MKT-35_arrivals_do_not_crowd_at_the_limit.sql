/*
sentence: Arrivals of urban fault crews are not concentrated in the last minutes before the limit of {limit_minutes} minutes.
axis: arbitrary
dimension: plausibility
severity: warn
owner: marketing office
reason: A crowd at 44 minutes was typed in to keep the promise.
source: seed service_clocks; binomial, where arrivals fall evenly on the 45 minutes and 10 or more are counted, at most 0.3 % of honest departments are found
subject: department
about: mkt_ticket
not_tested: No department has ten urban arrivals.
population: departments with enough urban arrivals
reads: [stg_marketing__tickets]
parameters: [edge_minutes, least_arrivals, limit_minutes, share]
*/
-- tested
with arrivals as (
    select
        coalesce(tickets.dept_no, 'none') as dept_no,
        extract(epoch from tickets.arrived_at - tickets.accepted_at) / 60 as minutes
    from staging.stg_marketing__tickets as tickets
    where
        tickets.ticket_type_code = 'FAULT'
        and tickets.area_class_code = 'URBAN'
        and tickets.arrived_at is not null
        and tickets.accepted_at is not null
)

select
    jsonb_build_object('dept_no', arrivals.dept_no) as record_key,
    count(*) as arrivals,
    count(*) filter (
        where arrivals.minutes > :limit_minutes
            - :edge_minutes
            and arrivals.minutes <= :limit_minutes
    ) as arrivals_at_the_edge,
    :share as share
from arrivals
group by arrivals.dept_no
having count(*) >= :least_arrivals
-- violations
select
    {{ finding('arrived_at', key='record_key', account=false) }},
    arrivals_at_the_edge || ' of ' || arrivals || ' at the limit' as observed,
    'at most ' || round(100 * share) || ' %' as expected
from tested
where arrivals_at_the_edge > share * arrivals
