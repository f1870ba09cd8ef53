/*
sentence: A bill begins on the day on which the bill before it ends.
axis: missing
dimension: completeness
severity: quarantine
owner: marketing office
reason: A gap is energy that nobody pays for, an overlap energy that is paid twice.
source: project rule
subject: mkt_bill
quarantines: mkt_bill
not_tested: No account has two bills.
population: bills that follow another bill of the account
reads: [stg_marketing__bills]
*/
-- tested
with ordered as (
    select
        bills._raw_id as raw_id,
        bills.account_no,
        bills.bill_month,
        bills.read_from,
        lag(bills.read_to) over (
            partition by bills.account_no, bills.settlement_account_no order by bills.read_from, bills.bill_no
        ) as read_to_before
    from staging.stg_marketing__bills as bills
    -- A reversal and the bill in place of it cover the period of the reversed one, which counts for all three.
    where bills.orig_bill_no is null
)

select * from ordered
where read_to_before is not null
-- violations
{{ values_that_differ('read_from', 'read_from', 'read_to_before', day='bill_month', key='raw_id', account=true) }}
