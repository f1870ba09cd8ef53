/*
sentence: An account in use has a contact with a mobile or fixed number.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: Nobody can be told of an outage, a bill or a hazard.
source: project rule; seed expected_things. Whether the number is a placeholder is MKT-06.
subject: account
about: mkt_contact
not_tested: No account is in use.
population: accounts that are not closed
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-09') }}
-- violations
{{ absent('mobile', "'no contact with a number'", "'a contact with a number'") }}
