/*
sentence: A closed customer, or one whose transformers are all sealed, uses no energy.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: Energy of a closed account is billed to nobody, load on a sealed transformer runs past its seal.
source: project rule; energy is not metered by transformer, so a seal is judged where none of the account is open
at_stake: Energy while idle; yuan at the average price of the account's last bill.
likely_wrong: "The status, as the meter counts; the readings, where metering too has the meter removed. Undetermined for a seal: it may be broken."
subject: mkt_customer
quarantines: mkt_customer
population: customers with a status
reads:
  - int_accounts_last_billed
  - int_curves_latest
  - int_metering_points_as_of
  - int_metering_points_current
  - stg_marketing__customers
  - stg_marketing__transformers
compares: [metering.met_interval_96.v1, marketing.mkt_customer.status, marketing.mkt_transformer.state]
parameters: [days]
*/
-- tested
with days as (
    select :business_date - numbers.days_ago as reading_date
    from generate_series(0, :days::integer - 1) as numbers (days_ago)
),

customers as (
    select *
    from {{ newest_each('staging.stg_marketing__customers', 'account_no', where='status_code is not null') }} as newest
),

-- The day on which a seal is put or taken is not judged: both states hold for a part of it.
sealed_days as (
    select transformers.account_no, days.reading_date
    from staging.stg_marketing__transformers as transformers
    inner join days
        on
            transformers.state_from <= days.reading_date
            and (transformers.state_to is null or days.reading_date <= transformers.state_to)
    group by transformers.account_no, days.reading_date
    having bool_and(transformers.state_code <> 'RUN') and bool_or(transformers.state_code = 'SEALED')
),

idle_days as (
    select customers.account_no, days.reading_date
    from customers
    inner join days on days.reading_date >= coalesce(customers.close_date, :business_date)
    where customers.status_code = 'CLOSED'
    union
    select account_no, reading_date
    from sealed_days
),

used as (
    select
        points.account_no,
        sum(quality.slot_sum(curves.values_by_slot) * case when curves.is_primary then 1 else points.multiplier end) as energy_kwh,
        max(curves.reading_date) as last_date,
        bool_and(coalesce(removed.removed_date <= curves.reading_date, false)) as is_removed
    from idle_days
    inner join staging.int_metering_points_as_of as points
        on idle_days.account_no = points.account_no and {{ is_valid_on('points', 'idle_days.reading_date') }}
    inner join staging.int_curves_latest as curves
        on
            points.metering_point_no = curves.metering_point_no
            and idle_days.reading_date = curves.reading_date
            and curves.reading_date = any (array(select distinct listed.reading_date from idle_days as listed))
            and curves.quantity_code = 'E+'
            and curves.phase_code = 'T'
    left join staging.int_metering_points_current as removed on points.metering_point_no = removed.metering_point_no
    where points.role_code <> 'GENERATION'
    group by points.account_no
)

select
    {{ row_of('customers') }},
    customers.status_code,
    coalesce(used.energy_kwh, 0) as energy_kwh,
    used.last_date,
    used.is_removed,
    last_billed.average_price_cny
from customers
left join used on customers.account_no = used.account_no
left join staging.int_accounts_last_billed as last_billed on customers.account_no = last_billed.account_no
-- violations
select
    {{ finding('status', day='last_date') }},
    case when status_code = 'CLOSED' then 'closed' else 'sealed' end || ', with ' || round(energy_kwh, 2) || ' kWh' as observed,
    '0 kWh' || case
        when status_code <> 'CLOSED' then ''
        when is_removed then '; likely closed, as the meter is on record as removed'
        else '; likely in use, as the meter counts'
    end as expected,
    case when status_code = 'CLOSED' then case when is_removed then 'metering' else 'marketing' end end as suspect_side,
    energy_kwh as energy_at_stake_kwh,
    round(energy_kwh * average_price_cny, 2) as amount_at_stake_cny
from tested
where energy_kwh > 0
