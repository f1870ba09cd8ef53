/*
sentence: The power factor adjustment of a whole month is that of its bills within {share} of it, or the row says why not.
axis: mismatch
dimension: consistency
severity: warn
owner: data warehouse
reason: A power factor on another basis than the bill's advises capacitors that save nothing.
source: (83) 水电财字第215号
subject: account x month
not_tested: No whole month with a bill.
population: whole months of an account with a power factor adjustment by curves and by bill
reads: [candidate.mart_energy_structure]
parameters: [share]
*/
-- tested
select
    {{ mart_row('mart_energy_structure', 'months', ['account_no', 'month_start_date']) }},
    months.power_factor_billed_cny,
    months.power_factor_difference_cny,
    months.power_factor_difference_code
from candidate.mart_energy_structure as months
where months.power_factor_difference_cny is not null
-- violations
select
    {{ finding('power_factor_difference_cny', day='month_start_date', key='record_key') }},
    power_factor_difference_cny::text as observed,
    'at most ' || round(greatest(abs(power_factor_billed_cny) * :share, 0.01), 2) || ', or a reason' as expected
from tested
where
    abs(power_factor_difference_cny) > greatest(abs(power_factor_billed_cny) * :share, 0.01)
    and coalesce(power_factor_difference_code, 'UNEXPLAINED') = 'UNEXPLAINED'
