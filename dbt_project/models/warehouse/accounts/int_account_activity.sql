with months as (
    select * from {{ ref('dim_months') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

receivables as (
    select * from {{ ref('int_receivables') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

-- A reclosing sequence is one interruption.
outages as (
    select * from {{ ref('fct_interruptions') }}
    where entity_kind_code = 'ACCOUNT' and side_code = 'CUSTOMER' and is_new_sequence
),

visits as (
    select * from {{ ref('fct_manager_visits') }}
),

inspections as (
    select * from {{ ref('fct_inspections') }}
),

days as (
    select
        accounts.account_no,
        months.report_date as as_of_date,
        {{ day_start_at('months.report_date + 1') }} as day_ended_at,
        (months.report_date - interval '12 months')::date as year_before_date
    from accounts
    inner join months
        on
            {{ is_valid_on('accounts', 'months.report_date') }}
),

billed as (
    select
        days.account_no,
        days.as_of_date,
        max(bills.bill_month) as last_bill_month,
        (array_agg(bills.total_charge_cny order by bills.bill_month desc nulls last, bills.bill_no desc))[1]
            as last_billed_cny
    from days
    inner join bills on days.account_no = bills.account_no and bills.issued_date <= days.as_of_date
    group by days.account_no, days.as_of_date
),

called as (
    select
        days.account_no,
        days.as_of_date,
        count(*) filter (
            where tickets.ticket_type_code = 'COMPLAINT' and days.year_before_date < tickets.accepted_date
        ) as complaints_12m,
        count(*) filter (
            where tickets.closed_at is null or tickets.closed_at >= days.day_ended_at
        ) as open_tickets
    from days
    inner join tickets on days.account_no = tickets.account_no and tickets.accepted_date <= days.as_of_date
    group by days.account_no, days.as_of_date
),

interrupted as (
    select
        days.account_no,
        days.as_of_date,
        count(*) as outages_12m
    from days
    inner join outages
        on
            days.account_no = outages.entity_no
            and outages.started_date <= days.as_of_date
            and days.year_before_date < outages.started_date
    group by days.account_no, days.as_of_date
),

visited as (
    select
        days.account_no,
        days.as_of_date,
        max(visits.visited_date) as last_visit_date
    from days
    inner join visits on days.account_no = visits.account_no and visits.visited_date <= days.as_of_date
    group by days.account_no, days.as_of_date
),

inspected as (
    select
        days.account_no,
        days.as_of_date,
        sum(inspections.open_hazards) as open_hazards
    from days
    inner join inspections on days.account_no = inspections.account_no and inspections.done_date <= days.as_of_date
    group by days.account_no, days.as_of_date
),

final as (
    select
        days.account_no,
        days.as_of_date,
        billed.last_bill_month,
        billed.last_billed_cny,
        coalesce(receivables.unpaid_cny, 0)::numeric(18, 2) as unpaid_cny,
        coalesce(receivables.overdue_cny, 0)::numeric(18, 2) as overdue_cny,
        coalesce(called.complaints_12m, 0)::integer as complaints_12m,
        coalesce(called.open_tickets, 0)::integer as open_tickets,
        coalesce(interrupted.outages_12m, 0)::integer as outages_12m,
        visited.last_visit_date,
        coalesce(inspected.open_hazards, 0)::integer as open_hazards
    from days
    left join billed on days.account_no = billed.account_no and days.as_of_date = billed.as_of_date
    left join receivables on days.account_no = receivables.account_no and days.as_of_date = receivables.as_of_date
    left join called on days.account_no = called.account_no and days.as_of_date = called.as_of_date
    left join interrupted on days.account_no = interrupted.account_no and days.as_of_date = interrupted.as_of_date
    left join visited on days.account_no = visited.account_no and days.as_of_date = visited.as_of_date
    left join inspected on days.account_no = inspected.account_no and days.as_of_date = inspected.as_of_date
)

select * from final
