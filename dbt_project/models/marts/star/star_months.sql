with dates as (
    select * from {{ ref('star_dates') }}
),

months as (
    select * from {{ ref('dim_months') }}
),

days as (
    select
        month_start_date,
        min(quarter_start_date) as quarter_start_date,
        min(calendar_year) as calendar_year,
        min(quarter_no) as quarter_no,
        min(month_no) as month_no,
        count(*)::integer as days,
        count(*) filter (where is_working_day)::integer as working_days
    from dates
    group by month_start_date
),

final as (
    select
        days.month_start_date,
        (days.month_start_date + interval '1 month')::date as next_month_start_date,
        days.quarter_start_date,
        days.calendar_year,
        days.quarter_no,
        days.month_no,
        to_char(days.month_start_date, 'YYYY-MM') as month_label,
        days.days,
        days.working_days,
        months.month_start_date is not null as is_published,
        coalesce(months.is_closed, false) as is_closed,
        months.report_date,
        coalesce(months.has_collection, false) as has_collection
    from days
    left join months on days.month_start_date = months.month_start_date
)

select * from final
