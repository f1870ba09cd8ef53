/*
sentence: The bills in the payment mart of a month of issue add up to the bills that marketing issued in it.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A bill that is lost or counted twice hides who pays late.
source: "requirement S18: one row per bill"
subject: month of issue
population: months of issue
reads: [candidate.mart_payment_behaviour, stg_marketing__bills]
*/
-- tested
with paid as (
    select
        {{ month_of('issued_date') }} as issued_month,
        count(*) as bills,
        sum(total_charge_cny) as total_cny
    from candidate.mart_payment_behaviour
    group by {{ month_of('issued_date') }}
),

issued as (
    select
        {{ month_of('issued_date') }} as issued_month,
        count(distinct bill_no) as bills,
        sum(total_charge_cny) as total_cny
    from staging.stg_marketing__bills
    where account_no is not null
    group by {{ month_of('issued_date') }}
)

select
    {{ mart_row('mart_payment_behaviour', 'paid', ['issued_month']) }},
    paid.bills,
    paid.total_cny,
    coalesce(issued.bills, 0) as issued_bills,
    coalesce(issued.total_cny, 0) as issued_cny
from paid
left join issued on paid.issued_month = issued.issued_month
-- violations
select
    {{ finding('total_charge_cny', day='issued_month', key='record_key', account=false) }},
    bills || ' bills, ' || total_cny || ' yuan' as observed,
    issued_bills || ' bills, ' || issued_cny || ' yuan' as expected,
    abs(total_cny - issued_cny) as amount_at_stake_cny
from tested
where total_cny <> issued_cny or bills <> issued_bills
