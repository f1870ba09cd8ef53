/*
sentence: The revenue of a ranking month is the sum of the bills of the {months:words} closed months before it within {tolerance_cny} yuan.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A bill that is lost or counted twice changes who is a key account.
source: "requirement S01: the revenue of the ranking is that of the bills"
subject: ranking month
population: ranking months
reads: [candidate.mart_key_account_ranking, stg_marketing__bills]
parameters: [months, tolerance_cny]
*/
-- tested
with months as (
    select ranking_month, sum(revenue_12m_cny) as revenue_cny
    from candidate.mart_key_account_ranking
    group by ranking_month
),

-- What is withheld of these may be negative, so that their sum is no bound.
unknown as (
    select distinct ranking_month, account_no
    from candidate.mart_key_account_ranking
    where revenue_12m_cny is null and 'revenue_12m_cny' = any(partial_measures)
)

select
    {{ mart_row('mart_key_account_ranking', 'months', ['ranking_month']) }},
    months.revenue_cny,
    coalesce(sum(bills.total_charge_cny) filter (where unknown.account_no is null), 0) as billed_cny
from months
left join staging.stg_marketing__bills as bills
    on
        bills.bill_month < months.ranking_month
        and bills.bill_month >= months.ranking_month - make_interval(months => :months::integer)
        and bills.account_no is not null
left join unknown on months.ranking_month = unknown.ranking_month and bills.account_no = unknown.account_no
group by months.ranking_month, months.revenue_cny
-- violations
{{ amounts_that_differ('revenue_12m_cny', 'revenue_cny', 'billed_cny', ':tolerance_cny', day='ranking_month', key='record_key', account=false) }}
