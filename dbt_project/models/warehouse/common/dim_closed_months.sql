-- Stays as it is for a month, while the last month of dim_months grows by a day each night.
with final as (
    select * from {{ ref('dim_months') }}
    where is_closed
)

select * from final
