/*
sentence: A contract has one row for each version, and an account has one effective version on any day.
axis: mismatch
dimension: uniqueness
severity: quarantine
owner: contract office
reason: With two versions in force nobody can say which price and capacity hold.
source: project rule
subject: con_contract
quarantines: con_contract
population: contract versions
reads: [stg_contract__contracts]
*/
-- tested
-- A supplementary agreement (PROTOCOL) stands beside its contract.
with effective as (
    select account_no, contract_no, version, valid_from, coalesce(valid_to, 'infinity'::date) as valid_to
    from staging.stg_contract__contracts
    where status_code = 'EFFECTIVE' and kind_code <> 'PROTOCOL'
),

overlapped as (
    select distinct one.contract_no, one.version
    from effective as one
    inner join effective as other
        on one.account_no = other.account_no and one.valid_from < other.valid_to and other.valid_from < one.valid_to
    where (one.contract_no, one.version) is distinct from (other.contract_no, other.version)
)

select
    {{ row_of('contracts') }},
    contracts.contract_no,
    contracts.version,
    count(*) over (partition by contracts.contract_no, contracts.version) as copies,
    overlapped.contract_no is not null as is_overlapped
from staging.stg_contract__contracts as contracts
left join overlapped on contracts.contract_no = overlapped.contract_no and contracts.version = overlapped.version
-- violations
select
    {{ finding(
        column_sql="case when copies > 1 or nullif(contract_no, '') is null or version is null then 'contract_no' else 'valid_from' end"
    ) }},
    case
        when nullif(contract_no, '') is null or version is null then 'empty key'
        when copies > 1 then copies || ' rows'
        else 'another effective version on the same days'
    end as observed,
    'one row for each contract_no and version, one effective version a day' as expected
from tested
where copies > 1 or nullif(contract_no, '') is null or version is null or is_overlapped
