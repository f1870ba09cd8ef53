/*
sentence: Every phase of a billing point has its voltage statistics for every day.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: The rate of qualified voltage counts the minutes monitored; a phase that is absent is counted as neither good nor bad.
source: project rule; seed expected_channels
subject: metering point x phase x day
about: met_voltage_daily
not_tested: No billing point is in use.
population: days of the phases whose voltage is monitored
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-06') }}
-- violations
{{ absent('phase', "'no voltage day'", "'one of phase ' || channel_code") }}
