with tickets as (
    select * from {{ ref('stg_marketing__tickets') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

newest as (
    select distinct on (ticket_no) *
    from tickets
    order by ticket_no, _raw_id desc
),

reopened as (
    select
        reopened_ticket_no,
        count(*)::integer as reopenings
    from newest
    where reopened_ticket_no is not null
    group by reopened_ticket_no
),

-- The day of acceptance is not counted, the day of reply is.
final as (
    select
        newest.ticket_no,
        newest.account_no,
        newest.ticket_type_code,
        newest.ticket_subtype_code,
        newest.channel_code,
        newest.area_class_code,
        newest.dept_no,
        newest.reopened_ticket_no,
        coalesce(reopened.reopenings, 0) as reopenings,
        newest.accepted_at,
        newest.dispatched_at,
        newest.arrived_at,
        newest.restored_at,
        newest.first_contact_at,
        newest.replied_at,
        newest.closed_at,
        (newest.accepted_at at time zone 'Asia/Shanghai')::date as accepted_date,
        {{ minutes_between('newest.accepted_at', 'newest.arrived_at') }}::numeric(14, 4) as arrival_minutes,
        {{ minutes_between('newest.arrived_at', 'newest.restored_at') }}::numeric(14, 4) as restoration_minutes,
        replied.working_day_no - accepted.working_day_no as reply_working_days,
        newest.work_minutes,
        newest.satisfaction_score,
        newest.is_force_majeure
    from newest
    left join reopened on newest.ticket_no = reopened.reopened_ticket_no
    left join dates as accepted
        on (newest.accepted_at at time zone 'Asia/Shanghai')::date = accepted.calendar_date
    left join dates as replied
        on (newest.replied_at at time zone 'Asia/Shanghai')::date = replied.calendar_date
)

select * from final
