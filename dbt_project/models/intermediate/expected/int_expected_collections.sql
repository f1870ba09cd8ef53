-- A result of collection for every terminal and day, as long as one of its points should report. Single days are those on which
-- it is known to be absent: which terminal a point had before is not on record.
with point_days as (
    select * from {{ ref('int_expected_point_days') }}
),

points as (
    select * from {{ ref('int_metering_points_current') }}
    where terminal_no is not null
),

tasks as (
    select * from {{ ref('stg_metering__collection_tasks') }}
),

findings as (
    select * from {{ source('quality', 'findings') }}
    where rule_id = 'EXP-12' and state <> 'fixed'
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name = 'met_collect_task' and superseded_by is null
),

terminal_days as (
    select
        points.terminal_no,
        point_days.reading_date,
        min(point_days.account_no) as account_no,
        bool_and(point_days.is_whole) as is_whole
    from point_days
    inner join points on point_days.metering_point_no = points.metering_point_no
    where
        point_days.is_whole
        or (points.terminal_no, point_days.reading_date::text) in (
            select findings.record_key ->> 'terminal_no', findings.record_key ->> 'data_date' from findings
        )
    group by points.terminal_no, point_days.reading_date
),

arrived as (
    select
        terminal_no,
        reading_date::text as day_text
    from tasks
    union
    select
        btrim(row_text ->> 'terminal_no'),
        left(row_text ->> 'data_date', 10)
    from rejected
),

final as (
    select
        'collection result' as what_code,
        terminal_days.terminal_no as owner_no,
        terminal_days.account_no,
        null::text as channel_code,
        jsonb_build_object(
            'what', 'collection result', 'terminal_no', terminal_days.terminal_no, 'data_date', terminal_days.reading_date
        ) as record_key,
        terminal_days.reading_date as period_date,
        terminal_days.reading_date as since_date,
        terminal_days.is_whole,
        arrived.terminal_no is not null as is_arrived
    from terminal_days
    left join arrived
        on
            terminal_days.terminal_no = arrived.terminal_no
            and terminal_days.reading_date::text = arrived.day_text
)

select * from final
