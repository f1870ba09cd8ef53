with lacking as (
    select * from {{ source('quality', 'lacking') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

-- A part that belongs to a feeder belongs to each account on it.
feeding as (
    select distinct
        feeder_no,
        account_no
    from metering_points
    where feeder_no is not null and account_no is not null
),

parts as (
    select
        lacking.table_name,
        lacking.column_name,
        coalesce(lacking.account_no, feeding.account_no) as account_no,
        lacking.fact_date,
        lacking.identifiers,
        lacking.withheld_rows,
        lacking.withheld_kwh,
        lacking.withheld_cny,
        lacking.is_there
    from lacking
    left join feeding on lacking.account_no is null and lacking.identifiers ->> 'feeder_no' = feeding.feeder_no
),

final as (
    select
        row_number() over (
            order by table_name, column_name, identifiers::text, fact_date, account_no, withheld_kwh, withheld_cny
        ) as part_no,
        table_name,
        column_name,
        account_no,
        fact_date,
        identifiers,
        withheld_rows,
        withheld_kwh::numeric(20, 4) as withheld_kwh,
        withheld_cny::numeric(20, 2) as withheld_cny,
        withheld_kwh >= 0 and withheld_cny >= 0 as is_lower_bound,
        is_there
    from parts
)

select * from final
