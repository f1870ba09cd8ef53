/*
sentence: Every channel and phase of a metering point has a curve for every day.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: Without it the energy, demand or voltage of the day is unknown, and no rule on a curve can see that it never came.
source: project rule; seed expected_channels
subject: metering point x channel x day
about: met_interval_96
not_tested: No metering point is in use.
population: days of the channels that points of a connection deliver
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-04') }}
-- violations
{{ absent('data_type', "'no curve'", "'a curve of ' || channel_code") }}
