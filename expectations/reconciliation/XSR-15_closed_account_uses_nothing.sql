/*
sentence: A customer that is closed has no energy on the business date and after its closure.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: Energy of a closed account is billed to nobody.
source: catalogue XSR-15, closed accounts; load on sealed transformers needs readings by transformer
subject: mkt_customer
quarantines: mkt_customer
*/
-- tested
with used as (
    select
        points.account_no,
        sum(quality.slot_sum(curves.values_by_slot) * case when curves.is_primary then 1 else points.multiplier end) as energy_kwh,
        max(curves.reading_date) as last_date
    from staging.stg_marketing__customers as customers
    inner join staging.int_metering_points_as_of as points on customers.account_no = points.account_no
    inner join staging.int_curves_latest as curves
        on
            points.metering_point_no = curves.metering_point_no
            and points.valid_from <= curves.reading_date
            and (points.valid_to is null or curves.reading_date < points.valid_to)
            and curves.quantity_code = 'E+'
            and curves.phase_code = 'T'
            and curves.reading_date > :business_date - quality.parameter('XSR-15', 'days', :business_date)::integer
            and curves.reading_date >= coalesce(customers.close_date, :business_date)
    where customers.status_code = 'CLOSED'
    group by points.account_no
)

select
    customers._raw_id as raw_id,
    customers.account_no,
    customers.status_code,
    coalesce(used.energy_kwh, 0) as energy_kwh,
    used.last_date
from staging.stg_marketing__customers as customers
left join used on customers.account_no = used.account_no
where customers.status_code is not null
-- violations
select
    raw_id,
    account_no,
    last_date as business_date,
    'status' as column_name,
    'closed, with ' || round(energy_kwh, 2) || ' kWh' as observed,
    '0 kWh' as expected,
    energy_kwh as energy_at_stake_kwh
from tested
where status_code = 'CLOSED' and energy_kwh > 0
