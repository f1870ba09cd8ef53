with dates as (
    select * from {{ ref('dim_dates') }}
),

months as (
    select
        (date_trunc('year', min(month_start_date)::timestamp) - interval '2 years')::date as first_date,
        max(report_date) as business_date
    from {{ ref('dim_months') }}
),

-- From two years before the first published month to the end of the calendar of working days, each day once.
final as (
    select
        dates.calendar_date,
        dates.month_start_date,
        date_trunc('quarter', dates.calendar_date::timestamp)::date as quarter_start_date,
        extract(year from dates.calendar_date)::integer as calendar_year,
        extract(quarter from dates.calendar_date)::integer as quarter_no,
        extract(month from dates.calendar_date)::integer as month_no,
        extract(day from dates.calendar_date)::integer as day_no,
        extract(week from dates.calendar_date)::integer as iso_week,
        dates.iso_weekday,
        (array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[dates.iso_weekday]
            as weekday_name_en,
        (array['星期一', '星期二', '星期三', '星期四', '星期五', '星期六', '星期日'])[dates.iso_weekday] as weekday_name_zh,
        dates.is_working_day,
        dates.is_make_up_day,
        dates.holiday_name,
        dates.day_type_code,
        dates.working_day_no,
        dates.calendar_date <= months.business_date as is_known
    from dates
    inner join months on dates.calendar_date >= months.first_date
)

select * from final
