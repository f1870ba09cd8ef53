/*
sentence: The running capacity of a customer is the sum of its running transformers.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: The capacity charge and every bound on load use the running capacity.
source: project rule
subject: mkt_customer
not_tested: No customer has transformers.
population: customers with transformers
reads: [stg_marketing__customers, stg_marketing__transformers]
*/
-- tested
select
    {{ row_of('customers') }},
    customers.running_capacity_kva,
    coalesce(transformers.running_kva, 0) as running_kva
from staging.stg_marketing__customers as customers
inner join {{ one_each(
    'staging.stg_marketing__transformers', 'account_no', "case when state_code = 'RUN' then capacity_kva end", 'sum', 'running_kva',
    is_in_period(':business_date', 'state_from', 'state_to')
) }} as transformers on customers.account_no = transformers.account_no
where customers.running_capacity_kva is not null
-- violations
{{ values_that_differ('running_cap_kva', 'running_capacity_kva', 'running_kva', 'kVA', 'kVA in transformers', key='raw_id', account=true) }}
