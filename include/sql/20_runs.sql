-- Runs, fences and receipts: what was asked for, what came, who may write.

create table if not exists quality.runs (
    run_id bigint generated always as identity primary key,
    business_date date not null,
    state text not null default 'running' check (state in ('running', 'blocked', 'passed', 'published', 'failed')),
    last_load_id bigint not null default 0,
    code_version text,
    verdict jsonb,
    started_at timestamptz not null default now(),
    finished_at timestamptz
);

-- Exactly one row: the run at work. Models and rules read D and the phase here.
create table if not exists quality.current_run (
    only_row boolean primary key default true check (only_row),
    run_id bigint not null,
    business_date date not null,
    phase text not null check (phase in ('gate', 'admit')),
    last_passed_load_id bigint not null,
    collection_start date not null
);

-- A writer carries its fence as the setting kaw.fence = '<scope>:<number>'; a later run of the scope takes a higher one.
create table if not exists quality.fences (
    scope text primary key,
    fence bigint not null
);

create or replace function quality.assert_fence() returns void
language plpgsql security definer set search_path = quality, pg_temp as $$
declare
    held text := nullif(current_setting('kaw.fence', true), '');
    newest bigint;
begin
    if held is null then
        return;
    end if;
    select fence into newest from quality.fences where scope = split_part(held, ':', 1) for share;
    if newest > split_part(held, ':', 2)::bigint then
        raise exception 'fenced off: a later run of % took fence %, this one holds %',
            split_part(held, ':', 1), newest, split_part(held, ':', 2)
            using errcode = 'object_not_in_prerequisite_state';
    end if;
end
$$;

create table if not exists quality.receipts (
    load_id bigint generated always as identity primary key,
    source_name text not null,
    table_name text not null,
    channel text not null check (channel in ('auto', 'form')),
    business_date date not null,
    window_from timestamptz,
    window_to timestamptz,
    announced_rows bigint,
    announced_sums jsonb,
    landed_sums jsonb,
    delivered_rows bigint not null default 0,
    inserted_rows bigint not null default 0,
    duplicate_rows bigint not null default 0,
    rejected_rows bigint not null default 0,
    tombstone_rows bigint not null default 0,
    unknown_columns text[] not null default '{}',
    content_sha256 text,
    file_name text,
    duplicate_of bigint references quality.receipts (load_id),
    state text not null check (state in ('landed', 'refused')),
    problem text,
    fence bigint default nullif(split_part(current_setting('kaw.fence', true), ':', 2), '')::bigint,  -- the extraction it came in
    landed_at timestamptz not null default clock_timestamp()
);
-- Event days for which the delivery is the whole truth, so that an absent row is a withdrawn one; null: for none.
alter table quality.receipts add column if not exists complete_for daterange;
create index if not exists receipts_by_table on quality.receipts (table_name, business_date);
create index if not exists receipts_by_content on quality.receipts (table_name, content_sha256);

create table if not exists quality.rejected_rows (
    load_id bigint not null references quality.receipts (load_id),
    source_name text not null,
    table_name text not null,
    file_name text,
    file_line bigint,
    column_name text not null,
    value_text text,
    reason text not null,
    record_key jsonb not null,
    _key uuid,
    row_text jsonb not null,
    superseded_by bigint references quality.receipts (load_id)
);
create index if not exists rejected_rows_by_key on quality.rejected_rows (table_name, _key);

-- Keys that a form, or one of several files of a whole table, held as they were already known; raw has no row of it. A
-- file that arrives late has to know what the next delivery held.
create table if not exists quality.repeated_keys (
    load_id bigint not null references quality.receipts (load_id),
    _key uuid not null,
    primary key (load_id, _key)
);

create table if not exists quality.touched_keys (
    table_name text not null,
    _key uuid not null
);
