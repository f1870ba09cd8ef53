/*
sentence: Every delivered row is admitted, waived, quarantined, blocked by its parent, superseded, a duplicate or rejected, and only one of these.
axis: missing
dimension: completeness
severity: block
owner: data engineering
reason: A row that is in no state was lost, a row in two was counted twice; either way the marts cannot be proved.
source: project rule; include/quality/conservation.py
subject: receipt
gate: 2
population: receipts
reads: [quality.conservation]
*/
-- tested
select
    jsonb_build_object('load_id', conservation.load_id, 'table', conservation.table_name) as record_key,
    conservation.table_name,
    conservation.delivered,
    conservation.admitted + conservation.waived + conservation.quarantined + conservation.blocked_by_parent
    + conservation.superseded + conservation.duplicate + conservation.rejected as accounted
from quality.conservation
where conservation.run_id = :run_id
-- violations
select
    record_key,
    table_name,
    accounted || ' rows accounted for' as observed,
    delivered || ' rows delivered' as expected
from tested
where accounted <> delivered
