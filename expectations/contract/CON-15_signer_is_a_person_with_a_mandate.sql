/*
sentence: The signer of a contract is a named person, not a placeholder, and has a mandate unless the legal representative signed.
axis: arbitrary
dimension: completeness
severity: warn
owner: contract office
reason: A contract signed by nobody in particular binds nobody.
source: project rule; each contract alone against a list, no test of chance
subject: con_contract
not_tested: No contract names its signer.
population: contract versions that name a signer
reads: [int_contracts_in_force, quality_placeholders, stg_contract__contracts, stg_marketing__customers]
*/
-- tested
select
    {{ row_of('contracts') }},
    btrim(contracts.signer_name) as signer_name,
    contracts.signer_mandate_no,
    {{ is_listed('lower(btrim(contracts.signer_name))', 'staging.quality_placeholders', ['signer', 'text']) }} as is_placeholder,
    customers.legal_representative_name
from staging.stg_contract__contracts as contracts
left join {{ one_each(
    'staging.stg_marketing__customers', 'account_no', 'btrim(legal_representative_name)', name='legal_representative_name'
) }} as customers
    on
        contracts.account_no = customers.account_no
        -- who signed a contract that is over may have represented the owner before
        and (
            (contracts.status_code <> 'TERMINATED' and (contracts.valid_to is null or contracts.valid_to > :business_date))
            or contracts._raw_id in (
                select in_force._raw_id from staging.int_contracts_in_force as in_force
                where {{ is_valid_on('in_force', ':business_date') }}
            )
        )
where nullif(btrim(contracts.signer_name), '') is not null
-- violations
select
    {{ finding('signer') }},
    case when is_placeholder then 'a placeholder' else 'no mandate' end as observed,
    'a person, with a mandate unless the legal representative' as expected
from tested
where
    is_placeholder
    or (nullif(signer_mandate_no, '') is null and signer_name <> legal_representative_name)
