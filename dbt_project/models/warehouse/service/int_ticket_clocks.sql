with tickets as (
    select * from {{ ref('fct_tickets') }}
),

clocks as (
    select * from {{ ref('service_clocks') }}
    where subject_code = 'TICKET'
),

dates as (
    select * from {{ ref('dim_dates') }}
),

-- A clock that its event never stopped stands when the ticket is closed.
runs as (
    select
        tickets.ticket_no,
        clocks.clock_code,
        clocks.is_lead,
        coalesce(clocks.is_average, false) as is_average,
        clocks.target_value,
        clocks.unit_code,
        not coalesce(tickets.is_force_majeure, false) as is_counted,
        case clocks.started_by
            when 'ACCEPTED' then tickets.accepted_at
            when 'ARRIVED' then tickets.arrived_at
        end as started_at,
        coalesce(
            case clocks.stopped_by
                when 'ARRIVED' then tickets.arrived_at
                when 'RESTORED' then tickets.restored_at
                when 'CONTACTED' then tickets.first_contact_at
                when 'REPLIED' then tickets.replied_at
            end,
            tickets.closed_at
        ) as stopped_at
    from tickets
    inner join clocks
        on
            tickets.ticket_type_code = clocks.ticket_type_code
            and clocks.ticket_subtype_code in ('ANY', tickets.ticket_subtype_code)
            and clocks.area_class_code in ('ANY', tickets.area_class_code)
            and {{ is_valid_on('clocks', 'tickets.accepted_date') }}
),

-- An open clock is read at the end of D.
read as (
    select
        *,
        coalesce(stopped_at, {{ day_start_at(business_date() ~ ' + 1') }}) as read_at,
        coalesce((stopped_at at time zone 'Asia/Shanghai')::date, {{ business_date() }}) as read_date
    from runs
),

-- The day of the start is not counted, that of the reading is.
elapsed as (
    select
        read.*,
        case read.unit_code
            when 'WORKING_DAY' then read_on.working_day_no - started_on.working_day_no
            when 'MINUTE' then {{ minutes_between('read.started_at', 'read.read_at') }}
        end::numeric(14, 4) as elapsed
    from read
    left join dates as started_on
        on (read.started_at at time zone 'Asia/Shanghai')::date = started_on.calendar_date
    left join dates as read_on
        on read.read_date = read_on.calendar_date
),

-- An open clock within its target is neither met nor missed; a promise on average is not judged by a single ticket.
final as (
    select
        ticket_no,
        clock_code,
        is_lead,
        is_average,
        is_counted,
        started_at,
        stopped_at,
        target_value,
        unit_code,
        elapsed,
        case
            when is_average then null
            when elapsed > target_value then false
            when stopped_at is not null and elapsed is not null then true
        end as is_met
    from elapsed
)

select * from final
