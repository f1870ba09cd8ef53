/*
sentence: The quarantined rows of a table stay below its limit, a share and a number of its current rows.
axis: mismatch
dimension: validity
severity: block
owner: data engineering
reason: A few bad rows are withheld one by one; when a whole part of a table is bad, the marts would be wrong by omission.
source: seed quality_limits
subject: table
population: tables with rows
reads: [quality.rule_book, quality.staged_rows, quality.violations, quality_limits]
*/
-- tested
select
    jsonb_build_object('table', staged_rows.table_name) as record_key,
    staged_rows.table_name,
    staged_rows.rows,
    coalesce(found.rows, 0) as quarantined_rows,
    share.value as share_limit,
    number.value as rows_limit
from quality.staged_rows
inner join staging.quality_limits as share
    on share.name = 'quarantined_share'
    and share.valid_from <= :business_date::date and coalesce(share.valid_to, 'infinity'::date) > :business_date::date
inner join staging.quality_limits as number
    on number.name = 'quarantined_rows'
    and number.valid_from <= :business_date::date and coalesce(number.valid_to, 'infinity'::date) > :business_date::date
left join (
    -- a waived violation quarantines nothing; arbitrary fill is common and never blocks a table; all that miss one row are one
    select violations.table_name, count(distinct coalesce(violations.cause::text, violations.raw_id::text)) as rows
    from quality.violations
    where
        violations.run_id = :run_id
        and violations.severity = 'quarantine'
        and violations.rule_id not in (select rule_book.rule_id from quality.rule_book where rule_book.axis = 'arbitrary')
        and quality.waiver_for(
            violations.rule_id, violations.table_name, violations.account_no, violations.record_key, :business_date::date
        ) is null
    group by violations.table_name
) as found on staged_rows.table_name = found.table_name
where staged_rows.run_id = :run_id
-- violations
select
    record_key,
    table_name,
    quarantined_rows || ' of ' || rows || ' rows quarantined' as observed,
    'at most ' || round(100 * share_limit, 1) || ' % or ' || rows_limit || ' rows' as expected
from tested
where quarantined_rows > rows_limit and quarantined_rows > share_limit * rows
