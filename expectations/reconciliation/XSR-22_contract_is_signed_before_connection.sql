/*
sentence: The first contract of an account is signed before the account is connected.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Power supplied before the agreement was supplied without one.
source: project rule
at_stake: "No money: a date has no price."
likely_wrong: "Undetermined: two dates, and no third record of either."
subject: con_contract
not_tested: No account has both sides.
population: first contracts of accounts
reads: [stg_contract__contracts, stg_marketing__customers]
compares: [marketing.mkt_customer.connect_date, contract.con_contract.signed_on]
*/
-- tested
with first_versions as (
    select distinct on (contracts.account_no) contracts.*
    from staging.stg_contract__contracts as contracts
    where contracts.kind_code <> 'PROTOCOL'
    order by contracts.account_no, contracts.valid_from, contracts.version, contracts._raw_id
)

select
    {{ row_of('first_versions') }},
    first_versions.signed_date,
    customers.connect_date
from first_versions
inner join staging.stg_marketing__customers as customers on first_versions.account_no = customers.account_no
where first_versions.signed_date is not null and customers.connect_date is not null
-- violations
select
    {{ finding('signed_on') }},
    signed_date::text as observed,
    'not after ' || connect_date as expected
from tested
where signed_date > connect_date
