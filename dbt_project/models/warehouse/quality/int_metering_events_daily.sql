{{ config(
    indexes=[{'columns': ['metering_point_no', 'event_date']}, {'columns': ['event_date']}],
    meta={
        'touched_by': {'unit': 'metering_point_no', 'day': 'event_date'},
        'changed_days': ['event_date', 'event_date']
    }
) }}

with measuring_points as (
    select distinct on (metering_point_no)
        metering_point_no,
        meter_asset_no,
        terminal_no
    from {{ ref('stg_metering__measuring_points') }}
    order by metering_point_no, _raw_id desc
),

tasks as (
    select * from {{ ref('stg_metering__collection_tasks') }}
),

alarms as (
    select * from {{ ref('stg_metering__event_alarms') }}
),

-- A terminal tells its clock with its real-time task; the meters behind it keep its time.
clocks as (
    select
        measuring_points.metering_point_no,
        tasks.reading_date as event_date,
        max(abs({{ minutes_between('tasks.terminal_clock_at', 'tasks.received_at') }})) as clock_drift_minutes
    from tasks
    inner join measuring_points on tasks.terminal_no = measuring_points.terminal_no
    where
        tasks.terminal_clock_at is not null and tasks.received_at is not null
        and {{ is_touched('measuring_points.metering_point_no', 'tasks.reading_date') }}
    group by measuring_points.metering_point_no, tasks.reading_date
),

-- An alarm names a metering point, else a meter, else the terminal that all its points share.
alarmed as (
    select
        measuring_points.metering_point_no,
        (alarms.started_at at time zone 'Asia/Shanghai')::date as event_date,
        count(distinct alarms.alarm_id)::integer as events
    from alarms
    inner join measuring_points
        on
            case
                when alarms.metering_point_no is not null
                    then alarms.metering_point_no = measuring_points.metering_point_no
                when alarms.meter_asset_no is not null then alarms.meter_asset_no = measuring_points.meter_asset_no
                else alarms.terminal_no = measuring_points.terminal_no
            end
    where {{ is_touched('measuring_points.metering_point_no', "(alarms.started_at at time zone 'Asia/Shanghai')::date") }}
    group by measuring_points.metering_point_no, (alarms.started_at at time zone 'Asia/Shanghai')::date
),

final as (
    select
        coalesce(clocks.metering_point_no, alarmed.metering_point_no) as metering_point_no,
        coalesce(clocks.event_date, alarmed.event_date) as event_date,
        clocks.clock_drift_minutes::numeric(14, 4) as clock_drift_minutes,
        coalesce(alarmed.events, 0) as events
    from clocks
    full outer join alarmed
        on clocks.metering_point_no = alarmed.metering_point_no and clocks.event_date = alarmed.event_date
    where coalesce(clocks.event_date, alarmed.event_date) is not null
)

select * from final
