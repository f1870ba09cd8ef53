/*
sentence: Every month of a direct or retail agreement has a curve by the time it ends.
axis: missing
dimension: completeness
severity: warn
owner: contract office
reason: Without the agreed energy there is no deviation from it.
source: contract of the contract system, table con_trade_curve
subject: trade agreement x month
about: con_trade_curve
not_tested: No agreement has a month that is over.
population: months of direct and retail agreements
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-14') }}
-- violations
{{ absent('trade_month', "'no curve'", "'one of ' || to_char(period_date, 'YYYYMM')") }}
