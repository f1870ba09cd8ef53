/*
sentence: Every contract that had begun by the business date and is no draft has its row of that day.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A contract without a row is a contract that nobody renews.
source: "catalogue, mart-level rules: denominators are the contracts in force"
subject: contract
population: contracts that have begun
reads: [candidate.mart_contract_health, stg_contract__contracts]
*/
-- tested
with begun as (
    select distinct contracts.contract_no
    from staging.stg_contract__contracts as contracts
    where contracts.status_code <> 'DRAFT' and contracts.valid_from <= :business_date
),

listed as (
    select health.contract_no
    from candidate.mart_contract_health as health
    where health.as_of_date = :business_date
)

select
    jsonb_build_object('mart', 'mart_contract_health', 'contract_no', coalesce(begun.contract_no, listed.contract_no)) as record_key,
    begun.contract_no is not null as has_begun,
    listed.contract_no is not null as is_listed
from begun
full outer join listed on begun.contract_no = listed.contract_no
-- violations
select
    record_key,
    case when is_listed then 'a row' else 'no row' end as observed,
    case when has_begun then 'a row' else 'no row' end as expected
from tested
where has_begun <> is_listed
