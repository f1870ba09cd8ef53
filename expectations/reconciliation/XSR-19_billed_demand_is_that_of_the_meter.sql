/*
sentence: The maximum demand of a bill is that of its meters times their multiplier within {relative}.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: The demand charge depends on the highest quarter of an hour.
source: project rule
at_stake: Difference in kW x what the bill charged for a kW; by an agreed demand only what lies above its limit, as often as it is charged. 0 where the charge does not go by demand.
likely_wrong: "Undetermined: a register cleared late and a wrong bill leave the same trace."
subject: mkt_bill
not_tested: No bill has a demand and a month freeze of every meter.
population: bills with a demand and a month freeze of every meter
reads:
  - int_bills_priced
  - int_metering_points_as_of
  - stg_marketing__bill_lines
  - stg_marketing__bills
  - stg_metering__register_freezes
compares: [metering.met_register_freeze.max_demand_kw, marketing.mkt_bill.md_actual_kw]
parameters: [relative]
*/
-- tested
{%- set of_month = is_total_register('rows_of', 'MONTH') ~ ' and rows_of.max_demand_kw is not null' %}
with billed_points as (
    select distinct bills._raw_id as raw_id, bills.read_to, lines.metering_point_no, lines.meter_asset_no
    from staging.stg_marketing__bills as bills
    inner join staging.stg_marketing__bill_lines as lines on bills.bill_no = lines.bill_no
    where bills.actual_demand_kw is not null and bills.orig_bill_no is null
),

metered as (
    select
        billed_points.raw_id,
        -- Feeds are measured one by one and added.
        sum(demands.max_demand_kw * points.multiplier) as meter_demand_kw
    from billed_points
    inner join staging.int_metering_points_as_of as points
        on
            billed_points.metering_point_no = points.metering_point_no
            and {{ is_valid_on('points', 'billed_points.read_to - 1') }}
    left join {{ newest_each(
        'staging.stg_metering__register_freezes', 'meter_asset_no, frozen_at', 'version desc nulls last', of_month
    ) }} as demands
        on billed_points.meter_asset_no = demands.meter_asset_no and billed_points.read_to = {{ local_date('demands.frozen_at') }}
    group by billed_points.raw_id
    having count(*) = count(demands.max_demand_kw)
)

select
    {{ row_of('bills') }},
    bills.bill_month,
    bills.actual_demand_kw,
    metered.meter_demand_kw,
    priced.demand_price_cny * priced.charged_times as cny_per_kw,
    priced.charged_above_kw
from metered
inner join staging.stg_marketing__bills as bills on metered.raw_id = bills._raw_id
left join staging.int_bills_priced as priced on bills.bill_no = priced.bill_no
-- violations
select
    {{ finding('md_actual_kw', day='bill_month') }},
    round(actual_demand_kw, 2) || ' kW' as observed,
    round(meter_demand_kw, 2) || ' kW by the meters' as expected,
    round(
        abs(greatest(actual_demand_kw, charged_above_kw) - greatest(meter_demand_kw, charged_above_kw)) * cny_per_kw, 2
    ) as amount_at_stake_cny
from tested
where abs(actual_demand_kw - meter_demand_kw) > :relative * meter_demand_kw
