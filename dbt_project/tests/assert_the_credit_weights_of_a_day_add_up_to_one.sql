-- Each day on which a weight begins is tried: the weights that are valid then must be a whole.
with weights as (
    select * from {{ ref('credit_weights') }}
),

days as (
    select distinct valid_from as day
    from weights
)

select
    days.day,
    sum(weights.weight) as total_weight
from days
left join weights on {{ is_valid_on('weights', 'days.day') }}
group by days.day
having sum(weights.weight) is distinct from 1
