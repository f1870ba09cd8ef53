/*
sentence: The old value of an amendment is the value of the contract version before it.
axis: mismatch
dimension: consistency
severity: quarantine
owner: contract office
reason: An amendment of another value amends another contract.
source: project rule
subject: con_amendment
quarantines: con_amendment
not_tested: No amendment follows a version.
population: amendments of a version that follows another
reads: [raw_contract.con_contract, stg_contract__amendments, stg_contract__contracts]
*/
-- tested
select
    amendments._raw_id as raw_id,
    contracts.cons_no as account_no,
    amendments.field_name,
    amendments.effective_date,
    btrim(amendments.old_value) as old_value,
    to_jsonb(contracts) ->> amendments.field_name as value_before
from staging.stg_contract__amendments as amendments
inner join staging.stg_contract__contracts as versions
    on amendments.contract_no = versions.contract_no and amendments.version - 1 = versions.version
inner join raw_contract.con_contract as contracts on versions._raw_id = contracts._raw_id
where amendments.old_value is not null and to_jsonb(contracts) ? amendments.field_name
-- violations
select
    {{ finding('old_value', day='effective_date') }},
    old_value as observed,
    coalesce(value_before, 'empty') as expected
from tested
where
    case
        when old_value ~ '^-?[0-9]+([.][0-9]+)?$' and value_before ~ '^-?[0-9]+([.][0-9]+)?$'
            then old_value::numeric <> value_before::numeric
        else old_value is distinct from value_before
    end
