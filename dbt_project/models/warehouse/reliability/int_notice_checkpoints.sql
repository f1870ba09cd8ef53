with plans as (
    select * from {{ ref('fct_outage_plans') }}
),

affected as (
    select * from {{ ref('stg_marketing__outage_affected_accounts') }}
),

notices as (
    select * from {{ ref('fct_outage_notices') }}
),

checkpoints as (
    select * from {{ ref('notice_checkpoints') }}
),

wanted as (
    select distinct
        plans.plan_no,
        affected.account_no,
        plans.is_due,
        checkpoints.checkpoint_code,
        checkpoints.lead_minutes_min,
        checkpoints.lead_minutes_below,
        checkpoints.is_phone_confirmed,
        checkpoints.is_public_accepted
    from plans
    inner join affected on plans.plan_no = affected.plan_no
    inner join checkpoints
        on
            plans.kind_code = checkpoints.plan_kind_code
            and {{ is_valid_on('checkpoints', 'plans.planned_start_date') }}
),

-- A call counts from the moment the customer confirms it; a public announcement is meant for every affected account.
timed as (
    select
        wanted.plan_no,
        wanted.account_no,
        wanted.checkpoint_code,
        wanted.lead_minutes_min,
        wanted.lead_minutes_below,
        notices.notice_id,
        notices.channel_code,
        notices.delivered_at,
        notices.account_no is null as is_public,
        case when wanted.is_phone_confirmed then notices.confirmed_at else notices.sent_at end as answered_at,
        case when wanted.is_phone_confirmed then notices.confirmed_lead_minutes else notices.lead_minutes end
            as lead_minutes
    from wanted
    inner join notices
        on
            wanted.plan_no = notices.plan_no
            and (wanted.account_no = notices.account_no or (wanted.is_public_accepted and notices.account_no is null))
    where
        notices.is_of_current_plan_version
        and (not wanted.is_phone_confirmed or notices.channel_code = 'PHONE')
),

answers as (
    select * from timed
    where lead_minutes_min <= lead_minutes and (lead_minutes_below is null or lead_minutes < lead_minutes_below)
),

first_answers as (
    select distinct on (plan_no, account_no) *
    from answers
    where checkpoint_code = 'N7D'
    order by plan_no, account_no, is_public desc, answered_at, notice_id
),

-- Each checkpoint has a notice of its own: the one that answers the first is not there for the others.
other_answers as (
    select distinct on (answers.plan_no, answers.account_no, answers.checkpoint_code) answers.*
    from answers
    left join first_answers
        on
            answers.plan_no = first_answers.plan_no
            and answers.account_no = first_answers.account_no
            and answers.notice_id = first_answers.notice_id
    where answers.checkpoint_code <> 'N7D' and first_answers.notice_id is null
    order by
        answers.plan_no,
        answers.account_no,
        answers.checkpoint_code,
        answers.answered_at desc,
        answers.notice_id
),

chosen as (
    select * from first_answers
    union all
    select * from other_answers
),

-- What is not answered is missed once the plan was to begin, and open until then.
final as (
    select
        md5(concat_ws('|', wanted.plan_no, wanted.account_no, wanted.checkpoint_code)) as notice_checkpoint_id,
        wanted.plan_no,
        wanted.account_no,
        wanted.checkpoint_code,
        chosen.notice_id,
        chosen.channel_code,
        chosen.answered_at,
        chosen.delivered_at,
        chosen.lead_minutes,
        case when chosen.notice_id is not null then true when wanted.is_due then false end as is_answered
    from wanted
    left join chosen
        on
            wanted.plan_no = chosen.plan_no
            and wanted.account_no = chosen.account_no
            and wanted.checkpoint_code = chosen.checkpoint_code
)

select * from final
