/*
sentence: Every customer has an account number, and no two customers share one.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: marketing office
reason: Bills, contracts and readings meet by this number.
source: project rule
subject: mkt_customer
quarantines: mkt_customer
population: customers
reads: [stg_marketing__customers]
*/
-- tested
select
    {{ row_of('customers') }},
    count(*) over (partition by customers.account_no) as copies
from staging.stg_marketing__customers as customers
-- violations
select
    {{ finding('cons_no') }},
    case when nullif(account_no, '') is null then 'empty' else copies || ' rows' end as observed,
    'one row for each cons_no' as expected
from tested
where nullif(account_no, '') is null or copies > 1
