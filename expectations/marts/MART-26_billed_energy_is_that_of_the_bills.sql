/*
sentence: The billed energy of a ranking month and of a month of tariff advice is that of its admitted bills, within {tolerance_kwh} kWh.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: Advice and ranking by energy that nobody was billed for cannot be explained to the customer.
source: "requirement S08: the energy of marts is the billed energy"
subject: ranking month, account x month
population: ranking months, and months of an account with tariff advice
reads: [candidate.mart_key_account_ranking, candidate.mart_tariff_advice, stg_marketing__bills]
parameters: [tolerance_kwh, MART-07.months]
*/
-- tested
with rankings as (
    select ranking_month, sum(energy_12m_kwh) as energy_kwh
    from candidate.mart_key_account_ranking
    group by ranking_month
),

-- What is withheld of these may be negative, so that their sum is no bound.
unknown as (
    select distinct ranking_month, account_no
    from candidate.mart_key_account_ranking
    where energy_12m_kwh is null and 'energy_12m_kwh' = any(partial_measures)
),

ranked as (
    select
        jsonb_build_object('mart', 'mart_key_account_ranking', 'ranking_month', rankings.ranking_month) as record_key,
        null as account_no,
        rankings.ranking_month as month_start_date,
        rankings.energy_kwh,
        coalesce(sum(bills.billed_kwh) filter (where unknown.account_no is null), 0) as billed_kwh
    from rankings
    left join staging.stg_marketing__bills as bills
        on
            bills.bill_month < rankings.ranking_month
            and bills.bill_month >= rankings.ranking_month - make_interval(months => :months::integer)
            and bills.account_no is not null
    left join unknown on rankings.ranking_month = unknown.ranking_month and bills.account_no = unknown.account_no
    group by rankings.ranking_month, rankings.energy_kwh
),

advised as (
    select
        jsonb_build_object(
            'mart', 'mart_tariff_advice', 'account_no', advice.account_no, 'month_start_date', advice.month_start_date
        ) as record_key,
        advice.account_no,
        advice.month_start_date,
        advice.energy_kwh,
        sum(bills.billed_kwh) as billed_kwh
    from candidate.mart_tariff_advice as advice
    left join staging.stg_marketing__bills as bills
        on advice.account_no = bills.account_no and advice.month_start_date = bills.bill_month
    where advice.usage_basis_code = 'BILL' and advice.energy_kwh is not null
    group by advice.account_no, advice.month_start_date, advice.energy_kwh
)

select * from ranked
union all
select * from advised
-- violations
select
    {{ finding('energy_kwh', day='month_start_date', key='record_key') }},
    energy_kwh::text as observed,
    coalesce(billed_kwh::text, 'no bill') as expected,
    abs(energy_kwh - coalesce(billed_kwh, 0)) as energy_at_stake_kwh
from tested
where billed_kwh is null or abs(energy_kwh - billed_kwh) > :tolerance_kwh
