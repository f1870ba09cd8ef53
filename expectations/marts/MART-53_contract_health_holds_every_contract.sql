/*
sentence: Every contract that had begun by the business date and is no draft has its row of that day.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A contract without a row is a contract that nobody renews.
source: "requirement S10: one row a contract in force"
subject: contract
population: contracts that have begun
reads: [candidate.mart_contract_health, stg_contract__contracts]
*/
-- tested
{{ listed_on_both_sides(
    'mart_contract_health', 'contract_no', "staging.stg_contract__contracts where status_code <> 'DRAFT' and valid_from <= :business_date"
) }}
-- violations
{{ listed_on_one_side('a row', 'no row') }}
