/*
sentence: An account has a bill for every month in which it was supplied, once it is due.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: Energy that is not billed is not paid; the newest bill has no later one that would show the gap.
source: project rule; seed expected_things
subject: account x month
about: mkt_bill
not_tested: No bill is due.
population: months in which an account had a billing point with a meter
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-07') }}
-- violations
{{ absent('bill_month', "'no bill'", "'a bill of ' || to_char(period_date, 'YYYYMM')") }}
