with working_days as (
    select * from {{ ref('working_days') }}
),

-- Working days from one date to another, the first not counted and the last counted, are the difference of working_day_no.
final as (
    select
        working_days.date as calendar_date,
        date_trunc('month', working_days.date::timestamp)::date as month_start_date,
        extract(isodow from working_days.date)::integer as iso_weekday,
        working_days.is_working_day,
        working_days.is_make_up_day,
        working_days.holiday_name,
        case
            when working_days.is_working_day then 'WORKING_DAY'
            when working_days.holiday_name is not null then 'HOLIDAY'
            else 'WEEKEND'
        end as day_type_code,
        (count(*) filter (where working_days.is_working_day) over (
            order by working_days.date
            rows between unbounded preceding and current row
        ))::integer as working_day_no
    from working_days
)

select * from final
