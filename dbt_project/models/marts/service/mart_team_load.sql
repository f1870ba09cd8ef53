with months as (
    select * from {{ ref('dim_months') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
),

stages as (
    select * from {{ ref('fct_application_stages') }}
    where clock_owner_code = 'UTILITY'
),

days as (
    select
        dates.calendar_date,
        months.month_start_date,
        {{ day_start_at('dates.calendar_date') }} as day_started_at,
        {{ day_start_at('dates.calendar_date + 1') }} as day_ended_at
    from dates
    inner join months on months.month_start_date <= dates.calendar_date and dates.calendar_date < months.known_until_date
),

-- The stage of an application that was cancelled is no open case.
cases as (
    select
        dept_no as team_no,
        'TICKET' as case_kind_code,
        accepted_at as opened_at,
        closed_at,
        work_minutes
    from tickets
    where dept_no is not null
    union all
    select
        dept_no as team_no,
        'STAGE' as case_kind_code,
        started_at as opened_at,
        ended_at as closed_at,
        null as work_minutes
    from stages
    where dept_no is not null and (ended_at is not null or application_status_code = 'OPEN')
),

teams as (
    select
        team_no,
        min(opened_at) as first_opened_at
    from cases
    group by team_no
),

-- Of a team, every case that was opened by the end of the day and not closed before its start.
at_day_end as (
    select
        teams.team_no,
        days.calendar_date,
        days.month_start_date,
        cases.case_kind_code,
        cases.work_minutes,
        cases.opened_at >= days.day_started_at as is_opened,
        coalesce(cases.closed_at < days.day_ended_at, false) as is_closed,
        case
            when cases.closed_at < days.day_ended_at then null
            else {{ minutes_between('cases.opened_at', 'days.day_ended_at') }} / 60
        end as open_hours
    from teams
    inner join days on teams.first_opened_at < days.day_ended_at
    left join cases
        on
            teams.team_no = cases.team_no
            and cases.opened_at < days.day_ended_at
            and (cases.closed_at is null or cases.closed_at >= days.day_started_at)
),

measured as (
    select
        team_no,
        calendar_date,
        month_start_date,
        (count(case_kind_code) filter (where not is_closed))::integer as open_cases,
        (count(*) filter (where not is_closed and case_kind_code = 'TICKET'))::integer as open_tickets,
        (count(*) filter (where not is_closed and case_kind_code = 'STAGE'))::integer as open_stages,
        (count(case_kind_code) filter (where is_opened))::integer as opened_cases,
        (count(case_kind_code) filter (where is_closed))::integer as closed_cases,
        (coalesce(sum(work_minutes) filter (where is_closed), 0)::numeric / 60)::numeric(12, 4) as working_hours,
        (percentile_disc(0.5) within group (order by open_hours))::numeric(14, 4) as backlog_age_p50_hours,
        (percentile_disc(0.9) within group (order by open_hours))::numeric(14, 4) as backlog_age_p90_hours
    from at_day_end
    group by team_no, calendar_date, month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
