/*
sentence: A metering point in use delivers readings of each kind, curves, registers and voltages, on every day.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: A dead terminal or meter is one thing to repair, and the energy of its day is an estimate.
source: project rule; seed expected_channels. A day that lies in an outage as a whole is not expected.
subject: metering point x day
about: met_measuring_point
not_tested: No metering point is in use.
population: days of metering points in use
reads: [int_expected_things]
*/
-- tested
select
    jsonb_build_object('mp_no', things.owner_no, 'data_date', things.period_date) as record_key,
    min(things.account_no) as account_no,
    things.period_date,
    string_agg(distinct things.what_code, ', ') as expected_kinds,
    string_agg(distinct things.what_code, ', ') filter (where things.explained_by = 'point') as absent_kinds,
    bool_or(coalesce(things.explained_by, '') = 'point') as is_absent
from staging.int_expected_things as things
where things.what_code in ('curve', 'register', 'voltage')
group by things.owner_no, things.period_date
-- violations
{{ absent('mp_no', "'no ' || absent_kinds", "expected_kinds") }}
