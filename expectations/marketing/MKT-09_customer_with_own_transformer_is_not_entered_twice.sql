/*
sentence: No two customers with transformers of their own have the same name, address and class.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: marketing office
reason: The same factory twice is billed, counted and visited twice.
source: project rule; in use at utilities
subject: mkt_customer
quarantines: mkt_customer
not_tested: No customer has a transformer of its own.
population: customers with transformers of their own
reads: [stg_marketing__customers, stg_marketing__transformers]
*/
-- tested
select
    {{ row_of('customers') }},
    customers.account_name,
    count(*) over same_customer as copies
from staging.stg_marketing__customers as customers
inner join {{ one_each('staging.stg_marketing__transformers', 'account_no', '*', 'count', 'transformers') }} as owners
    on customers.account_no = owners.account_no
where customers.account_name is not null and customers.address is not null and customers.status_code <> 'CLOSED'
window same_customer as (
    partition by
        quality.normalised_name(customers.account_name), quality.normalised_name(customers.address), customers.customer_class_code
)
-- violations
select
    {{ finding('cons_name') }},
    account_name || ' (' || copies || ' customers)' as observed,
    'one customer of this name, address and class' as expected
from tested
where copies > 1
