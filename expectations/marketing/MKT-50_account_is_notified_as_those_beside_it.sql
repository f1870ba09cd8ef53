/*
sentence: An account on the list of an outage that took place has a notice by each channel by which {share} of the others on it have one.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: One call that was never made is seen beside those that were. Which notices a key account must have, and when, is XSR-30; that it has none at all is EXP-10.
source: requirement S23; project rule for accounts that are no key accounts
subject: mkt_outage_affected
not_tested: No outage that took place affected an account that is no key account.
population: accounts that are no key accounts, on the lists of outages that took place, with a notice
reads: [int_key_accounts, stg_marketing__outage_affected_accounts, stg_marketing__outage_notices, stg_marketing__outage_plans]
parameters: [share, accounts]
*/
-- tested
with listed as (
    select
        affected._raw_id as raw_id,
        affected.account_no,
        plans.plan_no,
        {{ local_date('plans.planned_start_at') }} as planned_date,
        coalesce(key_accounts.is_key_account, false) as is_key_account,
        count(*) over (partition by plans.plan_no) - 1 as others
    from staging.stg_marketing__outage_affected_accounts as affected
    inner join {{ newest_each('staging.stg_marketing__outage_plans', 'plan_no', where="status_code = 'DONE'") }} as plans
        on affected.plan_no = plans.plan_no
    left join staging.int_key_accounts as key_accounts on affected.account_no = key_accounts.account_no
    where nullif(affected.exception_code, '') is null
),

given as (
    select distinct
        listed.raw_id,
        listed.plan_no,
        notices.channel_code
    from listed
    inner join staging.stg_marketing__outage_notices as notices
        on listed.plan_no = notices.plan_no and listed.account_no = notices.account_no
),

channels as (
    select
        plan_no,
        channel_code,
        count(*) as accounts
    from given
    group by plan_no, channel_code
)

select
    listed.raw_id,
    listed.account_no,
    listed.planned_date,
    listed.others,
    string_agg(channels.channel_code, ', ' order by channels.channel_code) filter (
        where given.raw_id is null
        and listed.others >= :accounts
        and channels.accounts >= :share * listed.others
    ) as missing_channels
from listed
inner join channels on listed.plan_no = channels.plan_no
left join given on listed.raw_id = given.raw_id and channels.channel_code = given.channel_code
where not listed.is_key_account
group by listed.raw_id, listed.account_no, listed.planned_date, listed.others
having count(given.raw_id) > 0
-- violations
select
    {{ finding('cons_no', day='planned_date') }},
    'no notice by ' || missing_channels as observed,
    'one, as the ' || others || ' others on the list' as expected
from tested
where missing_channels is not null
