/*
sentence: The rows in force of a table are those of the last published night, and what came, without what was withdrawn.
axis: missing
dimension: completeness
severity: block
owner: data engineering
reason: A row that is neither in force nor withdrawn was lost in the warehouse itself; missing rows that stay in force are counted beside.
source: project rule; include/quality/conservation.py
subject: table
gate: 2
population: tables of the contracts
reads: [quality.rows_in_force]
*/
-- tested
select
    jsonb_build_object('table', counted.table_name) as record_key,
    counted.table_name,
    counted.before_rows,
    counted.new_rows,
    counted.withdrawn_rows,
    counted.in_force_rows,
    counted.pending_rows
from quality.rows_in_force as counted
where counted.run_id = :run_id
-- violations
select
    record_key,
    table_name,
    in_force_rows || ' rows in force, ' || pending_rows || ' of them pending' as observed,
    before_rows || ' before + ' || new_rows || ' new - ' || withdrawn_rows || ' withdrawn' as expected
from tested
where in_force_rows <> before_rows + new_rows - withdrawn_rows
