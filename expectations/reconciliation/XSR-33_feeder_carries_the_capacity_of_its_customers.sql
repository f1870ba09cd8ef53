/*
sentence: The capacity connected to a feeder is not below {share} times the contract capacities of the customers that it alone supplies.
axis: mismatch
dimension: plausibility
severity: warn
owner: metering office
reason: A capacity in MVA instead of kVA makes every outage of the feeder a thousand times smaller.
source: project rule
at_stake: "No money: capacity lost in outages."
likely_wrong: The feeder, for its customers are filed one by one.
subject: met_feeder
not_tested: No feeder supplies a customer alone.
population: feeders in force that supply customers alone
reads: [stg_marketing__metering_points, stg_marketing__customers, stg_metering__feeders]
compares: [metering.met_feeder.kva_connected, marketing.mkt_customer.contract_cap_kva]
parameters: [share]
*/
-- tested
select
    feeders._raw_id as raw_id,
    feeders.connected_kva,
    sum(supplied.contract_capacity_kva) as customers_kva,
    :share as least_share
from staging.stg_metering__feeders as feeders
inner join (
    select
        min(points.feeder_no) as feeder_no,
        customers.contract_capacity_kva
    from staging.stg_marketing__metering_points as points
    inner join staging.stg_marketing__customers as customers on points.account_no = customers.account_no
    where {{ is_valid_on('points', ':business_date') }} and points.feeder_no is not null and customers.status_code <> 'CLOSED'
    group by customers.account_no, customers.contract_capacity_kva
    having count(distinct points.feeder_no) = 1
) as supplied on feeders.feeder_no = supplied.feeder_no
where {{ is_valid_on('feeders', ':business_date') }}
group by feeders._raw_id, feeders.connected_kva
-- violations
select
    {{ finding('kva_connected', account=false) }},
    connected_kva || ' kVA' as observed,
    'at least ' || least_share || ' of ' || customers_kva || ' kVA of its customers' as expected,
    'metering' as suspect_side
from tested
where connected_kva < least_share * customers_kva
