/*
sentence: An account on the list of a plan is supplied from the plan's feeder, by one archive at least.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A customer of another feeder is warned for nothing, and its neighbour is not.
source: requirement S23
at_stake: "No money: a notice has no price."
likely_wrong: "Undetermined: the list, or the feeder of the plan. No archive has the account on it."
subject: mkt_outage_affected
not_tested: No plan names the feeder of an account that is known.
population: accounts on the list of a plan that names its feeder, where a feeder of the account is known
reads:
  - int_account_feeders
  - stg_marketing__outage_affected_accounts
  - stg_marketing__outage_plans
compares: [marketing.mkt_outage_affected.cons_no, metering.met_measuring_point.feeder_no, contract.con_contract.main_feeder_no]
*/
-- tested
select
    {{ row_of('affected') }},
    plans.feeder_no,
    {{ local_date('plans.planned_start_at') }} as planned_date,
    string_agg(distinct feeders.feeder_no, ', ' order by feeders.feeder_no) as feeders_known,
    bool_or(feeders.feeder_no = plans.feeder_no) as hangs_on_it
from staging.stg_marketing__outage_affected_accounts as affected
inner join staging.stg_marketing__outage_plans as plans on affected.plan_no = plans.plan_no
inner join staging.int_account_feeders as feeders on affected.account_no = feeders.account_no
where nullif(plans.feeder_no, '') is not null
group by affected._raw_id, affected.account_no, plans.feeder_no, plans.planned_start_at
-- violations
select
    {{ finding('cons_no', day='planned_date') }},
    'supplied from ' || feeders_known as observed,
    'supplied from ' || feeder_no || ', the feeder of the plan' as expected
from tested
where not hangs_on_it
