/*
sentence: RS-2 and RS-3 are at least RS-1, the prearranged and fault parts at most the whole, and shares between 0 and 1.
axis: mismatch
dimension: validity
severity: block
owner: data warehouse
reason: What a variant leaves out cannot make supply less reliable; a share out of range counts someone twice.
source: "DL/T 836.1-2016; IEEE 1366; requirement S27: a rate without causes is not below the whole"
subject: row of a mart
population: rows of the two rates
reads: [candidate.mart_two_rates]
*/
-- tested
select
    {{ mart_key('mart_two_rates', 'rates', ['entity_kind_code', 'entity_no', 'month_start_date', 'side_code']) }},
    rates.month_start_date,
    checks.column_name,
    checks.observed,
    checks.lowest,
    checks.highest
from candidate.mart_two_rates as rates
cross join lateral (
    values
    ('rs_2_pct', rates.rs_2_pct, rates.rs_pct, 100),
    ('rs_3_pct', rates.rs_3_pct, rates.rs_pct, 100),
    ('aihc_h', rates.aihc_h, greatest(rates.aihc_prearranged_h, rates.aihc_fault_h), rates.period_hours),
    ('aitc', rates.aitc, greatest(rates.aitc_prearranged, rates.aitc_fault), null),
    ('asai', rates.asai, 0, 1),
    ('cemi_share', rates.cemi_share, 0, 1),
    ('celid_total_share', rates.celid_total_share, rates.celid_single_share, 1),
    ('voltage_ok_pct', rates.voltage_ok_pct, 0, 100)
) as checks (column_name, observed, lowest, highest)
where checks.observed is not null
-- violations
select
    {{ finding(column_sql='column_name', day='month_start_date', key='record_key', account=false) }},
    observed::text as observed,
    lowest || ' to ' || coalesce(highest::text, 'any') as expected
from tested
where observed < lowest or observed > highest
