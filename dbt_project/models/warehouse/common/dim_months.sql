with collection as (
    select
        current_run.business_date,
        current_run.collection_start
    from {{ source('quality', 'current_run') }} as current_run
),

months as (
    select
        series.month_start::date as month_start_date,
        (series.month_start + interval '1 month')::date as next_month_start_date,
        collection.business_date,
        collection.collection_start
    from collection
    cross join lateral generate_series(
        date_trunc('month', collection.business_date::timestamp)
        - make_interval(months => {{ parameter('mart_parameters', 'months_published') }}::integer - 1),
        date_trunc('month', collection.business_date::timestamp),
        interval '1 month'
    ) as series (month_start)
),

-- The month of D is known up to the end of D.
final as (
    select
        month_start_date,
        next_month_start_date,
        least(next_month_start_date, business_date + 1) as known_until_date,
        least(next_month_start_date, business_date + 1) - 1 as report_date,
        next_month_start_date <= business_date + 1 as is_closed,
        greatest(month_start_date, collection_start) as collected_from_date,
        collection_start < least(next_month_start_date, business_date + 1) as has_collection,
        (least(next_month_start_date, business_date + 1) - month_start_date) * 24 as known_hours
    from months
)

select * from final
