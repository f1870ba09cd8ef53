/*
sentence: A churn score is between 0 and 100, lists its contributions from the largest on and is at least their sum.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A score that its own row does not explain cannot be acted on.
source: "requirement S04: churn score; seed churn_points"
subject: account x month
population: months of an account with a churn score
reads: [candidate.mart_churn_risk]
*/
-- tested
select
    {{ mart_row('mart_churn_risk', 'churn', ['account_no', 'month_start_date']) }},
    churn.churn_score,
    coalesce(churn.churn_driver_1_points, 0) as first_points,
    coalesce(churn.churn_driver_2_points, 0) as second_points,
    coalesce(churn.churn_driver_3_points, 0) as third_points
from candidate.mart_churn_risk as churn
where 'churn_score' <> all (churn.partial_measures)
-- violations
select
    {{ finding('churn_score', day='month_start_date', key='record_key') }},
    churn_score || ' with ' || first_points || ', ' || second_points || ', ' || third_points as observed,
    'at least their sum, 0 to 100, largest first' as expected
from tested
where
    churn_score is null
    or churn_score not between 0 and 100
    or churn_score < first_points + second_points + third_points
    or first_points < second_points
    or second_points < third_points
    or (churn_score > 0 and first_points = 0)
