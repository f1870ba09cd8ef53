/*
sentence: A contract with two supplies names a backup feeder that is not the main feeder.
axis: mismatch
dimension: consistency
severity: quarantine
owner: contract office
reason: Two supplies from one feeder fail together.
source: project rule
subject: con_contract
quarantines: con_contract
implies: [XSR-16]
not_tested: No contract has a second supply.
population: contract versions with a second supply
reads: [stg_contract__contracts]
*/
-- tested
select
    {{ row_of('contracts') }},
    contracts.main_feeder_no,
    contracts.backup_feeder_no
from staging.stg_contract__contracts as contracts
where contracts.supply_mode_code in ('DUAL_SOURCE', 'DUAL_CIRCUIT', 'MULTI') and contracts.status_code <> 'DRAFT'
-- violations
select
    {{ finding('backup_feeder_no') }},
    coalesce(nullif(backup_feeder_no, ''), 'empty') as observed,
    'another feeder than ' || coalesce(main_feeder_no, '(empty)') as expected
from tested
where nullif(backup_feeder_no, '') is null or backup_feeder_no = main_feeder_no
