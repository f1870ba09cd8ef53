/*
sentence: The stages of an application are numbered from the first on without a gap.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: The time of a stage that is absent is in no clock. Which stages a finished application must have is MKT-32.
source: project rule
subject: application x stage
about: mkt_app_stage
not_tested: No application was delivered.
population: stages up to the last one of each application
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-11') }}
-- violations
{{ absent('stage_seq', "'no stage ' || channel_code", "'every stage up to the last'") }}
