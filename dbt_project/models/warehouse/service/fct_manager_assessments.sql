with assessments as (
    select distinct on (manager_no, period, dimension_code) *
    from {{ ref('stg_marketing__manager_assessments') }}
    order by manager_no, period, dimension_code, _raw_id desc
),

dimensions as (
    select * from {{ ref('assessment_dimensions') }}
),

-- A period is a year, a half year or a quarter: 2025, 2025H1, 2025Q2.
dated as (
    select
        *,
        case when period ~ '^[0-9]{4}(H[12]|Q[1-4])?$' then make_date(left(period, 4)::integer, 1, 1) end as year_start_date,
        case substr(period, 5, 1)
            when 'Q' then right(period, 1)::integer * 3
            when 'H' then right(period, 1)::integer * 6
            else 12
        end as last_month
    from assessments
    where period ~ '^[0-9]{4}(H[12]|Q[1-4])?$'
),

ended as (
    select
        *,
        (year_start_date + make_interval(months => last_month))::date - 1 as period_end_date
    from dated
),

final as (
    select
        ended.manager_no,
        ended.period,
        ended.dimension_code as dimension,
        ended.period_end_date,
        coalesce(dimensions.is_derived, false) as is_derived,
        ended.raw_score,
        ended.weight,
        (ended.raw_score * ended.weight)::numeric(10, 4) as score
    from ended
    left join dimensions
        on ended.dimension_code = dimensions.dimension_code and {{ is_valid_on('dimensions', 'ended.period_end_date') }}
)

select * from final
