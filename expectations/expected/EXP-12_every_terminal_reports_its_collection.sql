/*
sentence: Every terminal has a result of collection for every day.
axis: missing
dimension: completeness
severity: warn
owner: metering office
reason: What was not asked for cannot have failed; the rate of success counts results alone.
source: contract of the metering system, table met_collect_task
subject: terminal x day
about: met_collect_task
not_tested: No terminal is in use.
population: days of terminals of which a metering point is in use
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-12') }}
-- violations
{{ absent('terminal_no', "'no result'", "'a result of collection'") }}
