{{ config(
    indexes=[{'columns': ['metering_point_no', 'reading_date']}, {'columns': ['reading_date']}],
    meta={'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date', 'follows_days': true}}
) }}

with metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

collection as (
    select
        current_run.collection_start,
        current_run.business_date
    from {{ source('quality', 'current_run') }} as current_run
),

final as (
    select
        metering_points.metering_point_no,
        days.reading_date::date as reading_date
    from metering_points
    cross join collection
    cross join lateral generate_series(
        greatest(metering_points.valid_from, collection.collection_start)::timestamp,
        least(metering_points.valid_to - 1, collection.business_date)::timestamp,
        interval '1 day'
    ) as days (reading_date)
    where metering_points.is_expected_to_report and {{ is_touched('metering_points.metering_point_no', 'days.reading_date::date') }}
)

select * from final
