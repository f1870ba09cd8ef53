/*
sentence: An account with two supplies in its contract has metering points on two feeders in marketing.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A backup that is agreed and not built fails when it is needed.
source: project rule
at_stake: "No money: the backup fee is in no delivery."
likely_wrong: "Undetermined: the feeder that was built is in no third record."
subject: con_contract
not_tested: No account has both sides.
population: contracts in force with feeders in marketing
reads: [int_contracts_in_force, stg_marketing__metering_points]
compares: [marketing.mkt_mp.feeder_no, contract.con_contract.supply_mode]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.supply_mode_code,
    feeders.feeders
from {{ contracts_in_force() }} as contracts
inner join {{ one_each(
    'staging.stg_marketing__metering_points', 'account_no', 'distinct feeder_no', 'count', 'feeders',
    is_in_period(':business_date', 'valid_from', 'valid_to') ~ " and nullif(feeder_no, '') is not null"
) }} as feeders on contracts.account_no = feeders.account_no
-- violations
select
    {{ finding('supply_mode') }},
    supply_mode_code || ' in the contract' as observed,
    feeders || ' feeders in marketing' as expected
from tested
where (supply_mode_code = 'SINGLE' and feeders > 1) or (supply_mode_code <> 'SINGLE' and feeders < 2)
