/*
sentence: The cumulative share of revenue of a ranking month ends at 1.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: Otherwise the rows of the ranking are not all of the revenue.
source: "requirement S01: the cumulative share ends at 1"
subject: ranking month
population: ranking months
reads: [candidate.mart_key_account_ranking]
parameters: [tolerance]
*/
-- tested
select
    {{ mart_row('mart_key_account_ranking', 'ranking', ['ranking_month']) }},
    max(ranking.cum_share) as last_share
from candidate.mart_key_account_ranking as ranking
where ranking.cum_share is not null
group by ranking.ranking_month
-- violations
select
    {{ finding('cum_share', day='ranking_month', key='record_key', account=false) }},
    last_share::text as observed,
    '1' as expected
from tested
where abs(last_share - 1) > :tolerance
