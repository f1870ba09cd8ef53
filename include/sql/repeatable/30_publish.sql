-- Publishing: which version of a month closed it, what readers see of the publish, and who sees which version.

-- Whether a version of a month has a stored row, which is of all versions from `since` on, up to before `until_version` (null: the
-- newest has it). The one place that states it. Not strict and without settings, so that it is inlined.
create or replace function publish.has_row(version integer, since integer, until_version integer) returns boolean
language sql immutable parallel safe as $$
    select since <= version and (until_version is null or until_version > version)
$$;

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

-- Managers at work and their accounts as the published bridge and dimension have them on the business date of its month.
-- Called with every move of the pointers, a roll-back too; only what differs is written. Where nothing is published any more
-- nobody has an account.
create or replace function publish.note_managers() returns void
language plpgsql as $$
declare
    shown publish.pointer;
begin
    if to_regclass('publish.bridge_account_managers') is null or to_regclass('publish.dim_managers') is null then
        return;
    end if;
    -- a mart may have months after the business date, where managers and bridge have no rows
    select * into shown
    from publish.pointer
    where version > 0 and published_month <= business_date
    order by published_month desc
    limit 1;

    with at_work as (
        select distinct on (manager_no) manager_no, org_no
        from publish.dim_managers
        where
            published_month = shown.published_month
            and publish.has_row(shown.version, version, until_version)
            and valid_from <= shown.business_date
            and (valid_to is null or valid_to > shown.business_date)
            and (left_date is null or left_date > shown.business_date)
        order by manager_no, valid_from desc
    ),

    gone as (
        delete from publish.managers
        where not exists (select 1 from at_work where at_work.manager_no = managers.manager_no)
    )

    insert into publish.managers (manager_no, org_no)
    select manager_no, org_no from at_work
    on conflict (manager_no) do update set org_no = excluded.org_no where managers.org_no is distinct from excluded.org_no;

    with assigned as (
        select distinct bridge.manager_no, bridge.account_no
        from publish.bridge_account_managers as bridge
        inner join publish.managers on bridge.manager_no = managers.manager_no
        where
            bridge.published_month = shown.published_month
            and publish.has_row(shown.version, bridge.version, bridge.until_version)
            and bridge.assign_role_code = 'PRIMARY'
            and bridge.valid_from <= shown.business_date
            and (bridge.valid_to is null or bridge.valid_to > shown.business_date)
    ),

    gone as (
        delete from publish.manager_accounts
        where
            not exists (
                select 1
                from assigned
                where assigned.manager_no = manager_accounts.manager_no and assigned.account_no = manager_accounts.account_no
            )
    )

    insert into publish.manager_accounts (manager_no, account_no)
    select manager_no, account_no from assigned
    on conflict do nothing;
end
$$;

-- The condition on a row of a published table that its month's version, as `chosen` has it (pointer or closing), holds it.
create or replace function publish.is_row_of(chosen text, mart text) returns text
language sql immutable as $$
    select format(
        'exists (select 1 from publish.%1$I where %1$I.published_month = %2$I.published_month'
        ' and publish.has_row(%1$I.version, %2$I.version, %2$I.until_version))',
        chosen, mart
    )
$$;

-- Row-level security of a published table. The policies for readers include the pointer and the closing version, or other
-- versions would show. An account manager has the same two of their own, and a restrictive one by the relation's scope: a
-- login that had other roles too would still see no more. The owner, who publishes, is not subject to it; roles that the
-- server does not have are passed over.
create or replace function publish.protect(mart text) returns void
language plpgsql as $$
declare
    target regclass := format('publish.%I', mart)::regclass;
    stated text := coalesce((select scope from publish.scopes where relation = mart), 'none');
    wanted record;
begin
    if not (select relrowsecurity from pg_class where oid = target) then
        execute format('alter table %s enable row level security', target);
    end if;
    for wanted in
        select *
        from (values
            ('kaw_bi_reader', 'readers_see_the_pointed_version', 'select', publish.is_row_of('pointer', mart)),
            ('kaw_bi_reader', 'readers_see_the_closing_version', 'select', publish.is_row_of('closing', mart)),
            ('kaw_account_manager', 'managers_see_the_pointed_version', 'select', publish.is_row_of('pointer', mart)),
            ('kaw_account_manager', 'managers_see_the_closing_version', 'select', publish.is_row_of('closing', mart)),
            ('kaw_auditor', 'auditors_see_every_version', 'select', 'true'),
            ('kaw_reader', 'reading_commands_see_every_version', 'select', 'true'),
            ('kaw_gatekeeper', 'gatekeepers_see_every_version', 'select', 'true'),
            ('kaw_publisher', 'publishers_write_every_version', 'all', 'true')
        ) as policies (role_name, policy_name, command, condition)
    loop
        if exists (select 1 from pg_roles where rolname = wanted.role_name)
            and not exists (select 1 from pg_policy where polrelid = target and polname = wanted.policy_name) then
            execute format('create policy %I on %s for %s to %I using (%s)',
                wanted.policy_name, target, wanted.command, wanted.role_name, wanted.condition);
        end if;
    end loop;
    if exists (select 1 from pg_roles where rolname = 'kaw_account_manager') then
        perform publish.cut_to_managers(target, stated);
    end if;
end
$$;

-- Brings the stored table of a published model and its two views to the shape of its candidate: made once, then only ever widened.
-- Called by the publisher, who may create nothing in publish or marts: tables and views are the owner's, and their columns are
-- those of the candidate. `told`: name, relation [schema, table], columns {name: description} in their order, grain, renamed {former
-- name: name}, announced {name to come: name}, description, scope, shows_newest. A column that the candidate lost or retyped is the caller's to refuse.
create or replace function publish.ensure_mart(told jsonb) returns void
language plpgsql security definer set search_path = publish, pg_temp as $$
declare
    mart constant text := told ->> 'name';
    target regclass := to_regclass(format('publish.%I', mart));
    added record;
begin
    if told -> 'relation' ->> 0 not in ('candidate', 'warehouse') or not coalesce(
        (
            select relrowsecurity and relname not in ('managers', 'manager_accounts', 'manager_logins')
            from pg_class
            where oid = target
        ),
        true
    ) then
        raise exception '% is no published model', mart using errcode = 'insufficient_privilege';
    end if;
    if target is null then
        execute format('create table publish.%I (published_month date not null, version integer not null, until_version integer)', mart);
        target := format('publish.%I', mart)::regclass;
    end if;
    for added in
        select wanted.attname, format_type(wanted.atttypid, wanted.atttypmod) as type_name
        from jsonb_array_elements_text(told -> 'columns_in_order') with ordinality as columns (name, place)
        inner join pg_attribute as wanted on columns.name = wanted.attname
        where
            wanted.attrelid = format('%I.%I', told -> 'relation' ->> 0, told -> 'relation' ->> 1)::regclass
            and not wanted.attisdropped
            and not exists (
                select 1
                from pg_attribute as present
                where present.attrelid = target and present.attname = wanted.attname and not present.attisdropped
            )
        order by columns.place
    loop
        execute format('alter table %s add column %I %s', target, added.attname, added.type_name);
    end loop;
    if not exists (select 1 from pg_index where indrelid = target and indisunique) then
        execute format(
            'create unique index on %s (published_month, version, %s) nulls not distinct',
            target,
            (select string_agg(format('%I', name), ', ' order by place)
                from jsonb_array_elements_text(told -> 'grain') with ordinality as grain (name, place))
        );
    end if;
    perform publish.ensure_view(told, target, mart, 'pointer', (told ->> 'shows_newest')::boolean);
    perform publish.ensure_view(told, target, mart || '_at_close', 'closing', false);
    if not exists (select 1 from publish.scopes where relation = mart and scope = told ->> 'scope') then
        insert into publish.scopes (relation, scope) values (mart, told ->> 'scope')
        on conflict (relation) do update set scope = excluded.scope;
    end if;
    perform publish.protect(mart);
end
$$;

-- A view of marts on a stored table: `pointer` shows what is known now, `closing` what was known when each month closed. Former names
-- of columns and names to come are last, but before a column that is added later: a view that readers use can only grow. A dimension is what it
-- is on D: readers see the version of the newest month that a night has reached, and no older one beside it; a plan may be
-- published for a month after D, of which no dimension has a row.
create or replace function publish.ensure_view(told jsonb, target regclass, view_name text, chosen text, is_newest boolean)
returns void
language plpgsql as $$
declare
    view_id regclass := to_regclass(format('marts.%I', view_name));
    present text[];
    wanted text[];
    listed text;
    texts jsonb;
    stated record;
begin
    present := array(
        select attname::text from pg_attribute where attrelid = view_id and attnum > 0 and not attisdropped order by attnum
    );
    with sources as (
        select attname::text as name, attname::text as source, attnum::integer as place
        from pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped and attname <> 'until_version'
        union all
        select former.key, former.value, 10000 + former.place::integer
        from jsonb_each_text((told -> 'renamed') || (told -> 'announced')) with ordinality as former (key, value, place)
    ),

    ordered as (
        select name, source, coalesce(array_position(present, name), cardinality(present) + place) as place
        from sources
    )

    select
        array_agg(name order by place),
        string_agg(
            format('%I.%I as %I', case when name = 'version' then chosen else 'versions' end, source, name), ', ' order by place
        )
    into wanted, listed
    from ordered;
    if
        view_id is null
        or present <> wanted
        or is_newest <> (pg_get_viewdef(view_id) like '%max(months.published_month)%')
    then
        execute format(
            'create or replace view marts.%1$I with (security_invoker = true) as select %2$s from %3$s as versions'
            ' inner join publish.%4$I on versions.published_month = %4$I.published_month'
            ' and publish.has_row(%4$I.version, versions.version, versions.until_version)%5$s',
            view_name, listed, target, chosen,
            case when is_newest then
                ' and pointer.published_month = ('
                'select max(months.published_month) from publish.pointer as months'
                ' where months.version > 0 and months.published_month <='
                ' (select max(known.business_date) from publish.pointer as known))'
            else '' end
        );
        view_id := format('marts.%I', view_name)::regclass;
    end if;
    texts := (told -> 'columns') || coalesce(
        (
            select jsonb_object_agg(key, format('Former name of %s, until the next release.', value))
            from jsonb_each_text(told -> 'renamed')
        ),
        '{}'
    ) || coalesce(
        (
            select jsonb_object_agg(key, format('Name of %s from the next release on.', value))
            from jsonb_each_text(told -> 'announced')
        ),
        '{}'
    ) || jsonb_build_object(
        'published_month', 'Month of the row, as listed in marts.publication.',
        'version', 'Version of that month.',
        '', case chosen
            when 'pointer' then told ->> 'description'
            else trim('As known when each month closed; a month that is not over has no row. ' || (told ->> 'description'))
        end
    );
    for stated in
        select wanted_text.key as name, wanted_text.value as said
        from jsonb_each_text(texts) as wanted_text
        left join pg_attribute as columns on columns.attrelid = view_id and columns.attname = wanted_text.key
        left join pg_description as present_text
            on present_text.classoid = 'pg_class'::regclass
            and present_text.objoid = view_id
            and present_text.objsubid = coalesce(columns.attnum, 0)
        where
            wanted_text.value <> ''
            and (wanted_text.key = '' or columns.attnum is not null)
            and present_text.description is distinct from wanted_text.value
    loop
        if stated.name = '' then
            execute format('comment on view %s is %L', view_id, stated.said);
        else
            execute format('comment on column %s.%I is %L', view_id, stated.name, stated.said);
        end if;
    end loop;
end
$$;

-- Drops the logins of managers who are not at work on the published date, and those that are nobody's any more; their accounts went
-- with the pointers' move already. Returns those that could not be dropped, with the reason: they cannot log in any more, where
-- that at least is allowed. Where no manager is published, nobody is taken for gone.
create or replace function publish.drop_logins_of_who_left(out login name, out why text) returns setof record
language plpgsql security definer set search_path = publish, pg_temp as $$
declare
    explained text;
begin
    for login in
        select known.login::name
        from publish.manager_logins as known
        where
            exists (select 1 from publish.managers)
            and not exists (select 1 from publish.managers where managers.manager_no = known.manager_no)
        union
        select made.login
        from publish.logins_of('kaw_account_manager') as made (login)
        where not exists (select 1 from publish.manager_logins as known where known.login = made.login)
        order by 1
    loop
        begin
            if exists (select 1 from pg_roles where rolname = drop_logins_of_who_left.login) then
                execute format('alter role %I nologin', login);
                begin
                    perform pg_terminate_backend(pid, 2000)
                    from pg_stat_activity
                    where usename = drop_logins_of_who_left.login and pg_has_role(usesysid, 'usage');
                    execute format('drop owned by %I', login);
                    execute format('drop role %I', login);
                exception
                    when insufficient_privilege or dependent_objects_still_exist then
                        get stacked diagnostics why = message_text, explained = pg_exception_detail;
                end;
            end if;
        exception
            when insufficient_privilege then
                get stacked diagnostics why = message_text, explained = pg_exception_detail;
        end;
        delete from publish.manager_logins as known where known.login = drop_logins_of_who_left.login;
        if why is not null then
            why := concat_ws(': ', why, nullif(explained, ''));
            return next;
            why := null;
        end if;
    end loop;
end
$$;

-- The restrictive policy of a relation for account managers, and their grant on it and on the views that ask its reader's
-- rights. The policies' tables show a login its own rows only.
create or replace function publish.cut_to_managers(target regclass, stated text) returns void
language plpgsql as $$
declare
    wanted text := format('managers_see_by_%s', stated);
    former name;
    readable regclass;
begin
    if not exists (select 1 from pg_policy where polrelid = target and polname = wanted) then
        for former in select polname from pg_policy where polrelid = target and not polpermissive and polname like 'managers\_see\_by\_%'
        loop
            execute format('drop policy %I on %s', former, target);
        end loop;
        execute format('create policy %I on %s as restrictive for select to kaw_account_manager using (%s)', wanted, target,
            case stated
                when 'account' then 'account_no in (select manager_accounts.account_no from publish.manager_accounts)'
                when 'manager' then 'manager_no in (select manager_logins.manager_no from publish.manager_logins)'
                when 'organisation' then 'org_no in (select managers.org_no from publish.managers)'
                when 'shared' then 'true'
                else 'false'
            end);
    end if;
    for readable in
        select target
        union
        select views.oid::regclass
        from pg_depend
        inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
        inner join pg_class as views on pg_rewrite.ev_class = views.oid
        inner join pg_namespace on views.relnamespace = pg_namespace.oid
        where
            pg_depend.classid = 'pg_rewrite'::regclass
            and pg_depend.refclassid = 'pg_class'::regclass
            and pg_depend.refobjid = target
            and pg_namespace.nspname like 'marts%'
            and publish.asks_its_readers_rights(views.oid)
    loop
        if stated = 'none' and has_table_privilege('kaw_account_manager', readable, 'select') then
            execute format('revoke select on %s from kaw_account_manager', readable);
        elsif stated <> 'none' and not has_table_privilege('kaw_account_manager', readable, 'select') then
            execute format('grant select on %s to kaw_account_manager', readable);
        end if;
    end loop;
end
$$;

create or replace function publish.asks_its_readers_rights(view_id oid) returns boolean
language sql stable as $$
    select coalesce(
        (
            select options.option_value::boolean
            from pg_class
            cross join pg_options_to_table(pg_class.reloptions) as options
            where pg_class.oid = view_id and pg_class.relkind = 'v' and options.option_name = 'security_invoker'
        ),
        false
    )
$$;

-- What would show readers more than row-level security lets through: a view with its owner's rights, a copy, an open table.
-- marts_personal is for a role that may read all of the vault, and for no reader.
create or replace view publish.unprotected as
select
    format('%I.%I', pg_namespace.nspname, pg_class.relname) as relation,
    case pg_class.relkind
        when 'v' then 'a view without security_invoker'
        when 'm' then 'a materialized view'
        else 'a table without row-level security'
    end as reason
from pg_class
inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
where
    pg_class.relkind in ('v', 'm', 'r', 'p', 'f')
    and (
        (
            pg_namespace.nspname like 'marts%'
            and pg_namespace.nspname <> 'marts_personal'
            and not publish.asks_its_readers_rights(pg_class.oid)
        )
        or (
            pg_namespace.nspname = 'publish'
            and not pg_class.relrowsecurity
            and exists (select 1 from publish.scopes where scopes.relation = pg_class.relname)
        )
    );

-- The logins that ./kaw bi made for this database: members of a group that carry settings for it. The groups belong to the whole
-- server and are shared by its databases.
create or replace function publish.logins_of(group_name text) returns setof name
language sql stable as $$
    select members.rolname
    from pg_roles as members
    inner join pg_auth_members on members.oid = pg_auth_members.member
    inner join pg_roles as groups on pg_auth_members.roleid = groups.oid
    where
        groups.rolname = group_name
        and exists (
            select 1
            from pg_db_role_setting
            inner join pg_database on pg_db_role_setting.setdatabase = pg_database.oid
            where pg_db_role_setting.setrole = members.oid and pg_database.datname = current_database()
        )
    group by members.rolname
$$;
