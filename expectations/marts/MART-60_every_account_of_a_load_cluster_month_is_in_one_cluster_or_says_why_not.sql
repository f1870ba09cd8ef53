/*
sentence: In a month of load clusters every account is in one cluster or has a reason why not, and each cluster has as many accounts as it states.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A reader adds the clusters up to all accounts.
source: "requirement S30: load clusters"
subject: month × cluster
population: clusters of a month
reads: [candidate.mart_load_cluster]
*/
-- tested
select
    {{ mart_row('mart_load_cluster', 'clusters', ['month_start_date', 'cluster_no']) }},
    count(*) as accounts,
    count(no_cluster_code) as accounts_with_a_reason,
    min(cluster_accounts) as fewest_stated,
    max(cluster_accounts) as most_stated,
    max(cluster_count) as clusters
from candidate.mart_load_cluster as clusters
group by month_start_date, cluster_no
-- violations
select
    {{ finding('cluster_accounts', day='month_start_date', key='record_key', account=false) }},
    concat_ws(' to ', fewest_stated, most_stated) as observed,
    accounts::text as expected
from tested
where
    (cluster_no is null and accounts_with_a_reason < accounts)
    or (
        cluster_no is not null
        and (accounts_with_a_reason > 0 or fewest_stated <> accounts or most_stated <> accounts or cluster_no > clusters)
    )
