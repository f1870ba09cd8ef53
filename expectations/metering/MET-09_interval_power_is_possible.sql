/*
sentence: Power in a slot is at most 1.2 times the running capacity.
axis: mismatch
dimension: plausibility
severity: quarantine
owner: metering office
reason: More cannot flow through the transformers of the customer.
source: catalogue MET-09; formulas 3.1, power against capacity
subject: met_interval_96
quarantines: met_interval_96
not_tested: No curve landed tonight.
*/
-- tested
with limits as materialized (
    select quality.parameter('MET-08', 'capacity_factor', :business_date) as capacity_factor
),

accounts as (
    select account_no, max(running_capacity_kva) as running_capacity_kva
    from staging.stg_marketing__customers
    group by account_no
)

select
    curves._raw_id as raw_id,
    curves.reading_date,
    points.account_no,
    (select max(slots.slot_value) from unnest(curves.values_by_slot) as slots (slot_value))::numeric
    * case when curves.is_primary then 1 else points.multiplier end as power_kw,
    accounts.running_capacity_kva * limits.capacity_factor as bound_kw,
    latest._raw_id is not null as is_latest
from staging.stg_metering__curves as curves
inner join quality.tonight as tonight on tonight.table_name = 'met_interval_96' and tonight.raw_id = curves._raw_id
left join staging.int_curves_latest as latest on curves._raw_id = latest._raw_id
inner join staging.int_metering_points_as_of as points
    on curves.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'curves.reading_date') }}
inner join accounts on points.account_no = accounts.account_no
cross join limits
where curves.quantity_code = 'P' and curves.phase_code = 'T' and accounts.running_capacity_kva > 0
-- violations
select
    {{ finding('v1', day='reading_date') }},
    round(power_kw, 2) || ' kW' as observed,
    'at most ' || round(bound_kw, 2) || ' kW' as expected
from tested
where is_latest and power_kw > bound_kw
