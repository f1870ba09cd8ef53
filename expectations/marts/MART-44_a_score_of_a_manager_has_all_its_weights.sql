/*
sentence: A manager has a score only with the weights of all dimensions, which sum to 1, and the score lies between 0 and 100.
axis: arbitrary
dimension: validity
severity: block
owner: data warehouse
reason: A missing dimension that is silently weighted away rewards the manager who was not assessed.
source: "requirement S35: sum(w) = 1; missing dimension, no score; each score alone, no test of chance"
subject: manager and month
population: months of a manager
reads: [candidate.mart_manager_performance]
*/
-- tested
select
    {{ mart_row('mart_manager_performance', 'managers', ['manager_no', 'report_month']) }},
    score,
    weight_sum,
    missing_dimensions
from candidate.mart_manager_performance as managers
where score is not null
-- violations
select
    {{ finding('score', day='report_month', key='record_key', account=false) }},
    concat_ws(', ', score::text, weight_sum::text, missing_dimensions) as observed,
    '0 to 100 with weights of 1' as expected
from tested
where score < 0 or score > 100 or round(weight_sum, 3) <> 1 or weight_sum is null or missing_dimensions is not null
