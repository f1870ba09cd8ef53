/*
sentence: On the customer side the interruptions of an organisation are those of its accounts together.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: An account counted in no organisation or in two makes one of the figures wrong.
source: "requirement S27: customer x month and organisation x month"
subject: organisation x month
population: months of an organisation
reads: [candidate.mart_two_rates]
*/
-- tested
select
    jsonb_build_object('mart', 'mart_two_rates', 'entity_no', rates.org_no, 'month_start_date', rates.month_start_date) as record_key,
    rates.month_start_date,
    coalesce(sum(rates.nt) filter (where rates.entity_kind_code = 'ACCOUNT'), 0) as accounts,
    coalesce(sum(rates.nt) filter (where rates.entity_kind_code = 'ORGANISATION'), 0) as customers,
    coalesce(sum(rates.customer_interruptions) filter (where rates.entity_kind_code = 'ACCOUNT'), 0) as interruptions_of_accounts,
    coalesce(sum(rates.customer_interruptions) filter (where rates.entity_kind_code = 'ORGANISATION'), 0) as interruptions,
    coalesce(sum(rates.customer_minutes) filter (where rates.entity_kind_code = 'ACCOUNT'), 0) as minutes_of_accounts,
    coalesce(sum(rates.customer_minutes) filter (where rates.entity_kind_code = 'ORGANISATION'), 0) as minutes
from candidate.mart_two_rates as rates
where rates.side_code = 'CUSTOMER' and rates.org_no is not null and rates.nt is not null
group by rates.org_no, rates.month_start_date
-- violations
-- minutes are published to the sixth decimal, so each account may be off by one of these
select
    {{ finding('customer_interruptions', day='month_start_date', key='record_key', account=false) }},
    customers || ' customers, ' || interruptions || ' interruptions, ' || minutes || ' min' as observed,
    accounts || ' customers, ' || interruptions_of_accounts || ' interruptions, ' || minutes_of_accounts || ' min' as expected
from tested
where
    customers <> accounts
    or interruptions <> interruptions_of_accounts
    or abs(minutes - minutes_of_accounts) > power(10::numeric, -6) * accounts
