-- Publishing: one stable table per mart (made by include/publish), one pointer row per month, and what was published when.

create table if not exists publish.pointer (
    published_month date primary key check (published_month = date_trunc('month', published_month)),
    version integer not null,
    business_date date not null,
    run_id bigint not null,
    published_at timestamptz not null,
    held_back_rows bigint not null,
    held_back_share numeric(9, 8) not null,
    held_back_kwh numeric(20, 4) not null,
    held_back_cny numeric(20, 2) not null,
    pinned_by text,
    pinned_reason text,
    pinned_at timestamptz
);

-- Records: what each version of a month holds per mart. `last_business_date` is the last D that found it still true;
-- `deleted_at` says when retention took its rows away, the record stays.
create table if not exists publish.versions (
    published_month date not null,
    version integer not null,
    mart text not null,
    business_date date not null,
    last_business_date date not null,
    run_id bigint not null,
    rows bigint not null,
    hash text not null,
    published_at timestamptz not null,
    deleted_at timestamptz,
    primary key (published_month, version, mart)
);
alter table publish.versions add column if not exists example_key text; -- a row of it, as ./kaw trace takes it

-- Records: every move of a pointer. Version 0 is no version: nothing of that month is shown.
create table if not exists publish.pointer_moves (
    move_id bigint generated always as identity primary key,
    published_month date not null,
    event text not null check (event in ('publish', 'roll_back', 'release')),
    from_version integer not null,
    to_version integer not null,
    run_id bigint not null,
    business_date date not null,
    moved_at timestamptz not null,
    actor text not null
);

-- The closing version of each month that is over: what was known when it closed. It is the first version that a run of the
-- month's last day or later found true, and was not rolled back; the views marts.<mart>_at_close show it.
create table if not exists publish.closing (
    published_month date primary key,
    version integer not null
);

create or replace function publish.note_closing() returns void
language sql as $$
    with versions as (
        select published_month, version, max(last_business_date) as last_business_date
        from publish.versions
        where deleted_at is null
        group by published_month, version
    ),

    chosen as (
        select distinct on (versions.published_month) versions.published_month, versions.version
        from versions
        where
            versions.last_business_date >= (versions.published_month + interval '1 month - 1 day')::date
            and not exists (
                select 1
                from publish.pointer_moves as moves
                where
                    moves.event = 'roll_back'
                    and moves.published_month = versions.published_month
                    and moves.from_version = versions.version
            )
        order by versions.published_month, versions.last_business_date, versions.version desc
    ),

    reopened as (
        delete from publish.closing
        where not exists (select 1 from chosen where chosen.published_month = closing.published_month)
    )

    insert into publish.closing (published_month, version)
    select published_month, version from chosen
    on conflict (published_month) do update set version = excluded.version where closing.version <> excluded.version
$$;

create or replace view marts.publication with (security_invoker = true) as
select
    published_month,
    version,
    business_date,
    published_at,
    held_back_rows,
    held_back_share,
    held_back_kwh,
    held_back_cny,
    case when pinned_by is null then 'published' else 'pinned' end as state
from publish.pointer
where version > 0;

comment on view marts.publication is
'What readers see now, one row per month: version of all marts, the business date it knows, and what was held back.';
comment on column marts.publication.published_month is 'First day of the month that the row is about.';
comment on column marts.publication.version is 'Version of the month, one number for all marts; rises with each change.';
comment on column marts.publication.business_date is 'Last business date whose run found this version true (Asia/Shanghai).';
comment on column marts.publication.published_at is 'Instant at which that run published.';
comment on column marts.publication.held_back_rows is 'Source rows quarantined or held at that publish.';
comment on column marts.publication.held_back_share is 'held_back_rows over them and all rows admitted, 0 to 1.';
comment on column marts.publication.held_back_kwh is 'Energy at stake in the rows held back, kWh.';
comment on column marts.publication.held_back_cny is 'Amount at stake in the rows held back, yuan.';
comment on column marts.publication.state is 'published, or pinned: rolled back and kept there until released.';

-- Row-level security of a published table. The policies for readers include the pointer and the closing version, or other
-- versions would show. The owner, who publishes, is not subject to it; roles that the server does not have are passed over.
create or replace function publish.protect(mart text) returns void
language plpgsql as $$
declare
    target regclass := format('publish.%I', mart)::regclass;
    wanted record;
begin
    if not (select relrowsecurity from pg_class where oid = target) then
        execute format('alter table %s enable row level security', target);
    end if;
    for wanted in
        select *
        from (values
            ('kaw_bi_reader', 'readers_see_the_pointed_version', 'select', format(
                'exists (select 1 from publish.pointer where pointer.published_month = %1$I.published_month'
                ' and pointer.version = %1$I.version)', mart)),
            ('kaw_bi_reader', 'readers_see_the_closing_version', 'select', format(
                'exists (select 1 from publish.closing where closing.published_month = %1$I.published_month'
                ' and closing.version = %1$I.version)', mart)),
            ('kaw_auditor', 'auditors_see_every_version', 'select', 'true'),
            ('kaw_publisher', 'publishers_write_every_version', 'all', 'true')
        ) as policies (role_name, policy_name, command, condition)
    loop
        if exists (select 1 from pg_roles where rolname = wanted.role_name)
            and not exists (select 1 from pg_policy where polrelid = target and polname = wanted.policy_name) then
            execute format('create policy %I on %s for %s to %I using (%s)',
                wanted.policy_name, target, wanted.command, wanted.role_name, wanted.condition);
        end if;
    end loop;
end
$$;
