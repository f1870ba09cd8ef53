-- Rows that are in force although the last delivery of their table left them out. `event_month` and `event_date` are those of an
-- event; null for a row that is true of every month until it is withdrawn. `account_no` is null where the row names no account.
create or replace view quality.open_withdrawals as
select
    pending_id,
    load_id,
    source_name,
    table_name,
    business_date,
    _key,
    record_key,
    office,
    account_no,
    date_trunc('month', event_date)::date as event_month,
    blocks,
    event_date
from quality.pending_withdrawals
where decision is null;
