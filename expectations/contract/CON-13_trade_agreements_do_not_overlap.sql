/*
sentence: An account has at most one trade agreement on any day.
axis: mismatch
dimension: consistency
severity: quarantine
owner: contract office
reason: Energy sold by two retailers is settled twice.
source: project rule
subject: con_trade_agreement
quarantines: con_trade_agreement
not_tested: No trade agreement was delivered.
population: trade agreements
reads: [stg_contract__trade_agreements]
*/
-- tested
select
    {{ row_of('agreements') }},
    agreements.agreement_no,
    agreements.valid_from,
    overlapping.other_note
from staging.stg_contract__trade_agreements as agreements
left join {{ overlapping('staging.stg_contract__trade_agreements', same='account_no', other='agreement_no', note='other.agreement_no') }} as overlapping
    on agreements._raw_id = overlapping._raw_id
-- violations
select
    {{ finding('valid_from') }},
    'overlaps ' || other_note as observed,
    'one agreement a day' as expected
from tested
where other_note is not null
