/*
sentence: An account has one trade agreement on any day.
axis: mismatch
dimension: consistency
severity: quarantine
owner: contract office
reason: Energy sold by two retailers is settled twice.
source: catalogue CON-13
subject: con_trade_agreement
quarantines: con_trade_agreement
not_tested: No trade agreement was delivered.
*/
-- tested
select
    agreements._raw_id as raw_id,
    agreements.account_no,
    agreements.agreement_no,
    agreements.valid_from,
    (
        select min(other.agreement_no)
        from staging.stg_contract__trade_agreements as other
        where
            other.account_no = agreements.account_no
            and other.agreement_no <> agreements.agreement_no
            and other.valid_from < coalesce(agreements.valid_to, 'infinity')
            and agreements.valid_from < coalesce(other.valid_to, 'infinity')
    ) as other_agreement_no
from staging.stg_contract__trade_agreements as agreements
-- violations
select
    raw_id,
    account_no,
    'valid_from' as column_name,
    'overlaps ' || other_agreement_no as observed,
    'one agreement a day' as expected
from tested
where other_agreement_no is not null
