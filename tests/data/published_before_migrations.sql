-- What the code before migrations had published and recorded: synthetic, two versions of July, the second shown.
insert into quality.runs (business_date, state) values ('2026-07-09', 'published'), ('2026-07-10', 'published');
insert into quality.retested values (2, 7);
insert into quality.fences values ('build_warehouse', 41);
insert into quality.conservation values (2, 1, 'mkt_bill', 9, 7, 0, 1, 1, 0, 0, 0);
insert into quality.quarantined_rows values
('marketing', 'mkt_bill', 1, 'quarantined', '{MKT-21}', '{}', 'A1', 100, 60, 2, null, null),
('marketing', 'mkt_bill_line', 2, 'held', '{MKT-21}', '{}', 'A1', null, 40, 2, null, null);
insert into quality.quarantine_events
select 2, source_name, table_name, raw_id, state, rule_ids, record_key, account_no,
    energy_at_stake_kwh, amount_at_stake_cny, from_run
from quality.quarantined_rows;

create table publish.mart_key_account_360 (
    published_month date not null, version integer not null, account_no text, dq_status text,
    held_back_rows integer, held_back_kwh numeric(20, 4), held_back_cny numeric(20, 2)
);
create view marts.mart_key_account_360 with (security_invoker = true) as
select
    versions.published_month, versions.version, versions.account_no, versions.dq_status,
    versions.held_back_rows, versions.held_back_kwh, versions.held_back_cny
from publish.mart_key_account_360 as versions
inner join publish.pointer
    on versions.published_month = pointer.published_month and versions.version = pointer.version;
create view marts.mart_key_account_360_at_close with (security_invoker = true) as
select
    versions.published_month, versions.version, versions.account_no, versions.dq_status,
    versions.held_back_rows, versions.held_back_kwh, versions.held_back_cny
from publish.mart_key_account_360 as versions
inner join publish.closing
    on versions.published_month = closing.published_month and versions.version = closing.version;

insert into publish.mart_key_account_360 values
('2026-07-01', 1, 'A1', 'CLEAN', 0, 0, 0), ('2026-07-01', 2, 'A1', 'HELD_BACK', 2, 100, 100);
insert into publish.pointer
values ('2026-07-01', 2, '2026-07-10', 2, '2026-07-11 01:00+08', 2, 0.22222222, 100, 100);
