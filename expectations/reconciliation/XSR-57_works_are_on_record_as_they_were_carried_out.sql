/*
sentence: Works that were carried out are on the supply side's record, with their actual start and end within {XSR-51.minutes} minutes.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: Plan and record are of one outage; the hours that customers were told to be without supply are judged by the one, reliability by the other.
source: DL/T 836.1-2016, each interruption is recorded; requirement S28
at_stake: "No money: an outage is a matter of reliability."
likely_wrong: "Undetermined: two systems contradict each other; XSR-51 tells by the meters whether it is the record."
subject: mkt_outage_plan
not_tested: No plan of a feeder was carried out since there are records.
population: plans of a feeder carried out since there are records of the supply side
reads: [stg_marketing__outage_plans, stg_metering__supply_outages]
compares: [marketing.mkt_outage_plan.actual_start, metering.met_supply_outage.start_at]
parameters: [XSR-51.minutes]
*/
-- tested
with limits as materialized (
    select make_interval(mins => :minutes::integer) as apart
),

-- The record nearest to the works, of those that touch the hours planned or carried out.
nearest as (
    select distinct on (plans._raw_id)
        plans._raw_id,
        supply.started_at,
        supply.ended_at
    from staging.stg_marketing__outage_plans as plans
    cross join limits
    inner join staging.stg_metering__supply_outages as supply
        on
            plans.feeder_no = supply.feeder_no
            and supply.started_at <= greatest(plans.actual_end_at, plans.planned_end_at) + limits.apart
            and coalesce(supply.ended_at, 'infinity') >= least(plans.actual_start_at, plans.planned_start_at) - limits.apart
    order by plans._raw_id, abs(extract(epoch from supply.started_at - plans.actual_start_at)), supply.supply_outage_id
)

select
    plans._raw_id as raw_id,
    plans.actual_start_at,
    plans.actual_end_at,
    nearest.started_at,
    nearest.ended_at,
    nearest._raw_id is not null as is_on_record,
    abs(extract(epoch from plans.actual_start_at - nearest.started_at)) > extract(epoch from limits.apart) as starts_apart,
    abs(extract(epoch from plans.actual_end_at - nearest.ended_at)) > extract(epoch from limits.apart) as ends_apart
from staging.stg_marketing__outage_plans as plans
cross join limits
left join nearest on plans._raw_id = nearest._raw_id
where
    plans.status_code = 'DONE'
    and nullif(plans.feeder_no, '') is not null
    and plans.actual_end_at is not null
    and plans.actual_start_at >= (select min(supply.started_at) from staging.stg_metering__supply_outages as supply)
-- violations
select
    {{ finding(
        column_sql="case when is_on_record and not starts_apart then 'actual_end' else 'actual_start' end",
        day=local_date('actual_start_at'), account=false
    ) }},
    actual_start_at || ' to ' || actual_end_at as observed,
    case
        when is_on_record then started_at || ' to ' || coalesce(ended_at::text, 'now') || ' on record'
        else 'a record of the supply side'
    end as expected
from tested
where not is_on_record or starts_apart or ends_apart
