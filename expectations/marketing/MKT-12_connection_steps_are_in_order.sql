/*
sentence: An application is accepted before its scheme, final check and agreement in this order, and a new customer is connected after them and closed after that.
axis: mismatch
dimension: consistency
severity: quarantine
owner: marketing office
reason: Cycle times and clocks are differences of these dates.
source: requirement S31
subject: mkt_application
quarantines: mkt_application
not_tested: No application has two dates to compare.
population: applications with two dates to compare
reads: [stg_marketing__application_stages, stg_marketing__applications, stg_marketing__customers]
*/
-- tested
with stage_ends as (
    select
        application_no,
        max(ended_at) filter (where stage_code = 'SCHEME') as scheme_at,
        max(ended_at) filter (where stage_code = 'FINAL_CHECK') as final_check_at,
        max(ended_at) filter (where stage_code = 'AGREEMENT') as agreement_at
    from staging.stg_marketing__application_stages
    group by application_no
),

accounts as (
    select account_no, min(connect_date) as connect_date, min(close_date) as close_date
    from staging.stg_marketing__customers
    group by account_no
),

steps as (
    select
        applications._raw_id as raw_id,
        applications.account_no,
        steps.*
    from staging.stg_marketing__applications as applications
    left join stage_ends on applications.application_no = stage_ends.application_no
    -- Only the application for a new connection stands before the connection of the account.
    left join accounts on applications.account_no = accounts.account_no and applications.application_type_code = 'NEW'
    cross join lateral (
        values
        (1, 'accepted_at', applications.accepted_at at time zone 'Asia/Shanghai'),
        (2, 'SCHEME', stage_ends.scheme_at at time zone 'Asia/Shanghai'),
        (3, 'FINAL_CHECK', stage_ends.final_check_at at time zone 'Asia/Shanghai'),
        (4, 'AGREEMENT', stage_ends.agreement_at at time zone 'Asia/Shanghai'),
        -- A date counts to its end: the same day is in order.
        (5, 'connect_date', accounts.connect_date + time '23:59:59'),
        (6, 'close_date', accounts.close_date + time '23:59:59')
    ) as steps (step_no, step, at)
    where steps.at is not null
),

compared as (
    select
        steps.*,
        lag(steps.at) over by_step as at_before,
        lag(steps.step) over by_step as step_before
    from steps
    window by_step as (partition by steps.raw_id order by steps.step_no)
)

select
    raw_id,
    account_no,
    bool_or(at_before > at) as is_out_of_order,
    min(step || ' ' || at::date || ' before ' || step_before || ' ' || at_before::date) filter (where at_before > at) as disorder
from compared
group by raw_id, account_no
having count(*) > 1
-- violations
select
    {{ finding('accepted_at') }},
    disorder as observed,
    'accepted, scheme, final check, agreement, connected, closed' as expected
from tested
where is_out_of_order
