/*
sentence: The power of each slot is that of its energy, within {resolutions:words} last digits of the register or {relative} of the slot.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Both are told by one measuring element; where they differ, one of the curves was shifted, changed or scaled after it was measured.
source: project rule; limits from GB/T 17215.321-2021 (class 1) and the resolution of the meter
subject: met_interval_96
not_tested: No day has a curve of energy and one of power.
population: curves of energy and of power of days that have both
tests: touched points
reads: [int_curve_days, int_curve_days_explained, stg_metering__curves]
parameters: [resolutions, relative, MET-02.quarantine_below_slots]
*/
-- tested
select
    curves.raw_id,
    days.account_no,
    days.reading_date,
    curves.quantity_code,
    days.deviating_slots,
    days.first_deviating_slot,
    explained.lag_slots,
    :resolutions as resolutions,
    :relative as relative,
    coalesce(explained.suspect_quantity = curves.quantity_code, false) as is_suspect
from staging.int_curve_days as days
inner join {{ days_touched(['E+', 'E-', 'P']) }} as changed
    on days.metering_point_no = changed.metering_point_no and days.reading_date = changed.reading_date
left join staging.int_curve_days_explained as explained
    on days.metering_point_no = explained.metering_point_no and days.reading_date = explained.reading_date
cross join lateral (
    values ('E+', days.energy_raw_id), ('P', days.power_raw_id)
) as curves (quantity_code, raw_id)
where
    curves.raw_id is not null
    and days.energy_slots >= :quarantine_below_slots
    and days.power_slots >= :quarantine_below_slots
-- violations
select
    {{ finding(column_sql="'v' || first_deviating_slot", day='reading_date') }},
    deviating_slots || ' slots of ' || quantity_code || ' are not those of '
    || case quantity_code when 'P' then 'the energy' else 'the power' end as observed,
    'a power of four times the energy, within ' || round(100 * relative, 2) || ' % or ' || trim_scale(resolutions) || ' last digits' || coalesce(
        case
            when lag_slots > 0 then '; it is, with the energy ' || lag_slots || ' slots later than the power'
            else '; it is, with the energy ' || -lag_slots || ' slots earlier than the power'
        end, ''
    ) as expected
from tested
where deviating_slots > 0 and is_suspect
