/*
sentence: The working-day calendar reaches the business date.
axis: missing
dimension: completeness
severity: block
owner: data engineering
reason: Beyond the calendar's last year make-up days are unknown, and every clock in working days would be guessed.
source: seed working_days, made from the chinese-calendar package; extend it when the State Council publishes the next year
subject: seed
population: the working-day calendar
reads: [working_days]
*/
-- tested
select
    jsonb_build_object('seed', 'working_days') as record_key,
    max(working_days.date) as last_date
from staging.working_days
-- violations
select
    {{ finding('date', key='record_key', account=false) }},
    last_date::text as observed,
    'a calendar up to ' || :business_date::date || '; extend dbt_project/seeds/common/working_days.csv' as expected
from tested
where last_date is null or last_date < :business_date::date
