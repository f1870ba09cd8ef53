with months as (
    select * from {{ ref('dim_months') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

clocks as (
    select * from {{ ref('int_ticket_clocks') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

measured as (
    select
        tickets.ticket_no,
        tickets.account_no,
        accounts.org_no,
        tickets.dept_no,
        tickets.channel_code,
        tickets.ticket_type_code,
        tickets.ticket_subtype_code,
        tickets.area_class_code,
        tickets.is_force_majeure,
        tickets.accepted_at,
        tickets.dispatched_at,
        tickets.arrived_at,
        tickets.restored_at,
        tickets.first_contact_at,
        tickets.replied_at,
        tickets.closed_at,
        months.month_start_date as accepted_month,
        tickets.closed_at is null as is_open,
        tickets.reopenings as reopen_cnt,
        tickets.satisfaction_score,
        lead_clocks.clock_code as sla_code,
        lead_clocks.target_value as sla_target,
        lead_clocks.unit_code as sla_unit_code,
        lead_clocks.elapsed,
        lead_clocks.is_met,
        second_clocks.clock_code as second_sla_code,
        second_clocks.target_value as second_sla_target,
        second_clocks.unit_code as second_sla_unit_code,
        second_clocks.elapsed as second_elapsed,
        second_clocks.is_met as second_is_met,
        coalesce(lead_clocks.is_counted and lead_clocks.is_met is not null, false) as is_counted
    from tickets
    inner join months
        on months.month_start_date <= tickets.accepted_date and tickets.accepted_date < months.known_until_date
    left join accounts on tickets.account_no = accounts.account_no
    left join clocks as lead_clocks on tickets.ticket_no = lead_clocks.ticket_no and lead_clocks.is_lead
    left join clocks as second_clocks on tickets.ticket_no = second_clocks.ticket_no and not second_clocks.is_lead
),

final as ({{ partial_rows('measured') }})

select * from final
