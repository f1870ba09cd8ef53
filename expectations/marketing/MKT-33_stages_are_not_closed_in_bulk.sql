/*
sentence: At most {share} of a handler's stages of a day end in one minute, where there are {least_stages:words} or more.
axis: arbitrary
dimension: plausibility
severity: warn
owner: marketing office
reason: A pile of cases closed at 17:59 was closed for the clock.
source: project rule; binomial, where closings fall evenly on 480 minutes of a working day and 10 or more are counted, at most 0.2 % of honest days are found
subject: handler x day
about: mkt_app_stage
not_tested: No handler ended ten stages on one day.
population: days of a handler with enough stages ended
reads: [stg_marketing__application_stages]
parameters: [least_stages, share]
*/
-- tested
with minutes as (
    select
        handler_no,
        {{ local_date('ended_at') }} as ended_date,
        date_trunc('minute', ended_at) as ended_minute,
        count(*) as stages
    from staging.stg_marketing__application_stages
    where handler_no is not null and ended_at is not null
    group by handler_no, {{ local_date('ended_at') }}, date_trunc('minute', ended_at)
)

select
    jsonb_build_object('handler_no', minutes.handler_no, 'date', minutes.ended_date) as record_key,
    minutes.ended_date,
    max(minutes.stages) as stages_in_a_minute,
    sum(minutes.stages) as stages,
    :share as share
from minutes
group by minutes.handler_no, minutes.ended_date
having sum(minutes.stages) >= :least_stages
-- violations
select
    {{ finding('end_at', day='ended_date', key='record_key', account=false) }},
    stages_in_a_minute || ' of ' || stages || ' in one minute' as observed,
    'at most ' || round(100 * share) || ' %' as expected
from tested
where stages_in_a_minute > share * stages
