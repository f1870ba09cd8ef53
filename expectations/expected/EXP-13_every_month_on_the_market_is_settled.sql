/*
sentence: Every month of an agreement on the market is settled, once it is due.
axis: missing
dimension: completeness
severity: warn
owner: contract office
reason: What is not settled is paid at no price.
source: contract of the contract system, table con_trade_settle
subject: trade agreement x month
about: con_trade_settle
not_tested: No settlement is due.
population: months of direct, retail and spot agreements
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-13') }}
-- violations
{{ absent('trade_month', "'no settlement'", "'one of ' || to_char(period_date, 'YYYYMM')") }}
