with units as (
    select * from {{ ref('dim_source_units') }}
),

receipts as (
    select * from {{ source('quality', 'receipts') }}
    where state = 'landed' and business_date <= {{ business_date() }}
),

accounts as (
    select distinct on (account_no)
        account_no,
        org_no
    from {{ ref('stg_marketing__customers') }}
    order by account_no, _raw_id desc
),

curves as not materialized (
    select * from {{ ref('int_curves_validated') }}
),

landed as (
    select * from {{ ref('int_unit_rows_landed') }}
),

-- Metering says of each curve when it was received: that tells one organisation's silence from another's. Of each account the
-- newest day is found by an index, and only curves of the organisation's newest day are read.
newest_days as (
    select
        accounts.org_no,
        max(newest.reading_date) as delivered_date
    from accounts
    cross join lateral (
        select max(curves.reading_date) as reading_date
        from curves
        where curves.account_no = accounts.account_no
    ) as newest
    where newest.reading_date is not null
    group by accounts.org_no
),

curves_by_day as (
    select
        newest_days.org_no,
        newest_days.delivered_date,
        max(of_account.received_at) as received_at,
        sum(of_account.delivered_rows) as delivered_rows
    from newest_days
    inner join accounts on newest_days.org_no = accounts.org_no
    cross join lateral (
        select
            max(curves.received_at) as received_at,
            count(*) as delivered_rows
        from curves
        where curves.account_no = accounts.account_no and curves.reading_date = newest_days.delivered_date
    ) as of_account
    group by newest_days.org_no, newest_days.delivered_date
),

-- The other systems deliver whole tables: what is delivered on a day is known to the end of that day.
tables_by_source as (
    select
        source_name,
        max(business_date) as delivered_date
    from receipts
    where channel = 'auto'
    group by source_name
),

rows_by_org as (
    select
        landed.source_name,
        accounts.org_no,
        receipts.business_date as delivered_date,
        sum(landed.landed_rows) as delivered_rows
    from landed
    inner join accounts on landed.account_no = accounts.account_no
    inner join receipts on landed._load_id = receipts.load_id
    group by landed.source_name, accounts.org_no, receipts.business_date
),

-- A form's file begins with the number of its unit; it counts for the day in its name, even where it says what the form before
-- said, and once, however often it was corrected. One without a day that merely lies there is no new delivery.
forms as (
    select distinct on (units.unit_no, receipts.table_name, dated.delivered_date)
        units.unit_no,
        dated.delivered_date,
        receipts.delivered_rows
    from units
    inner join receipts on split_part(receipts.file_name, '/', -1) like units.unit_no || '\_%'
    cross join lateral (
        select
            coalesce(
                {{ date_of_file('receipts.file_name') }},
                case when receipts.duplicate_of is null then receipts.business_date end
            ) as delivered_date
    ) as dated
    where receipts.channel = 'form' and dated.delivered_date is not null
    order by units.unit_no, receipts.table_name, dated.delivered_date, receipts.load_id desc
),

forms_by_day as (
    select distinct on (unit_no)
        unit_no,
        delivered_date,
        sum(delivered_rows) as delivered_rows
    from forms
    group by unit_no, delivered_date
    order by unit_no, delivered_date desc
),

final as (
    select
        units.unit_no,
        delivered.delivered_date as last_delivered_date,
        coalesce(delivered.received_at, {{ day_start_at('delivered.delivered_date + 1') }}) as last_received_at,
        coalesce(delivered.delivered_rows, 0)::integer as rows_last
    from units
    left join curves_by_day on units.org_no = curves_by_day.org_no
    left join tables_by_source on units.source_name = tables_by_source.source_name
    left join rows_by_org
        on
            units.source_name = rows_by_org.source_name
            and units.org_no = rows_by_org.org_no
            and tables_by_source.delivered_date = rows_by_org.delivered_date
    left join forms_by_day on units.unit_no = forms_by_day.unit_no
    cross join lateral (
        select
            forms_by_day.delivered_date,
            null::timestamptz as received_at,
            forms_by_day.delivered_rows
        where units.access_mode_code = 'FORM'
        union all
        select
            curves_by_day.delivered_date,
            curves_by_day.received_at,
            curves_by_day.delivered_rows
        where units.access_mode_code <> 'FORM' and units.source_name = 'metering'
        union all
        select
            tables_by_source.delivered_date,
            null,
            rows_by_org.delivered_rows
        where units.access_mode_code <> 'FORM' and units.source_name <> 'metering'
    ) as delivered
    where delivered.delivered_date is not null
)

select * from final
