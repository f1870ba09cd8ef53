/*
sentence: A feeder is filed under the office that most of its customers belong to.
axis: mismatch
dimension: consistency
severity: warn
owner: metering office
reason: Reliability is told office by office, and a feeder under the wrong one counts for two of them.
source: project rule; a feeder on the border of two offices belongs to the one with more customers
at_stake: "No money: reliability figures of two offices."
likely_wrong: The feeder, for its customers are filed one by one.
subject: met_feeder
not_tested: No feeder has a customer of a known office.
population: feeders in force with customers
reads: [stg_marketing__customers, stg_marketing__metering_points, stg_metering__feeders]
compares: [metering.met_feeder.org_no, marketing.mkt_customer.org_no]
*/
-- tested
select
    feeders._raw_id as raw_id,
    feeders.org_no,
    customers.org_nos,
    customers.of_this_office,
    customers.all_customers
from staging.stg_metering__feeders as feeders
inner join lateral (
    select
        string_agg(distinct accounts.org_no, ', ') as org_nos,
        count(distinct accounts.account_no) filter (where accounts.org_no = feeders.org_no) as of_this_office,
        count(distinct accounts.account_no) as all_customers
    from staging.stg_marketing__metering_points as points
    inner join staging.stg_marketing__customers as accounts on points.account_no = accounts.account_no
    where points.feeder_no = feeders.feeder_no and {{ is_valid_on('points', ':business_date') }}
) as customers on customers.all_customers > 0
where {{ is_valid_on('feeders', ':business_date') }}
-- violations
select
    {{ finding('org_no', account=false) }},
    org_no || ', ' || of_this_office || ' of ' || all_customers || ' customers' as observed,
    'the office of most of its customers, ' || org_nos as expected,
    'metering' as suspect_side
from tested
where of_this_office * 2 < all_customers
