/*
sentence: A hazard that was rectified has the result of a recheck.
axis: missing
dimension: completeness
severity: quarantine
owner: marketing office
reason: A hazard is closed by whoever looked again, not by whoever says so.
source: requirement S26
subject: mkt_hazard
quarantines: mkt_hazard
not_tested: No hazard was rectified.
population: rectified hazards
reads: [stg_marketing__hazards, stg_marketing__inspections]
*/
-- tested
select
    {{ row_of('hazards', account='inspections') }},
    hazards.rectified_date,
    hazards.recheck_result_code
from staging.stg_marketing__hazards as hazards
left join {{ one_each('staging.stg_marketing__inspections', 'inspection_no', 'account_no') }} as inspections
    on hazards.inspection_no = inspections.inspection_no
where hazards.rectified_date is not null
-- violations
select
    {{ finding('recheck_result') }},
    'empty, rectified on ' || rectified_date as observed,
    'the result of a recheck' as expected
from tested
where recheck_result_code is null
