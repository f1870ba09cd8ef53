/*
sentence: The exposure of an account is what it has not paid, the open penalty and the expected bill, less the deposit.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: The guarantee that is asked of an account follows from its exposure.
source: "requirement S34: exposure"
subject: account x month
population: months of an account with an exposure
reads: [candidate.mart_credit_risk]
*/
-- tested
select
    {{ mart_row('mart_credit_risk', 'credit', ['account_no', 'month_start_date']) }},
    credit.exposure_cny,
    credit.unpaid_cny + credit.penalty_open_cny + credit.expected_bill_cny - credit.deposit_cny as computed_cny
from candidate.mart_credit_risk as credit
-- violations
{{ amounts_that_differ('exposure_cny', 'exposure_cny', 'computed_cny', day='month_start_date', key='record_key') }}
