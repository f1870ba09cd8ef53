/*
sentence: The power factor adjustment of a bill is the percentage that the table of 1983 gives for its standard and its power factor, rounded to two decimals.
axis: mismatch
dimension: consistency
severity: quarantine
owner: marketing office
reason: The percentage acts on the whole basic and energy charge.
source: (83) 水电财字第215号
subject: mkt_bill
quarantines: mkt_bill
not_tested: No bill carries a power factor standard.
population: bills with a power factor standard
reads: [power_factor_adjustment, stg_marketing__bills]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.power_factor_adjustment_pct,
    bills.power_factor_adjustment_base_cny,
    bills.power_factor,
    bills.power_factor_standard_code,
    adjustments.pct
from staging.stg_marketing__bills as bills
inner join staging.power_factor_adjustment as adjustments
    on
        bills.power_factor_standard_code = to_char(adjustments.standard::numeric, 'FM0.00')
        and round(bills.power_factor, 2) = adjustments.power_factor::numeric
        and {{ is_valid_on('adjustments', 'bills.bill_month') }}
where bills.power_factor_adjustment_pct is not null
-- violations
select
    {{ finding('pf_adj_pct', day='bill_month') }},
    trim_scale(power_factor_adjustment_pct)::text as observed,
    trim_scale(pct::numeric) || ' for ' || round(power_factor, 2) || ' at standard ' || power_factor_standard_code as expected,
    round(abs(power_factor_adjustment_pct - pct::numeric) / 100 * power_factor_adjustment_base_cny, 2) as amount_at_stake_cny
from tested
where power_factor_adjustment_pct <> pct::numeric
