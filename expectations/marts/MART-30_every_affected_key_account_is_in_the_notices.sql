/*
sentence: The notices of a plan are judged for exactly the key accounts that it affects.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: An account left out of the denominator makes the share of notices in time look better than it is.
source: "requirement S23: the denominators are the affected pairs"
subject: outage plan
population: outage plans
reads:
  - candidate.mart_outage_notice_compliance
  - int_key_accounts
  - int_key_accounts_ranked_by_month
  - mart_parameters
  - notice_checkpoints
  - stg_marketing__outage_affected_accounts
  - stg_marketing__outage_plans
*/
-- tested
with plans as (
    select plans.plan_no, plans.kind_code, {{ local_date('plans.planned_start_at') }} as planned_date
    from staging.stg_marketing__outage_plans as plans
    where exists (
        select 1
        from staging.notice_checkpoints as checkpoints
        where checkpoints.plan_kind_code = plans.kind_code
            and {{ is_valid_on('checkpoints', local_date('plans.planned_start_at')) }}
    )
),

published as (
    select
        date_trunc('month', :business_date::date::timestamp) - make_interval(months => number_value::integer - 1) as first_month,
        date_trunc('month', :business_date::date::timestamp) + interval '1 month' as end_month
    from staging.mart_parameters
    where parameter_code = 'months_published'
        and {{ is_in_period(':business_date::date', 'valid_from', 'valid_to') }}
),

pairs as (
    select plans.plan_no, count(distinct affected.account_no) as affected_accounts
    from plans
    inner join staging.stg_marketing__outage_affected_accounts as affected on plans.plan_no = affected.plan_no
    left join staging.int_key_accounts as key_accounts on affected.account_no = key_accounts.account_no
    left join staging.int_key_accounts_ranked_by_month as rankings
        on affected.account_no = rankings.account_no
            and {{ month_of('plans.planned_date') }} = rankings.ranking_month
    where coalesce(rankings.is_key_account, key_accounts.is_key_account, false)
    group by plans.plan_no
)

select
    jsonb_build_object('mart', 'mart_outage_notice_compliance', 'plan_no', plans.plan_no) as record_key,
    plans.planned_date,
    coalesce(pairs.affected_accounts, 0) as affected_accounts,
    coalesce(judged.judged_accounts, 0) as judged_accounts
from plans
inner join published on published.first_month <= plans.planned_date and plans.planned_date < published.end_month
left join pairs on plans.plan_no = pairs.plan_no
left join {{ one_each('candidate.mart_outage_notice_compliance', 'plan_no', '*', 'count', 'judged_accounts') }} as judged
    on plans.plan_no = judged.plan_no
-- violations
{{ values_that_differ('account_no', 'judged_accounts', 'affected_accounts', 'accounts', 'affected key accounts', day='planned_date') }}
