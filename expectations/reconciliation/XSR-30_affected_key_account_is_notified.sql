/*
sentence: Every key account on the list of an outage that took place has each notice that is required, or an exception.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: A customer who was not notified in time could not prepare; the list of notices must be as long as the list of the affected.
source: "requirement S23; not quarantined: the mart on notices would lose those it must show. Whether one notice may answer two checkpoints is judged there."
at_stake: "No money: a notice has no price."
likely_wrong: "Undetermined: one system contradicts itself."
subject: mkt_outage_affected
not_tested: No outage that took place affected a key account.
population: key accounts affected by an outage that took place
reads:
  - int_key_accounts
  - notice_checkpoints
  - stg_marketing__outage_affected_accounts
  - stg_marketing__outage_notices
  - stg_marketing__outage_plans
compares: [marketing.mkt_outage_affected.cons_no, marketing.mkt_outage_notice.cons_no]
*/
-- tested
with required as (
    select
        affected._raw_id as raw_id,
        affected.account_no,
        plans.plan_no,
        plans.plan_version,
        plans.planned_start_at,
        checkpoints.checkpoint_code,
        checkpoints.lead_minutes_min,
        checkpoints.lead_minutes_below,
        checkpoints.is_phone_confirmed,
        checkpoints.is_public_accepted
    from staging.stg_marketing__outage_affected_accounts as affected
    inner join {{ newest_each('staging.stg_marketing__outage_plans', 'plan_no', where="status_code = 'DONE'") }} as plans
        on affected.plan_no = plans.plan_no
    inner join staging.int_key_accounts as key_accounts
        on affected.account_no = key_accounts.account_no and key_accounts.is_key_account
    inner join staging.notice_checkpoints as checkpoints
        on
            plans.kind_code = checkpoints.plan_kind_code
            and {{ is_valid_on('checkpoints', local_date('plans.planned_start_at')) }}
    where nullif(affected.exception_code, '') is null
),

-- A notice of an earlier version named another time.
given as (
    select distinct required.raw_id, required.checkpoint_code
    from required
    inner join staging.stg_marketing__outage_notices as notices
        on
            required.plan_no = notices.plan_no
            and required.plan_version = notices.plan_version
            and required.planned_start_at = notices.planned_start_at
            and (required.account_no = notices.account_no or (required.is_public_accepted and notices.account_no is null))
            and (notices.channel_code = 'PHONE' or not required.is_phone_confirmed)
    cross join lateral (
        select extract(
            epoch from notices.planned_start_at
            - case when required.is_phone_confirmed then notices.confirmed_at else notices.sent_at end
        ) / 60 as minutes
    ) as lead
    where
        lead.minutes >= required.lead_minutes_min
        and (required.lead_minutes_below is null or lead.minutes < required.lead_minutes_below)
)

select
    required.raw_id,
    required.account_no,
    {{ local_date('required.planned_start_at') }} as planned_date,
    string_agg(required.checkpoint_code, ', ' order by required.lead_minutes_min desc) as required_notices,
    string_agg(required.checkpoint_code, ', ' order by required.lead_minutes_min desc) filter (
        where given.raw_id is null
    ) as missing_notices
from required
left join given on required.raw_id = given.raw_id and required.checkpoint_code = given.checkpoint_code
group by required.raw_id, required.account_no, required.planned_start_at
-- violations
select
    {{ finding('cons_no', day='planned_date') }},
    'no notice ' || missing_notices as observed,
    required_notices as expected
from tested
where missing_notices is not null
