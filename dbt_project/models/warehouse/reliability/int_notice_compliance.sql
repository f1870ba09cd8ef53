with checkpoints as (
    select * from {{ ref('int_notice_checkpoints') }}
),

plans as (
    select * from {{ ref('fct_outage_plans') }}
),

affected as (
    select * from {{ ref('stg_marketing__outage_affected_accounts') }}
),

notices as (
    select * from {{ ref('fct_outage_notices') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

rankings as (
    select * from {{ ref('fct_key_account_rankings') }}
),

customer_outages as (
    select * from {{ ref('fct_customer_outages') }}
),

checked as (
    select
        plan_no,
        account_no,
        count(*)::integer as required_notices,
        (count(*) filter (where is_answered))::integer as answered_notices,
        string_agg(channel_code, ', ' order by answered_at, checkpoint_code) as channel_codes,
        max(delivered_at) as last_delivered_at,
        {%- for code in ['7d', '2d', '24h', '12h', '30m'] %}
        max(answered_at) filter (where checkpoint_code = 'N{{ code | upper }}') as n{{ code }}_at,
        bool_and(is_answered) filter (where checkpoint_code = 'N{{ code | upper }}') as is_answered_{{ code }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from checkpoints
    group by plan_no, account_no
),

exceptions as (
    select distinct on (plan_no, account_no)
        plan_no,
        account_no,
        exception_code
    from affected
    order by plan_no, account_no, _raw_id desc
),

sent as (
    select
        plan_no,
        account_no,
        count(*)::integer as sent_notices,
        (count(*) filter (where not is_of_current_plan_version))::integer as outdated_notices
    from notices
    where account_no is not null
    group by plan_no, account_no
),

-- The beginning as the meters of the account saw it.
seen as (
    select
        checked.plan_no,
        checked.account_no,
        min(customer_outages.started_at) as meter_started_at
    from checked
    inner join plans on checked.plan_no = plans.plan_no
    inner join customer_outages
        on
            checked.account_no = customer_outages.account_no
            and abs({{ minutes_between('plans.actual_start_at', 'customer_outages.started_at') }})
            <= {{ parameter('reliability_parameters', 'match_start_minutes', on='plans.planned_start_date') }}
    group by checked.plan_no, checked.account_no
),

-- Who is a key account is told by the ranking of the month of the plan; where there is none yet, by that of D.
pairs as (
    select
        checked.*,
        plans.kind_code as plan_kind_code,
        plans.status_code as plan_status_code,
        plans.plan_version,
        plans.planned_start_at,
        plans.planned_start_date,
        plans.planned_end_at,
        plans.actual_start_at,
        plans.is_due,
        seen.meter_started_at,
        coalesce(sent.sent_notices, 0) as sent_notices,
        coalesce(sent.outdated_notices, 0) as outdated_notices,
        exceptions.exception_code,
        coalesce(rankings.is_key_account, accounts.is_key_account, false) as is_key_account,
        case
            when plans.status_code = 'CANCELLED' then 'CANCELLED'
            when exceptions.exception_code is not null then 'EXCEPTION'
            when not plans.is_due then 'NOT_YET_DUE'
            when plans.status_code in ('DRAFT', 'APPROVED') and plans.actual_start_at is null then 'NOT_PUBLISHED'
        end as not_counted_reason_code
    from checked
    inner join plans on checked.plan_no = plans.plan_no
    left join exceptions on checked.plan_no = exceptions.plan_no and checked.account_no = exceptions.account_no
    left join sent on checked.plan_no = sent.plan_no and checked.account_no = sent.account_no
    left join seen on checked.plan_no = seen.plan_no and checked.account_no = seen.account_no
    left join accounts on checked.account_no = accounts.account_no
    left join rankings
        on
            checked.account_no = rankings.account_no
            and date_trunc('month', plans.planned_start_date::timestamp)::date = rankings.ranking_month
),

final as (
    select
        md5(plan_no || '|' || account_no) as notice_compliance_id,
        plan_no,
        account_no,
        plan_kind_code,
        plan_status_code,
        plan_version,
        is_key_account,
        planned_start_at,
        planned_start_date,
        planned_end_at,
        n7d_at,
        n2d_at,
        n24h_at,
        n12h_at,
        n30m_at,
        is_answered_7d as ok_7d,
        is_answered_2d as ok_2d,
        is_answered_24h as ok_24h,
        is_answered_12h as ok_12h,
        is_answered_30m as ok_30m_phone,
        case when answered_notices = required_notices then true when is_due then false end as all_ok,
        required_notices,
        answered_notices,
        sent_notices,
        outdated_notices,
        channel_codes,
        last_delivered_at,
        actual_start_at,
        meter_started_at,
        (
            {{ minutes_between('least(actual_start_at, meter_started_at, planned_start_at)', 'planned_start_at') }}
            * case when coalesce(actual_start_at, meter_started_at) is not null then 1 end
        )::numeric(12, 4) as started_early_min,
        not_counted_reason_code,
        not_counted_reason_code is null as is_counted
    from pairs
)

select * from final
