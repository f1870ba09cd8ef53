/*
sentence: The reliability of supply lies between 0 and 100 percent.
axis: mismatch
dimension: validity
severity: block
owner: data warehouse
reason: Outside the range hours are counted twice or in another month.
source: "requirement S27: a reliability of supply is between 0 and 100"
subject: row of a mart
population: rows with a reliability of supply
reads: [candidate.mart_two_rates, candidate.mart_two_rates_gap]
*/
-- tested
select
    {{ mart_key('mart_two_rates', 'rates', ['entity_kind_code', 'entity_no', 'month_start_date', 'side_code']) }},
    rates.month_start_date,
    rates.rs_pct
from candidate.mart_two_rates as rates
where rates.rs_pct is not null
union all
select
    jsonb_build_object(
        'mart', 'mart_two_rates_gap', 'account_no', gaps.account_no, 'month_start_date', gaps.month_start_date, 'side', sides.side
    ) as record_key,
    gaps.month_start_date,
    sides.rs_pct
from candidate.mart_two_rates_gap as gaps
cross join lateral (
    values ('customer', gaps.customer_rs_pct), ('supply', gaps.supply_rs_pct)
) as sides (side, rs_pct)
where sides.rs_pct is not null
-- violations
select
    {{ finding('rs_pct', day='month_start_date', key='record_key', account=false) }},
    rs_pct::text as observed,
    '0 to 100' as expected
from tested
where rs_pct < 0 or rs_pct > 100
