with notices as (
    select * from {{ ref('stg_marketing__outage_notices') }}
),

plans as (
    select * from {{ ref('stg_marketing__outage_plans') }}
),

newest_plans as (
    select distinct on (plan_no) *
    from plans
    order by plan_no, _raw_id desc
),

-- A notice tells of one version of a plan: once the plan has moved, it no longer answers it.
final as (
    select distinct on (notices.notice_id)
        notices.notice_id,
        notices.plan_no,
        notices.plan_version,
        notices.account_no,
        notices.channel_code,
        notices.planned_start_at,
        notices.sent_at,
        notices.delivered_at,
        notices.confirmed_at,
        newest_plans.status_code as plan_status_code,
        newest_plans.kind_code as plan_kind_code,
        newest_plans.plan_version = notices.plan_version as is_of_current_plan_version,
        {{ minutes_between('notices.sent_at', 'newest_plans.planned_start_at') }}::numeric(14, 4) as lead_minutes
    from notices
    left join newest_plans on notices.plan_no = newest_plans.plan_no
    order by notices.notice_id, notices._raw_id desc
)

select * from final
