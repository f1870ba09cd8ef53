/*
sentence: Energy flows back only from an account whose contract states own generation.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: Reverse energy without a generator is a meter wired backwards.
source: project rule
subject: met_interval_96
not_tested: No curve of reverse energy landed tonight.
population: curves of reverse energy
tests: touched rows
reads: [int_curves_latest, int_metering_points_as_of, stg_contract__contracts]
*/
-- tested
select
    curves._raw_id as raw_id,
    curves.reading_date,
    points.account_no,
    quality.slot_sum(curves.values_by_slot) as reverse_energy,
    exists (
        select 1
        from staging.stg_contract__contracts as contracts
        where contracts.account_no = points.account_no and contracts.self_gen_kva > 0
    ) as has_generation
from {{ touched_curves('staging.int_curves_latest') }} as curves
inner join staging.int_metering_points_as_of as points
    on curves.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'curves.reading_date') }}
where curves.quantity_code = 'E-' and curves.phase_code = 'T' and points.role_code <> 'GENERATION'
-- violations
select
    {{ finding('v1', day='reading_date') }},
    reverse_energy || ' kWh back' as observed,
    '0 without own generation' as expected
from tested
where reverse_energy > 0 and not has_generation
