-- What the marts lack: each branch of `parts` is a reason why something is not there, and a further reason is a further branch.
with withheld_rows as (
    select * from {{ source('quality', 'withheld') }}
),

withheld_values as (
    select * from {{ source('quality', 'withheld_now') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

parts as (
    select
        table_name,
        null as column_name,
        account_no,
        fact_date,
        identifiers,
        1 as withheld_rows,
        energy_at_stake_kwh as withheld_kwh,
        amount_at_stake_cny as withheld_cny
    from withheld_rows
    union all
    -- the row and its amounts are admitted
    select
        table_name,
        column_name,
        account_no,
        fact_date,
        identifiers,
        0 as withheld_rows,
        0 as withheld_kwh,
        0 as withheld_cny
    from withheld_values
),

-- A part that belongs to a feeder belongs to each account on it.
feeding as (
    select distinct
        feeder_no,
        account_no
    from metering_points
    where feeder_no is not null and account_no is not null
),

final as (
    select
        row_number() over (
            order by
                parts.table_name, parts.column_name, parts.identifiers::text, parts.fact_date,
                coalesce(parts.account_no, feeding.account_no)
        ) as part_no,
        parts.table_name,
        coalesce(parts.column_name, '') as column_name,
        coalesce(parts.account_no, feeding.account_no) as account_no,
        parts.fact_date,
        coalesce(parts.identifiers, '{}'::jsonb) as identifiers,
        parts.withheld_rows,
        coalesce(parts.withheld_kwh, 0)::numeric(20, 4) as withheld_kwh,
        coalesce(parts.withheld_cny, 0)::numeric(20, 2) as withheld_cny,
        coalesce(parts.withheld_kwh, 0) >= 0 and coalesce(parts.withheld_cny, 0) >= 0 as is_lower_bound
    from parts
    left join feeding
        on parts.account_no is null and parts.identifiers ->> 'feeder_no' = feeding.feeder_no
)

select * from final
