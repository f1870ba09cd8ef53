/*
sentence: A delivery has about as many rows, of its table and of each office, as on the nights of the same day type among the last {nights}.
axis: missing
dimension: completeness
severity: warn
owner: data engineering
reason: A row that never came before is missed by no key, only by the number of rows.
source: project rule
subject: table and office
not_tested: No table has enough nights of this day type.
population: tables that arrived, by office, with enough nights of the same day type behind them
reads: [quality.delivered_rows, quality.receipts, working_days]
parameters: [nights, least_nights, deviations, roots, least_rows]
*/
-- tested
with deliveries as (
    -- of each file of a night the content that came last counts, of a source database the last answer
    select distinct on (receipts.table_name, receipts.business_date, receipts.file_name)
        receipts.load_id,
        receipts.source_name,
        receipts.table_name,
        receipts.business_date
    from quality.receipts
    where
        receipts.state = 'landed'
        and receipts.channel = 'auto'
        and (receipts.file_name is not null or receipts.duplicate_of is null)
        and receipts.business_date <= :business_date::date
        and receipts.business_date
        >= :business_date::date - :nights::integer
    order by receipts.table_name, receipts.business_date, receipts.file_name, receipts.load_id desc
),

nights as (
    select deliveries.*, working_days.is_working_day
    from deliveries
    inner join staging.working_days as working_days on deliveries.business_date = working_days.date
),

offices as (
    select distinct nights.table_name, arrived.office
    from nights
    inner join quality.delivered_rows as arrived on nights.load_id = arrived.load_id
    where arrived.office is not null
),

-- an empty office is the whole table
counted as (
    select
        nights.source_name,
        nights.table_name,
        '' as office,
        nights.business_date,
        nights.is_working_day,
        sum(coalesce(arrived.rows, 0)) as rows
    from nights
    left join quality.delivered_rows as arrived on nights.load_id = arrived.load_id
    group by nights.source_name, nights.table_name, nights.business_date, nights.is_working_day
    union all
    select
        nights.source_name,
        nights.table_name,
        offices.office,
        nights.business_date,
        nights.is_working_day,
        sum(coalesce(arrived.rows, 0)) as rows
    from nights
    inner join offices on nights.table_name = offices.table_name
    left join quality.delivered_rows as arrived
        on nights.load_id = arrived.load_id and offices.office = arrived.office
    group by nights.source_name, nights.table_name, offices.office, nights.business_date, nights.is_working_day
),

compared as (
    select tonight.source_name, tonight.table_name, tonight.office, tonight.rows, before.rows as rows_before
    from counted as tonight
    inner join counted as before
        on
            tonight.table_name = before.table_name
            and tonight.office = before.office
            and tonight.is_working_day = before.is_working_day
            and before.business_date < tonight.business_date
    where tonight.business_date = :business_date::date
),

medians as (
    select
        table_name,
        office,
        count(*) as nights,
        percentile_cont(0.5) within group (order by rows_before::double precision) as median
    from compared
    group by table_name, office
    having count(*) >= :least_nights
),

bands as (
    select
        medians.table_name,
        medians.office,
        medians.nights,
        medians.median,
        compared.source_name,
        compared.rows,
        percentile_cont(0.5) within group (order by abs(compared.rows_before - medians.median)) as median_deviation
    from medians
    inner join compared on medians.table_name = compared.table_name and medians.office = compared.office
    group by 1, 2, 3, 4, 5, 6
)

select
    jsonb_strip_nulls(jsonb_build_object('table', table_name, 'office', nullif(office, ''))) as record_key,
    source_name,
    table_name,
    rows,
    nights,
    median,
    greatest(
        :deviations::double precision * median_deviation,
        :roots::double precision * sqrt(median),
        :least_rows::double precision
    ) as tolerance
from bands
-- violations
select
    record_key,
    source_name,
    table_name,
    rows || ' rows' as observed,
    greatest(0, ceil(median - tolerance)) || ' to ' || floor(median + tolerance) || ' rows, as on ' || nights
    || ' nights of this day type' as expected
from tested
where abs(rows - median) > tolerance
