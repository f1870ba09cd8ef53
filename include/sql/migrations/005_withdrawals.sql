-- What a delivery leaves out, restates and holds is judged before it counts: rows that are missing in unusual numbers stay in
-- force until somebody confirms that they are withdrawn.

-- A key that a delivery left out and that is not withdrawn yet; open while `decision` is null. Records, as the decisions are:
-- nothing rebuilds them. `blocks` is true where so many were left out that no later delivery alone confirms it.
create table quality.pending_withdrawals (
    pending_id bigint generated always as identity primary key,
    load_id bigint not null references quality.receipts (load_id),
    source_name text not null,
    table_name text not null,
    channel text not null,
    business_date date not null,
    _key uuid not null,
    record_key jsonb not null,
    office text,
    account_no text,
    event_date date,
    blocks boolean not null,
    decision text check (decision in ('confirmed', 'denied', 'replaced')),
    decided_by text check (decided_by in ('delivery', 'manifest', 'waiver', 'person')),
    decided_load_id bigint references quality.receipts (load_id),
    waiver_id bigint,
    approver text,
    reason text,
    decided_at timestamptz,
    check ((decision is null) = (decided_by is null))
);
create unique index pending_withdrawals_open
on quality.pending_withdrawals (table_name, channel, _key) where decision is null;
create index pending_withdrawals_by_load on quality.pending_withdrawals (load_id);

-- Rows in force before a delivery, and those it left out, where that was unusual: of the whole table (office null), by office.
create table quality.withdrawal_checks (
    load_id bigint not null references quality.receipts (load_id),
    office text,
    in_force_rows bigint not null,
    absent_rows bigint not null,
    is_pending boolean not null,
    blocks boolean not null,
    unique nulls not distinct (load_id, office)
);

alter table quality.receipts add column pending_rows bigint not null default 0;
alter table quality.receipts add column announced_withdrawals bigint; -- rows that the manifest says were taken out

-- Rows of a delivery by office, null where the table has none: what the volume band compares.
create table quality.delivered_rows (
    load_id bigint not null references quality.receipts (load_id),
    office text,
    rows bigint not null,
    unique nulls not distinct (load_id, office)
);

-- A delivery that replaced an unusual share of what was in force, or whose days and months are exchanged. `pairs` are examples
-- of old and new, `exchanged` days delivered and the days that they are. Superseded where later loads replaced all its rows.
create table quality.restatements (
    load_id bigint primary key references quality.receipts (load_id),
    table_name text not null,
    in_force_rows bigint not null,
    replaced_rows bigint not null,
    is_unusual boolean not null,
    days integer,
    first_day date,
    last_day date,
    pairs jsonb not null default '[]',
    exchanged jsonb not null default '[]',
    superseded_by bigint references quality.receipts (load_id)
);

-- Per run and table: keys in force at the last published run, what came and went since, and keys in force now.
create table quality.rows_in_force (
    run_id bigint not null references quality.runs (run_id),
    table_name text not null,
    before_rows bigint not null,
    new_rows bigint not null,
    withdrawn_rows bigint not null,
    in_force_rows bigint not null,
    pending_rows bigint not null,
    primary key (run_id, table_name)
);
