{{ config(tags=['as_delivered']) }}

-- Days of points of which a curve, or a register at either end of the day, is tested tonight.
with curves as (
    select * from {{ ref('stg_metering__curves') }}
),

touched as (
    select * from {{ source('quality', 'touched_curves') }}
    where table_name = 'met_interval_96'
),

registers as (
    select * from {{ ref('stg_metering__register_freezes') }}
    where freeze_kind_code = 'DAY' and energy_kind_code = 'ACTIVE' and direction_code = 'FWD'
),

points as (
    select * from {{ ref('int_metering_points_current') }}
),

current_run as (
    select * from {{ source('quality', 'current_run') }}
),

final as (
    select curves.metering_point_no, curves.reading_date
    from curves
    inner join touched on curves._raw_id = touched.raw_id
    union
    select points.metering_point_no, registers.reading_date + shifts.days
    from registers
    inner join points on registers.meter_asset_no = points.meter_asset_no
    cross join (values (0), (1)) as shifts (days)
    where registers._load_id > (select current_run.last_passed_load_id from current_run)
)

select * from final
