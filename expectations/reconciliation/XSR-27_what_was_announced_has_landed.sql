/*
sentence: A delivery lands with as many rows, and the same sums of energy and yuan, as its source announced.
axis: missing
dimension: completeness
severity: block
owner: data quality office
reason: A delivery cut short looks like a quiet day.
source: project rule
at_stake: "No money: what has not landed has no account; the announced sums stand in the finding."
likely_wrong: "Undetermined: the source announced and delivered, and one of the two is wrong."
subject: table
not_tested: No delivery of tonight announced rows.
population: deliveries of tonight that announced rows
tests: window
reads: [quality.receipts, quality.runs]
*/
-- tested
with tonight as (
    select
        receipts.*,
        exists (
            select 1
            from quality.receipts as later
            where
                later.table_name = receipts.table_name
                and later.business_date = receipts.business_date
                and later.channel = receipts.channel
                and later.state = 'landed'
                and later.load_id > receipts.load_id
        ) as was_repeated
    from quality.receipts as receipts
    where
        -- a late file is dated earlier, and landed since the nights of earlier dates
        (
            receipts.business_date = :business_date
            or receipts.business_date < :business_date
            and receipts.load_id > (
                select coalesce(max(runs.last_load_id), 0)
                from quality.runs as runs
                where runs.business_date < :business_date
            )
        )
        and receipts.announced_rows is not null
        and receipts.duplicate_of is null
),

-- A rejected value is in no sum; it has a finding of its own.
sums as (
    select
        tonight.load_id,
        string_agg(
            announced.key || ' ' || (tonight.landed_sums ->> announced.key) || ' of ' || announced.value, '; ' order by announced.key
        ) as differing
    from tonight
    cross join lateral jsonb_each_text(coalesce(tonight.announced_sums, '{}')) as announced
    where
        tonight.state = 'landed'
        and tonight.rejected_rows = 0
        and (tonight.landed_sums ->> announced.key)::numeric <> announced.value::numeric
    group by tonight.load_id
)

select
    jsonb_build_object('table', tonight.table_name) as record_key,
    tonight.source_name,
    tonight.table_name,
    tonight.file_name,
    tonight.announced_rows,
    tonight.delivered_rows,
    sums.differing
from tonight
left join sums on tonight.load_id = sums.load_id
-- A refused delivery that came again is answered by the later one.
where tonight.state = 'landed' or not tonight.was_repeated
-- violations
select
    record_key,
    min(source_name) as source_name,
    min(table_name) as table_name,
    string_agg(
        coalesce(file_name || ': ', '')
        || case when announced_rows <> delivered_rows then delivered_rows || ' of ' || announced_rows || ' rows' else differing end,
        '; ' order by file_name
    ) as observed,
    'rows and sums as announced' as expected
from tested
where announced_rows <> delivered_rows or differing is not null
group by record_key
