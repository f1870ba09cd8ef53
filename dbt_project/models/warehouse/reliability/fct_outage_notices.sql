with notices as (
    select * from {{ ref('stg_marketing__outage_notices') }}
),

plans as (
    select * from {{ ref('fct_outage_plans') }}
),

-- A notice tells of one version of a plan and of its start: once the plan has moved, it no longer answers it.
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
        plans.status_code as plan_status_code,
        plans.kind_code as plan_kind_code,
        plans.plan_version = notices.plan_version and plans.planned_start_at = notices.planned_start_at
            as is_of_current_plan_version,
        {{ minutes_between('notices.sent_at', 'plans.planned_start_at') }}::numeric(14, 4) as lead_minutes,
        {{ minutes_between('notices.confirmed_at', 'plans.planned_start_at') }}::numeric(14, 4) as confirmed_lead_minutes
    from notices
    left join plans on notices.plan_no = plans.plan_no
    order by notices.notice_id, notices._raw_id desc
)

select * from final
