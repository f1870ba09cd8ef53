/*
sentence: The trade curve of a month has as many slots as it states.
axis: missing
dimension: completeness
severity: warn
owner: contract office
reason: A month that is not settled yet has nothing else that its slots add up to.
source: contract of the contract system, table con_trade_curve
subject: trade agreement x month
about: con_trade_curve
not_tested: No trade curve was delivered.
population: months of agreements with a trade curve
reads: [stg_contract__trade_curves]
*/
-- tested
select
    jsonb_build_object('agree_no', curves.agreement_no, 'trade_month', to_char(curves.trade_month, 'YYYYMM')) as record_key,
    curves.trade_month,
    max(curves.slot_count) as slot_count,
    array_agg(curves.slot) as slots
from staging.stg_contract__trade_curves as curves
group by curves.agreement_no, curves.trade_month
-- violations
select
    {{ finding('slot', day='trade_month', key='record_key', account=false) }},
    lacking.slots || ' absent, the first is slot ' || lacking.first_slot as observed,
    slot_count || ' slots' as expected
from tested
cross join lateral (
    select count(*) as slots, min(numbers.slot_no) as first_slot
    from generate_series(1, slot_count) as numbers (slot_no)
    where not numbers.slot_no = any(tested.slots)
) as lacking
where lacking.slots > 0
