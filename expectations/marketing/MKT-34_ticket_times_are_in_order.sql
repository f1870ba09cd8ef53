/*
sentence: A ticket is accepted, dispatched, arrived, restored and closed in this order.
axis: mismatch
dimension: consistency
severity: quarantine
owner: marketing office
reason: Service clocks are differences of these times.
source: requirement S17
subject: mkt_ticket
quarantines: mkt_ticket
not_tested: No ticket was delivered.
population: tickets
reads: [stg_marketing__tickets]
*/
-- tested
select
    {{ row_of('tickets') }},
    tickets.accepted_at,
    (
        select string_agg(steps.step || ' ' || steps.at, ', ' order by steps.step_no)
        from (
            select
                listed.*,
                lag(listed.at) over (order by listed.step_no) as at_before
            from (
                values
                (1, 'accepted', tickets.accepted_at),
                (2, 'dispatched', tickets.dispatched_at),
                (3, 'arrived', tickets.arrived_at),
                (4, 'restored', tickets.restored_at),
                (5, 'closed', tickets.closed_at)
            ) as listed (step_no, step, at)
            where listed.at is not null
        ) as steps
        where steps.at_before > steps.at
    ) as disorder
from staging.stg_marketing__tickets as tickets
-- violations
select
    {{ finding('accepted_at', day=local_date('accepted_at')) }},
    disorder || ' too early' as observed,
    'accepted, dispatched, arrived, restored, closed' as expected
from tested
where disorder is not null
