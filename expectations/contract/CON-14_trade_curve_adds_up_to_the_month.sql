/*
sentence: The slots of a trade curve add up to the contract energy of the month within {relative}.
axis: mismatch
dimension: validity
severity: warn
owner: contract office
reason: Deviations are settled against the curve.
source: project rule
subject: con_trade_settle
not_tested: No settlement has a curve.
population: settlements with a trade curve
reads: [stg_contract__trade_curves, stg_contract__trade_settlements]
parameters: [relative]
*/
-- tested
select
    settlements._raw_id as raw_id,
    settlements.trade_month,
    settlements.contract_mwh,
    curves.mwh
from staging.stg_contract__trade_settlements as settlements
inner join {{ one_each('staging.stg_contract__trade_curves', 'agreement_no, trade_month', 'mwh', 'sum') }} as curves
    on settlements.agreement_no = curves.agreement_no and settlements.trade_month = curves.trade_month
where settlements.contract_mwh is not null
-- violations
select
    {{ finding('contract_mwh', day='trade_month', account=false) }},
    contract_mwh || ' MWh' as observed,
    mwh || ' MWh in the curve' as expected
from tested
where abs(contract_mwh - mwh) > :relative * abs(contract_mwh)
