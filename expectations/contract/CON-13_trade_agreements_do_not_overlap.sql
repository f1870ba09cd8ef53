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
with overlapping as (
    select one._raw_id, min(other.agreement_no) as agreement_no
    from staging.stg_contract__trade_agreements as one
    inner join staging.stg_contract__trade_agreements as other
        on
            one.account_no = other.account_no
            and one.agreement_no <> other.agreement_no
            and other.valid_from < coalesce(one.valid_to, 'infinity')
            and one.valid_from < coalesce(other.valid_to, 'infinity')
    group by one._raw_id
)

select
    {{ row_of('agreements') }},
    agreements.agreement_no,
    agreements.valid_from,
    overlapping.agreement_no as other_agreement_no
from staging.stg_contract__trade_agreements as agreements
left join overlapping on agreements._raw_id = overlapping._raw_id
-- violations
select
    {{ finding('valid_from') }},
    'overlaps ' || other_agreement_no as observed,
    'one agreement a day' as expected
from tested
where other_agreement_no is not null
