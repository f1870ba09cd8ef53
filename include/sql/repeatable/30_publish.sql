-- Publishing: which version of a month closed it, what readers see of the publish, and who sees which version.

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
    withheld_rows,
    withheld_share,
    withheld_kwh,
    withheld_cny,
    case when pinned_by is null then 'published' else 'pinned' end as state,
    -- former names, until the next release: CHANGELOG.md
    withheld_rows as held_back_rows,
    withheld_share as held_back_share,
    withheld_kwh as held_back_kwh,
    withheld_cny as held_back_cny
from publish.pointer
where version > 0;

comment on view marts.publication is
'What readers see now, one row per month: version of all marts, the business date it knows, and what was withheld.';
comment on column marts.publication.published_month is 'First day of the month that the row is about.';
comment on column marts.publication.version is 'Version of the month, one number for all marts; rises with each change.';
comment on column marts.publication.business_date is 'Last business date whose run found this version true (Asia/Shanghai).';
comment on column marts.publication.published_at is 'Instant at which that run published.';
comment on column marts.publication.withheld_rows is 'Source rows withheld at that publish: quarantined, or blocked by a parent.';
comment on column marts.publication.withheld_share is 'withheld_rows over them and all rows admitted, 0 to 1.';
comment on column marts.publication.withheld_kwh is 'Energy at stake in the withheld rows, kWh.';
comment on column marts.publication.withheld_cny is 'Amount at stake in the withheld rows, yuan.';
comment on column marts.publication.state is 'published, or pinned: rolled back and kept there until released.';
comment on column marts.publication.held_back_rows is 'Former name of withheld_rows, until the next release.';
comment on column marts.publication.held_back_share is 'Former name of withheld_share, until the next release.';
comment on column marts.publication.held_back_kwh is 'Former name of withheld_kwh, until the next release.';
comment on column marts.publication.held_back_cny is 'Former name of withheld_cny, until the next release.';

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
            ('kaw_reader', 'reading_commands_see_every_version', 'select', 'true'),
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
