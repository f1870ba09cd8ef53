-- The roles, and the policies of tables that were there before one of them. What each may do is in ../grants.yml, applied after
-- this file. Group roles without log-in belong to the whole server and are shared by its databases: they are made
-- where they are missing, also when several databases are migrated at once. A login that may not make roles goes on
-- without them, and the owner's own rights then do for the runs.
do $$
declare
    wanted text;
begin
    foreach wanted in array array[
        'kaw_loader', 'kaw_transformer', 'kaw_gatekeeper', 'kaw_publisher', 'kaw_approver', 'kaw_reader', 'kaw_auditor',
        'kaw_personal_reader', 'kaw_bi_reader', 'kaw_account_manager'
    ]
    loop
        begin
            if not exists (select 1 from pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception
            when duplicate_object or unique_violation then null; -- another database was migrated at the same moment
            when insufficient_privilege then
                raise notice 'the role % does not exist and this login may not create it', wanted;
        end;
        begin
            if exists (select 1 from pg_roles where rolname = wanted) and not pg_has_role(current_user, wanted, 'member') then
                execute format('grant %I to %I', wanted, current_user);
            end if;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise notice 'this login is no member of the role %, and may not make itself one', wanted;
        end;
    end loop;
end
$$;

drop function if exists quality.grant_to(text, text[]);
drop function if exists quality.grant_later(text, text, text, text[]);

-- The groups of readers belong to the whole server: a login of another warehouse on it is a member too. So not the group but each
-- login of this one may use the schemas.
do $$
declare
    readers text;
    login name;
begin
    foreach readers in array array['kaw_bi_reader', 'kaw_account_manager']
    loop
        if exists (select 1 from pg_roles where rolname = readers) then
            execute format('revoke usage on schema marts, publish from %I', readers);
        end if;
        for login in select publish.logins_of(readers)
        loop
            execute format('grant usage on schema marts, publish to %I', login);
        end loop;
    end loop;
end
$$;

-- Tables that were published before one of these roles was there get its policies.
select publish.protect(relname)
from pg_class
where
    relnamespace = 'publish'::regnamespace
    and relrowsecurity
    and relname not in ('managers', 'manager_accounts', 'manager_logins');

-- Of these a manager sees the own rows, who publishes and who reads for the owner all; nobody else has a policy.
do $$
declare
    wanted record;
begin
    for wanted in
        select *
        from (values
            ('manager_logins', 'kaw_account_manager', 'own_login', 'select', 'login = current_user'),
            ('managers', 'kaw_account_manager', 'own_number', 'select',
                'manager_no in (select manager_logins.manager_no from publish.manager_logins)'),
            ('manager_accounts', 'kaw_account_manager', 'own_accounts', 'select',
                'manager_no in (select manager_logins.manager_no from publish.manager_logins)'),
            ('managers', 'kaw_publisher', 'publishers_note_all', 'all', 'true'),
            ('manager_accounts', 'kaw_publisher', 'publishers_note_all', 'all', 'true')
        ) as policies (table_name, role_name, policy_name, command, condition)
        union all
        select tables.table_name, roles.role_name, roles.role_name || '_sees_all', 'select', 'true'
        from unnest(array['managers', 'manager_accounts', 'manager_logins']) as tables (table_name)
        cross join unnest(array['kaw_reader', 'kaw_auditor', 'kaw_gatekeeper']) as roles (role_name)
    loop
        if exists (select 1 from pg_roles where rolname = wanted.role_name)
            and not exists (
                select 1
                from pg_policy
                where polrelid = format('publish.%I', wanted.table_name)::regclass and polname = wanted.policy_name
            ) then
            execute format('create policy %I on publish.%I for %s to %I using (%s)',
                wanted.policy_name, wanted.table_name, wanted.command, wanted.role_name, wanted.condition);
        end if;
    end loop;
end
$$;

-- What an earlier version built as the owner becomes the transformer's, who replaces it every night.
do $$
declare
    built record;
begin
    if exists (select 1 from pg_roles where rolname = 'kaw_transformer' and pg_has_role(oid, 'member')) then
        grant usage, create on schema staging, warehouse, candidate to kaw_transformer; -- as ../grants.yml has it
        for built in
            select oid::regclass as name, relkind
            from pg_class
            where
                relnamespace in ('staging'::regnamespace, 'warehouse'::regnamespace, 'candidate'::regnamespace)
                and relkind in ('r', 'v')
                and relowner = current_user::regrole
        loop
            execute format('alter %s %s owner to kaw_transformer', case built.relkind when 'v' then 'view' else 'table' end, built.name);
        end loop;
    end if;
end
$$;
