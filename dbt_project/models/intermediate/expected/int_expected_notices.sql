-- A notice of an outage for every account on its list, from the day of the outage on: its own, or one to the public where that
-- is accepted. Which notices a key account must have, and when, is XSR-30.
with affected as (
    select * from {{ ref('stg_marketing__outage_affected_accounts') }}
),

plans as (
    select distinct on (plan_no)
        *,
        {{ local_date('planned_start_at') }} as planned_date
    from {{ ref('stg_marketing__outage_plans') }}
    order by plan_no, _raw_id desc
),

notices as (
    select * from {{ ref('stg_marketing__outage_notices') }}
),

key_accounts as (
    select * from {{ ref('int_key_accounts') }}
    where is_key_account
),

checkpoints as (
    select * from {{ ref('notice_checkpoints') }}
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name = 'mkt_outage_notice' and superseded_by is null
),

findings as (
    select * from {{ source('quality', 'findings') }}
    where rule_id = 'EXP-10' and state <> 'fixed'
),

night as (
    select
        current_run.business_date,
        current_run.business_date
        - {{ rule_parameter('EXP', 'notice_days', 'current_run.business_date') }}::integer as first_day
    from {{ source('quality', 'current_run') }} as current_run
),

due as (
    select
        affected.account_no,
        plans.plan_no,
        plans.planned_date,
        bool_or(checkpoints.is_public_accepted) as is_public_accepted
    from affected
    inner join plans on affected.plan_no = plans.plan_no
    inner join checkpoints
        on
            plans.kind_code = checkpoints.plan_kind_code
            and {{ is_valid_on('checkpoints', 'plans.planned_date') }}
    cross join night
    left join key_accounts on affected.account_no = key_accounts.account_no
    where
        nullif(affected.exception_code, '') is null
        and plans.status_code in ('PUBLISHED', 'CHANGED', 'DONE')
        and plans.planned_date <= night.business_date
        and (plans.planned_date >= night.first_day or plans.plan_no in (select findings.record_key ->> 'plan_no' from findings))
        and not (plans.status_code = 'DONE' and key_accounts.account_no is not null)
    group by affected.account_no, plans.plan_no, plans.planned_date
),

arrived as (
    select
        plan_no,
        account_no
    from notices
    union
    select
        btrim(row_text ->> 'plan_no'),
        nullif(btrim(row_text ->> 'cons_no'), '')
    from rejected
),

final as (
    select
        'notice' as what_code,
        due.plan_no as owner_no,
        due.account_no,
        null::text as channel_code,
        jsonb_build_object('what', 'notice', 'plan_no', due.plan_no, 'cons_no', due.account_no) as record_key,
        due.planned_date as period_date,
        due.planned_date as since_date,
        due.planned_date >= night.first_day as is_whole,
        own.plan_no is not null or public.plan_no is not null as is_arrived
    from due
    cross join night
    left join arrived as own on due.plan_no = own.plan_no and due.account_no = own.account_no
    left join arrived as public
        on due.plan_no = public.plan_no and public.account_no is null and due.is_public_accepted
)

select * from final
