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
reads: [quality.receipt_states]
*/
-- tested
select
    jsonb_build_object('load_id', states.load_id, 'table', states.table_name) as record_key,
    states.table_name,
    states.delivered,
    states.admitted + states.waived + states.quarantined + states.blocked_by_parent
    + states.superseded + states.duplicate + states.rejected as accounted
from quality.receipt_states as states
-- violations
select
    record_key,
    table_name,
    accounted || ' rows accounted for' as observed,
    delivered || ' rows delivered' as expected
from tested
where accounted <> delivered
