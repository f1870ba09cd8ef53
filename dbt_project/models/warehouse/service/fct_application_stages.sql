with stages as (
    select * from {{ ref('stg_marketing__application_stages') }}
),

applications as (
    select * from {{ ref('stg_marketing__applications') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

newest_applications as (
    select distinct on (application_no) *
    from applications
    order by application_no, _raw_id desc
),

newest_stages as (
    select distinct on (application_no, stage_seq) *
    from stages
    order by application_no, stage_seq, _raw_id desc
),

final as (
    select
        newest_stages.application_no,
        newest_stages.stage_seq,
        newest_applications.account_no,
        newest_applications.application_type_code,
        newest_applications.status_code as application_status_code,
        newest_applications.accepted_at,
        newest_stages.stage_code,
        newest_stages.dept_no,
        newest_stages.clock_owner_code,
        newest_stages.started_at,
        newest_stages.ended_at,
        newest_stages.suspended_minutes,
        ended.working_day_no - started.working_day_no as working_days,
        newest_stages.return_to_stage_code
    from newest_stages
    left join newest_applications on newest_stages.application_no = newest_applications.application_no
    left join dates as started
        on (newest_stages.started_at at time zone 'Asia/Shanghai')::date = started.calendar_date
    left join dates as ended
        on (newest_stages.ended_at at time zone 'Asia/Shanghai')::date = ended.calendar_date
)

select * from final
