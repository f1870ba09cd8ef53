-- A contact with a reachable number for every account that is in use: a mobile or a fixed number, whatever it is worth.
with customers as (
    select distinct on (account_no) *
    from {{ ref('stg_marketing__customers') }}
    order by account_no, _raw_id desc
),

contacts as (
    select * from {{ ref('stg_marketing__contacts') }}
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name = 'mkt_contact' and superseded_by is null
),

night as (
    select current_run.business_date
    from {{ source('quality', 'current_run') }} as current_run
),

arrived as (
    select account_no
    from contacts
    where num_nonnulls(nullif(btrim(mobile), ''), nullif(btrim(phone), '')) > 0
    union
    select btrim(row_text ->> 'cons_no')
    from rejected
),

due as (
    select
        account_no,
        {{ due_after('coalesce(connect_date, open_date)', 'contact') }} as since_date
    from customers
    where account_no is not null and status_code is distinct from 'CLOSED' and close_date is null
),

final as (
    select
        'contact' as what_code,
        due.account_no as owner_no,
        due.account_no,
        null::text as channel_code,
        jsonb_build_object('what', 'contact', 'cons_no', due.account_no) as record_key,
        null::date as period_date,
        due.since_date,
        true as is_whole,
        arrived.account_no is not null as is_arrived
    from due
    cross join night
    left join arrived on due.account_no = arrived.account_no
    where due.since_date is null or due.since_date <= night.business_date
)

select * from final
