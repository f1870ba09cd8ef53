/*
sentence: A key account has exactly one primary manager on the business date.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: With none nobody answers, with two nobody is answerable.
source: requirement S05
subject: mkt_customer
not_tested: There is no key account.
population: key accounts
reads: [int_key_accounts, stg_marketing__customers, stg_marketing__manager_assignments]
*/
-- tested
{%- set in_charge = "assign_role_code = 'PRIMARY' and " ~ is_in_period(':business_date', 'valid_from', 'valid_to') %}
select
    {{ row_of('customers') }},
    coalesce(assigned.managers, 0) as managers
from staging.stg_marketing__customers as customers
inner join staging.int_key_accounts as key_accounts on customers.account_no = key_accounts.account_no
left join {{ one_each('staging.stg_marketing__manager_assignments', 'account_no', '*', 'count', 'managers', in_charge) }} as assigned
    on customers.account_no = assigned.account_no
where key_accounts.is_key_account and customers.status_code <> 'CLOSED'
-- violations
select
    {{ finding('cons_no') }},
    managers || ' primary managers' as observed,
    'one' as expected
from tested
where managers <> 1
