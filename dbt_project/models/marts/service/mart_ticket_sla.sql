{%- set steps = {
    'dispatch': 'dispatched_at', 'arrival': 'arrived_at', 'restoration': 'restored_at', 'contact': 'first_contact_at',
    'reply': 'replied_at', 'close': 'closed_at'
} -%}
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

-- A time that is promised on average is judged for an organisation and month of acceptance, over the tickets that ended.
averages as (
    select
        accounts.org_no,
        date_trunc('month', tickets.accepted_date::timestamp)::date as month_start_date,
        clocks.clock_code,
        avg(clocks.elapsed) as average_elapsed,
        count(*)::integer as average_tickets,
        avg(clocks.elapsed) <= max(clocks.target_value) as is_met
    from clocks
    inner join tickets on clocks.ticket_no = tickets.ticket_no
    inner join accounts on tickets.account_no = accounts.account_no
    where clocks.is_average and clocks.is_counted and clocks.stopped_at is not null and clocks.elapsed is not null
    group by accounts.org_no, date_trunc('month', tickets.accepted_date::timestamp)::date, clocks.clock_code
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
        {%- for step, at in steps.items() %}
        ({{ minutes_between('tickets.accepted_at', 'tickets.' ~ at) }} / 60)::numeric(14, 4) as hours_to_{{ step }},
        {%- endfor %}
        lead_clocks.clock_code as sla_code,
        coalesce(lead_clocks.clock_code, 'NO_PROMISE') as promise_code,
        lead_clocks.target_value as sla_target,
        lead_clocks.unit_code as sla_unit_code,
        lead_clocks.elapsed,
        lead_clocks.is_met,
        second_clocks.clock_code as second_sla_code,
        second_clocks.target_value as second_sla_target,
        second_clocks.unit_code as second_sla_unit_code,
        second_clocks.elapsed as second_elapsed,
        second_clocks.is_met as second_is_met,
        averages.average_elapsed::numeric(14, 4) as second_average_elapsed,
        averages.average_tickets as second_average_tickets,
        averages.is_met as second_average_is_met,
        coalesce(lead_clocks.is_counted and lead_clocks.is_met is not null, false) as is_counted
    from tickets
    inner join months
        on months.month_start_date <= tickets.accepted_date and tickets.accepted_date < months.known_until_date
    left join accounts on tickets.account_no = accounts.account_no
    left join clocks as lead_clocks on tickets.ticket_no = lead_clocks.ticket_no and lead_clocks.is_lead
    left join clocks as second_clocks on tickets.ticket_no = second_clocks.ticket_no and not second_clocks.is_lead
    left join averages
        on
            accounts.org_no = averages.org_no
            and months.month_start_date = averages.month_start_date
            and second_clocks.clock_code = averages.clock_code
            and second_clocks.is_average
),

final as ({{ partial_rows('measured') }})

select * from final
