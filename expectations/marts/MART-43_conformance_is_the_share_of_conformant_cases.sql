/*
sentence: The conformance rate of a process and month is its conformant cases over its closed ones.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A rate over events instead of cases, or over open cases too, is another number.
source: "requirement S16: cases with the exact permitted path / closed cases"
subject: process and month
population: months of a process
reads: [candidate.mart_process_conformance]
*/
-- tested
with cases as (
    select distinct
        process_code, case_month, case_kind_code, case_no, is_case_conformant, process_conformance_rate, process_closed_cases
    from candidate.mart_process_conformance
    where
        is_case_closed
        and not (process_conformance_rate is null and 'process_conformance_rate' = any(partial_measures))
)

select
    {{ mart_row('mart_process_conformance', 'cases', ['process_code', 'case_month']) }},
    min(process_conformance_rate) as least_rate,
    max(process_conformance_rate) as largest_rate,
    max(process_closed_cases) as stated_cases,
    count(*) as closed_cases,
    round(count(*) filter (where is_case_conformant)::numeric / count(*), 6) as rate
from cases
group by process_code, case_month
-- violations
select
    {{ finding('process_conformance_rate', day='case_month', key='record_key', account=false) }},
    least_rate::text as observed,
    rate::text as expected
from tested
where least_rate is distinct from rate or largest_rate is distinct from rate or stated_cases is distinct from closed_cases
