/*
sentence: An address has at least {characters:words} characters, names a place or a road, and serves at most {customers:words} customers that have no payer in common.
axis: arbitrary
dimension: completeness
severity: warn
owner: marketing office
reason: A crew finds no customer at the address `as above`.
source: project rule; each address alone, no test of chance
subject: mkt_customer
population: customers with an address
reads: [quality_placeholders, stg_marketing__customers, stg_marketing__settlement_accounts]
parameters: [characters, customers]
*/
-- tested
select
    {{ row_of('customers') }},
    quality.plain_address(customers.address) as address,
    coalesce(shared.customers > :customers and shared.payers > 1, false) as is_shared,
    shared.customers,
    exists (
        select 1
        from staging.quality_placeholders as tokens
        where
            tokens.kind = 'address_token'
            and strpos(quality.plain_address(customers.address), tokens.value) > 0
            and {{ is_valid_on('tokens', ':business_date') }}
    ) as names_a_place
from staging.stg_marketing__customers as customers
left join {{ shared_values('staging.stg_marketing__customers', 'address') }} as shared
    on btrim(customers.address) = shared.shared_value
where customers.address is not null
-- violations
select
    {{ finding('addr') }},
    address || case when is_shared then ' (' || customers || ' customers)' else '' end as observed,
    'an address of at least ' || :characters || ' characters' as expected
from tested
where char_length(address) < :characters or not names_a_place or is_shared
