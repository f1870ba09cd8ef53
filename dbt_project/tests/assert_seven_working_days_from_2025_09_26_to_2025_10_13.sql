-- 2025-09-28 (Sunday) and 2025-10-11 (Saturday) are worked, 2025-10-01 to 10-08 is a holiday; Monday to Friday would give 11.
with dates as (
    select * from {{ ref('dim_dates') }}
),

final as (
    select
        last_day.working_day_no - first_day.working_day_no as working_days
    from dates as first_day
    cross join dates as last_day
    where
        first_day.calendar_date = date '2025-09-26'
        and last_day.calendar_date = date '2025-10-13'
        and last_day.working_day_no - first_day.working_day_no <> 7
)

select * from final
