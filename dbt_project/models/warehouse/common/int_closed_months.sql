-- Stays as it is for a month, while the month at its end in dim_months grows by a day each night.
with months as (
    select * from {{ ref('dim_months') }}
)

select * from months
where is_closed
