/*
sentence: Every delivered value has the type that the contract states.
axis: mismatch
dimension: validity
severity: warn
owner: data engineering
reason: A row with a value that does not cast cannot land; it is kept as text in quality.rejected_rows until a good row of its key comes.
source: contract of each system, physicalType
subject: delivered row
not_tested: No row was rejected since the last correction.
population: rejected rows
reads: [quality.receipts, quality.rejected_rows]
*/
-- tested
select
    rejected.table_name,
    rejected.source_name,
    case
        when rejected.record_key = '{}'::jsonb
            then jsonb_build_object('file', rejected.file_name, 'line', rejected.file_line)
        else rejected.record_key
    end as record_key,
    rejected.column_name,
    rejected.value_text,
    rejected.reason,
    rejected.file_name,
    rejected.file_line,
    receipts.business_date as delivered_date,
    answered.load_id is not null as is_superseded
from quality.rejected_rows as rejected
inner join quality.receipts as receipts on rejected.load_id = receipts.load_id
left join quality.receipts as answered
    on rejected.superseded_by = answered.load_id and answered.business_date <= :business_date::date
where receipts.business_date <= :business_date::date
-- violations
select
    table_name,
    source_name,
    record_key,
    column_name,
    delivered_date as business_date,
    coalesce(value_text, '(no value)') as observed,
    reason || ' (' || coalesce(file_name, table_name) || ':' || file_line || ')' as expected
from tested
where not is_superseded
