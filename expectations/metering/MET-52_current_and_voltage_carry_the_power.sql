/*
sentence: The apparent power of voltage and current is {low_share} to {high_share} of that of active and reactive energy, in all but {slots:words} of the slots of a day that are looked at, one an hour.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: A current that does not carry the power was tapped or read with another scale, or its phase is lost.
source: project rule; in 3P3W wiring both elements stand for the load, in 3P4W wiring the phases that are delivered
subject: met_interval_96
not_tested: No day has energy, voltage and current.
population: currents of days with energy and a voltage of the same phase, where power and energy agree
tests: touched points
reads: [int_apparent_days, int_curve_days, stg_metering__curves]
parameters: [low_share, high_share, slots]
*/
-- tested
select
    currents.raw_id,
    days.account_no,
    days.reading_date,
    apparent.judged_slots,
    apparent.low_slots,
    apparent.high_slots,
    currents.apparent_share,
    :low_share as low_share,
    :high_share as high_share,
    :slots as slots
from staging.int_curve_days as days
inner join staging.int_apparent_days as apparent
    on days.metering_point_no = apparent.metering_point_no and days.reading_date = apparent.reading_date
inner join {{ days_touched(['E+', 'P', 'U', 'I', 'RQ1', 'RQ2', 'RQ3', 'RQ4']) }} as changed
    on days.metering_point_no = changed.metering_point_no and days.reading_date = changed.reading_date
cross join lateral (
    values
    (apparent.ia_raw_id, apparent.share_a),
    (apparent.ib_raw_id, apparent.share_b),
    (apparent.ic_raw_id, apparent.share_c)
) as currents (raw_id, apparent_share)
where
    currents.raw_id is not null
    and currents.apparent_share is not null
    and days.deviating_slots = 0
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(100 * apparent_share::numeric) || ' % of the apparent power by the energy of the day' as observed,
    round(100 * low_share) || ' to ' || round(100 * high_share) || ' %, as the phases together have in '
    || judged_slots - low_slots - high_slots || ' of ' || judged_slots || ' slots' as expected
from tested
where
    (low_slots > slots and apparent_share < low_share)
    or (high_slots > slots and apparent_share > high_share)
