/*
sentence: An outage that the supply side has on record as planned or temporary has a plan of its feeder.
axis: missing
dimension: consistency
severity: warn
owner: data quality office
reason: Without a plan nobody was told of the works, or they were a fault.
source: requirement S23, works are planned and told of
at_stake: "No money: an outage is a matter of reliability."
likely_wrong: "Undetermined: the plan may be missing, or the kind of the record wrong."
subject: met_supply_outage
not_tested: No planned outage is on record since there are plans.
population: records of planned and temporary outages of a feeder since there are plans
reads: [stg_marketing__outage_plans, stg_metering__supply_outages]
compares: [metering.met_supply_outage.kind, marketing.mkt_outage_plan.planned_start]
parameters: [XSR-51.minutes]
*/
-- tested
with limits as materialized (
    select make_interval(mins => :minutes::integer) as apart
)

select
    supply._raw_id as raw_id,
    supply.started_at,
    supply.kind_code,
    supply.feeder_no,
    exists (
        select 1
        from staging.stg_marketing__outage_plans as plans
        where
            supply.feeder_no = plans.feeder_no
            and plans.status_code <> 'CANCELLED'
            and supply.started_at <= greatest(plans.actual_end_at, plans.planned_end_at) + limits.apart
            and coalesce(supply.ended_at, 'infinity') >= least(plans.actual_start_at, plans.planned_start_at) - limits.apart
    ) as has_plan
from staging.stg_metering__supply_outages as supply
cross join limits
where
    supply.kind_code in ('PLANNED', 'TEMPORARY')
    and nullif(supply.feeder_no, '') is not null
    and supply.started_at >= (select min(plans.planned_start_at) from staging.stg_marketing__outage_plans as plans)
-- violations
select
    {{ finding('kind', day=local_date('started_at'), account=false) }},
    lower(kind_code) || ', and no plan of ' || feeder_no as observed,
    'a plan of the feeder, or another kind' as expected
from tested
where not has_plan
