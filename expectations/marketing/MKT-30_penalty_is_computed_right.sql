/*
sentence: A penalty is the overdue balance times its days times the statutory rate, at least one yuan a bill, or it is waived with a reason.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: A penalty that does not follow from the rule is contested.
source: 供电营业规则 (1996), article 98
subject: mkt_penalty
not_tested: No penalty was delivered.
population: penalties
reads:
  - penalty_rates
  - stg_marketing__bills
  - stg_marketing__customers
  - stg_marketing__payments
  - stg_marketing__penalties
parameters: [tolerance_cny]
*/
-- tested
with bills as (
    select distinct on (bills.bill_no)
        bills.bill_no,
        bills.account_no,
        bills.total_charge_cny,
        (date_trunc('year', bills.due_date::timestamp) + interval '1 year')::date as next_year_date,
        rates.current_year_rate,
        rates.cross_year_rate,
        rates.least_cny
    from staging.stg_marketing__bills as bills
    inner join staging.stg_marketing__customers as customers on bills.account_no = customers.account_no
    inner join staging.penalty_rates as rates
        on
            rates.payer_class_code = case when customers.customer_class_code = 'RESIDENT' then 'RESIDENT' else 'OTHER' end
            and {{ is_valid_on('rates', 'bills.due_date') }}
    order by bills.bill_no, bills._raw_id desc, customers._raw_id desc
),

-- A reversal settles the bill that it names, as a payment does.
settlements as (
    select bill_no, {{ local_date('paid_at') }} as settled_date, amount_cny
    from staging.stg_marketing__payments
    where bill_no is not null
    union all
    select orig_bill_no as bill_no, issued_date as settled_date, -total_charge_cny as amount_cny
    from staging.stg_marketing__bills
    where total_charge_cny < 0
),

-- The day of payment is still a day of penalty.
days as (
    select
        penalties._raw_id,
        penalties.bill_no,
        days.overdue_date::date as overdue_date,
        greatest(bills.total_charge_cny - coalesce(sum(settlements.amount_cny), 0), 0)
        * case when days.overdue_date < bills.next_year_date then bills.current_year_rate else bills.cross_year_rate end
            as penalty_cny
    from staging.stg_marketing__penalties as penalties
    inner join bills on penalties.bill_no = bills.bill_no
    cross join lateral generate_series(
        penalties.from_date::timestamp, penalties.to_date::timestamp, interval '1 day'
    ) as days (overdue_date)
    left join settlements on penalties.bill_no = settlements.bill_no and settlements.settled_date < days.overdue_date
    group by
        penalties._raw_id, penalties.bill_no, days.overdue_date, bills.total_charge_cny, bills.next_year_date,
        bills.current_year_rate, bills.cross_year_rate
),

computed as (
    select _raw_id, bill_no, round(sum(penalty_cny), 2) as computed_cny
    from days
    group by _raw_id, bill_no
)

select
    {{ row_of('penalties', account='bills') }},
    penalties.penalty_cny,
    penalties.is_waived,
    penalties.waive_reason,
    computed.computed_cny,
    sum(computed.computed_cny) over (partition by penalties.bill_no) as bill_computed_cny,
    sum(penalties.penalty_cny) over (partition by penalties.bill_no) as bill_penalty_cny,
    bills.least_cny
from staging.stg_marketing__penalties as penalties
inner join bills on penalties.bill_no = bills.bill_no
inner join computed on penalties._raw_id = computed._raw_id
-- violations
select
    {{ finding('penalty_yuan') }},
    penalty_cny::text as observed,
    case
        when is_waived then 'a reason for the waiver'
        when bill_computed_cny < least_cny then least_cny || ' for the whole bill'
        else computed_cny::text
    end as expected
from tested
where
    case
        when is_waived then nullif(btrim(waive_reason), '') is null
        when bill_computed_cny < least_cny then bill_penalty_cny <> least_cny
        else penalty_cny is null or abs(penalty_cny - computed_cny) > :tolerance_cny
    end
