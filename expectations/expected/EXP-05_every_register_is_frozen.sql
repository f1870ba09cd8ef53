/*
sentence: Every register and rate of a meter is frozen at the end of every day, and of every month.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: The register is what is billed, and what the sum of a curve is held against.
source: project rule; seed expected_channels
subject: metering point x register x day
about: met_register_freeze
not_tested: No metering point is in use.
population: days, and ends of months, of the registers that meters of a connection deliver
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-05') }}
-- violations
{{ absent('rate', "'no ' || (record_key ->> 'what')", "'a freeze of ' || channel_code") }}
