/*
sentence: The measured energy of an account's month is that of the admitted curves of its counted points, within {tolerance_kwh} kWh.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: Energy that is lost or counted twice on the way to the mart is wrong in every figure of load and saving.
source: "requirement S08: the energy of marts is the admitted energy"
subject: account x month
not_tested: No energy curve has arrived.
population: months of an account with measured energy
reads: [candidate.mart_energy_structure, int_curves_latest, int_metering_points_as_of, stg_marketing__customers]
parameters: [tolerance_kwh]
*/
-- tested
with admitted as (
    select
        points.account_no,
        date_trunc('month', curves.reading_date::timestamp)::date as month_start_date,
        sum(quality.slot_sum(curves.values_by_slot) * case when curves.is_primary then 1 else points.multiplier end) as energy_kwh
    from staging.int_curves_latest as curves
    inner join staging.int_metering_points_as_of as points
        on
            curves.metering_point_no = points.metering_point_no
            and points.valid_from <= curves.reading_date
            and (points.valid_to is null or curves.reading_date < points.valid_to)
    where
        curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
        and points.is_counted_in_account
        and curves.reading_date >= (select min(published.month_start_date) from candidate.mart_energy_structure as published)
    group by points.account_no, date_trunc('month', curves.reading_date::timestamp)::date
)

select
    jsonb_build_object('mart', 'mart_energy_structure', 'account_no', account_no, 'month_start_date', month_start_date) as record_key,
    account_no,
    month_start_date,
    coalesce(energy.energy_kwh, 0) as energy_kwh,
    coalesce(admitted.energy_kwh, 0) as admitted_kwh
from admitted
full outer join candidate.mart_energy_structure as energy using (account_no, month_start_date)
-- An account that marketing does not know has no row in any mart.
inner join {{ one_each('staging.stg_marketing__customers', 'account_no', '*', 'count', 'customers') }} as known using (account_no)
where coalesce(energy.energy_kwh, admitted.energy_kwh) is not null
-- violations
select
    {{ finding('energy_kwh', day='month_start_date', key='record_key') }},
    energy_kwh::text as observed,
    admitted_kwh::text as expected,
    abs(energy_kwh - admitted_kwh) as energy_at_stake_kwh
from tested
where abs(energy_kwh - admitted_kwh) > :tolerance_kwh
