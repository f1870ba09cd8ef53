/*
sentence: "Of the bills and bill lines that are expected of a month, and of the contacts, at least {EXP-01.block_below_share} are there, and some from every office."
axis: missing
dimension: completeness
severity: block
owner: marketing office
reason: A month of which a part is absent looks like a fall in sales. One or two accounts stop no night; each is a finding of its own.
source: project rule; seed expected_things
subject: kind of record x month, and x office
about: mkt_bill
not_tested: No bill is due, and no account is in use.
population: kinds of records of a month, of all offices together and of each
reads: [int_expected_things, quality.receipts]
parameters: [EXP-01.block_below_share, EXP-01.least_accounts]
*/
-- tested
{{ expected_shares(['bill', 'bill line', 'contact']) }}
-- violations
{{ shares_too_low('bill_month') }}
