-- One value may lie in one band of its factor only, and the largest points of all factors of leaving are the top of the score.
with points as (
    select * from {{ ref('churn_points') }}
),

days as (
    select distinct valid_from as day
    from points
),

overlapping as (
    select
        days.day,
        bands.factor_code as found
    from days
    inner join points as bands on {{ is_valid_on('bands', 'days.day') }}
    inner join points as others
        on
            {{ is_valid_on('others', 'days.day') }}
            and bands.factor_code = others.factor_code
            and bands.clause || coalesce(bands.value_from::text, '') <> others.clause || coalesce(others.value_from::text, '')
            and (bands.value_below is null or others.value_from is null or others.value_from < bands.value_below)
            and (others.value_below is null or bands.value_from is null or bands.value_from < others.value_below)
),

largest as (
    select
        days.day,
        points.factor_code,
        max(points.points) as points
    from days
    inner join points on {{ is_valid_on('points', 'days.day') }}
    where points.question_code <> 'RETURN'
    group by days.day, points.factor_code
)

select
    day,
    found
from overlapping
union all
select
    day,
    'adds up to ' || sum(points) as found
from largest
group by day
having sum(points) <> 100
