/*
sentence: "Of the curves, registers, voltages and results of collection that are expected of a day, at least {block_below_share} arrived, and some from every office."
axis: missing
dimension: completeness
severity: block
owner: metering office
reason: A day of which a part is absent looks like a quiet day. One or two accounts stop no night; each is a finding of its own.
source: project rule; seed expected_things
subject: kind of reading x day, and x office
about: met_interval_96
not_tested: No reading is expected.
population: kinds of readings on a day, of all offices together and of each
reads: [int_expected_things, int_metering_points_as_of, quality.receipts]
parameters: [block_below_share, least_accounts, MET-23.block_below_share]
*/
-- tested
{{ expected_shares(['curve', 'register', 'month register', 'voltage', 'collection result']) }}
-- violations
{{ shares_too_low('data_date') }}
