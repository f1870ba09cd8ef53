/*
sentence: An account on the list of an outage has a notice of it when the outage begins, its own or one to the public.
axis: missing
dimension: completeness
severity: warn
owner: marketing office
reason: A customer who was not notified could not prepare. Which notices a key account must have, and when, is XSR-30.
source: project rule; seed notice_checkpoints
subject: account x outage
about: mkt_outage_notice
not_tested: No outage of the last weeks had a list of accounts.
population: accounts on the lists of outages of the last weeks; key accounts until the outage is done
reads: [int_expected_things]
*/
-- tested
{{ expected_of('EXP-10') }}
-- violations
{{ absent('cons_no', "'no notice'", "'a notice of ' || owner_no") }}
