/*
sentence: A penalty is the bill's total times rate and days, at least one yuan in all, or was waived for a stated reason.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: A penalty that does not follow from the rule is contested.
source: catalogue MKT-30; formulas 3.7; the overdue part of a bill is not delivered, so the bound is the whole bill
subject: mkt_penalty
not_tested: No penalty was delivered.
*/
-- tested
select
    penalties._raw_id as raw_id,
    bills.account_no,
    penalties.penalty_cny,
    penalties.is_waived,
    penalties.waive_reason,
    bills.total_charge_cny * penalties.penalty_rate * penalties.late_days as computed_cny,
    quality.parameter('MKT-30', 'tolerance_cny', :business_date) as tolerance_cny,
    quality.parameter('MKT-30', 'least_cny', :business_date) as least_cny
from staging.stg_marketing__penalties as penalties
inner join staging.stg_marketing__bills as bills on penalties.bill_no = bills.bill_no
-- violations
-- Part of a bill may have been paid in time, so a penalty may be lower; it is never higher.
select
    raw_id,
    account_no,
    'penalty_yuan' as column_name,
    penalty_cny::text as observed,
    case when is_waived then 'a reason for the waiver' else 'above 0, at most ' || greatest(round(computed_cny, 2), least_cny) end as expected
from tested
where
    (is_waived and nullif(btrim(waive_reason), '') is null)
    or (not is_waived and (penalty_cny <= 0 or penalty_cny > greatest(computed_cny, least_cny) + tolerance_cny))
