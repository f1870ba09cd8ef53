/*
sentence: A contract has one row for each version, and an account has one effective version on any day.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: contract office
reason: With two versions in force nobody can say which price and capacity hold.
source: catalogue CON-01
subject: con_contract
quarantines: con_contract
*/
-- tested
select
    contracts._raw_id as raw_id,
    contracts.account_no,
    contracts.contract_no,
    contracts.version,
    count(*) over (partition by contracts.contract_no, contracts.version) as copies,
    contracts.status_code = 'EFFECTIVE' and (
        select min(other.contract_no || ' version ' || other.version)
        from staging.stg_contract__contracts as other
        where
            other.account_no = contracts.account_no
            and (other.contract_no, other.version) is distinct from (contracts.contract_no, contracts.version)
            and other.status_code = 'EFFECTIVE'
            -- A supplementary agreement stands beside its contract.
            and other.kind_code <> 'PROTOCOL'
            and contracts.kind_code <> 'PROTOCOL'
            and other.valid_from < coalesce(contracts.valid_to, 'infinity')
            and contracts.valid_from < coalesce(other.valid_to, 'infinity')
    ) is not null as is_overlapped
from staging.stg_contract__contracts as contracts
-- violations
select
    raw_id,
    account_no,
    case when copies > 1 or nullif(contract_no, '') is null or version is null then 'contract_no' else 'valid_from' end as column_name,
    case
        when nullif(contract_no, '') is null or version is null then 'empty key'
        when copies > 1 then copies || ' rows'
        else 'another effective version on the same days'
    end as observed,
    'one row for each contract_no and version, one effective version a day' as expected
from tested
where copies > 1 or nullif(contract_no, '') is null or version is null or is_overlapped
