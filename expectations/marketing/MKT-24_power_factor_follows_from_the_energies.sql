/*
sentence: The power factor of a bill follows from its active and reactive energy within {tolerance}.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: A power factor of another origin adjusts the bill by another amount.
source: (83) 水电财字第215号
subject: mkt_bill
not_tested: No bill has a power factor with both energies.
population: bills with a power factor and both energies
reads: [stg_marketing__bills]
parameters: [tolerance]
*/
-- tested
select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.power_factor,
    bills.billed_kwh / nullif(sqrt(bills.billed_kwh ^ 2 + bills.kvarh ^ 2), 0) as computed
from (
    -- A meter that counts both directions of reactive energy has both added.
    select *, coalesce(abs(forward_kvarh), 0) + coalesce(abs(reverse_kvarh), 0) as kvarh
    from staging.stg_marketing__bills
    where num_nonnulls(forward_kvarh, reverse_kvarh) > 0
) as bills
where bills.power_factor is not null and bills.billed_kwh > 0
-- violations
select
    {{ finding('pf_actual', day='bill_month') }},
    power_factor::text as observed,
    round(computed, 4)::text as expected
from tested
where abs(power_factor - computed) > :tolerance
