-- Who may do what. Group roles without log-in belong to the whole server and are shared by its databases: they are made
-- where they are missing, also when several databases are migrated at once. A login that may not make roles goes on
-- without them, and the owner's own rights then do for the runs.
do $$
declare
    wanted text;
begin
    foreach wanted in array array[
        'kaw_loader', 'kaw_transformer', 'kaw_gatekeeper', 'kaw_publisher', 'kaw_reader', 'kaw_auditor', 'kaw_bi_reader',
        'kaw_account_manager'
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

-- Grants of one role, passed over where the server does not have it. Each line is a privilege and what it is on.
create or replace function quality.grant_to(role_name text, grants text[]) returns void
language plpgsql as $$
declare
    line text;
begin
    if not exists (select 1 from pg_roles where rolname = role_name) then
        return;
    end if;
    execute format('grant connect on database %I to %I', current_database(), role_name);
    foreach line in array grants
    loop
        execute format('grant %s to %I', line, role_name);
    end loop;
end
$$;

-- The same for tables to come: dbt makes its tables anew, publishing makes a table per mart.
create or replace function quality.grant_later(maker text, role_name text, privileges text, schema_names text[]) returns void
language plpgsql as $$
declare
    schema_name text;
begin
    if not exists (select 1 from pg_roles where rolname = role_name)
        or not exists (select 1 from pg_roles where rolname = maker)
        or not pg_has_role(current_user, maker, 'usage') then
        return;
    end if;
    foreach schema_name in array schema_names
    loop
        execute format('alter default privileges for role %I in schema %I grant %s on tables to %I',
            maker, schema_name, privileges, role_name);
    end loop;
end
$$;

select quality.grant_to('kaw_loader', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, quality',
    'select, insert on all tables in schema raw_metering, raw_marketing, raw_contract',
    'select, insert, update on quality.receipts, quality.rejected_rows, quality.pending_withdrawals, quality.restatements',
    'select on quality.ledger',
    'select, insert on quality.repeated_keys, quality.withdrawal_checks, quality.delivered_rows',
    'select on quality.runs, quality.fences, quality.open_withdrawals, quality.signed_waivers, quality.withheld',
    'select, insert, update on quality.locks', -- one load of a table at a time
    format('temporary on database %I', current_database()) -- a delivery is compared before it lands
]);

select quality.grant_to('kaw_transformer', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, quality',
    'usage, create on schema staging, warehouse, candidate',
    'select on all tables in schema raw_metering, raw_marketing, raw_contract, quality',
    'all on all tables in schema staging, warehouse, candidate',
    'usage on schema transform',
    'select, insert, update, delete on all tables in schema transform',
    'usage on sequence transform.stamps',
    format('temporary on database %I', current_database()) -- what a model yields is compared with what it is
]);

-- A gate judges everything and writes what it found and its verdict: it can neither fix data nor enter a waiver.
select quality.grant_to('kaw_gatekeeper', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, staging, warehouse, candidate, publish, quality',
    'select on all tables in schema raw_metering, raw_marketing, raw_contract, staging, warehouse, candidate, publish, quality',
    'insert, update, delete on quality.rule_book, quality.rule_results, quality.violations, quality.findings_rechecked,'
    ' quality.finding_events, quality.quarantined_rows, quality.withheld_values, quality.quarantine_events, quality.staged_rows,'
    ' quality.conservation, quality.rows_in_force, quality.expected_shares, quality.expected_absent',
    'update (state, verdict) on quality.runs',
    'update (phase) on quality.current_run',
    'usage on sequence quality.finding_ids',
    format('temporary on database %I', current_database()) -- what a rule tested and found
]);

select quality.grant_to('kaw_publisher', array[
    'usage on schema candidate, warehouse, quality',
    'usage, create on schema publish, marts',
    'select on all tables in schema candidate, warehouse, quality, marts',
    'select, insert, update, delete on all tables in schema publish',
    'update (state, finished_at) on quality.runs', -- the run is published in the transaction that moves the pointers
    'update on quality.locks'
]);

-- What reads for the one who owns the warehouse (./kaw status, findings, sql, trace, report, ...) sees all of it.
select quality.grant_to('kaw_reader', array[
    'usage on schema raw_metering, raw_marketing, raw_contract, staging, quality, transform, warehouse, candidate, publish, marts',
    'select on all tables in schema'
    ' raw_metering, raw_marketing, raw_contract, staging, quality, transform, warehouse, candidate, publish, marts'
]);

-- Values of rejected rows may be personal: an auditor sees where and why, not what.
select quality.grant_to('kaw_auditor', array[
    'usage on schema quality, marts, publish',
    'select on all tables in schema quality, marts, publish'
]);
do $$
begin
    if exists (select 1 from pg_roles where rolname = 'kaw_auditor') then
        revoke select on quality.rejected_rows from kaw_auditor;
        grant select (load_id, source_name, table_name, file_name, file_line, column_name, reason, record_key)
            on quality.rejected_rows to kaw_auditor;
    end if;
end
$$;

-- Views run with their reader's rights, so a reader needs the published tables too; row-level security shows of them only
-- the version that the pointer names.
select quality.grant_to('kaw_bi_reader', array[
    'select on all tables in schema marts',
    'select on publish.pointer, publish.closing'
]);

-- An account manager gets no table by itself: publish.protect grants what the relation's scope allows.
select quality.grant_to('kaw_account_manager', array[
    'select on marts.publication, publish.pointer, publish.closing',
    'select on publish.managers, publish.manager_accounts, publish.manager_logins'
]);

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

select quality.grant_later(maker, 'kaw_transformer', 'all', array['staging', 'warehouse', 'candidate'])
from unnest(array[current_user::text, 'kaw_transformer']) as makers (maker);
select quality.grant_later(maker, 'kaw_publisher', 'select', array['candidate', 'warehouse'])
from unnest(array[current_user::text, 'kaw_transformer']) as makers (maker);
select quality.grant_later(maker, 'kaw_gatekeeper', 'select', array['staging', 'warehouse', 'candidate', 'publish'])
from unnest(array[current_user::text, 'kaw_transformer', 'kaw_publisher']) as makers (maker);
select quality.grant_later(current_user::text, 'kaw_publisher', 'select, insert, update, delete', array['publish']);
select quality.grant_later(current_user::text, 'kaw_publisher', 'select', array['marts']);
select quality.grant_later(maker, role_name, 'select', array['publish', 'marts'])
from unnest(array[current_user::text, 'kaw_publisher']) as makers (maker)
cross join unnest(array['kaw_auditor', 'kaw_bi_reader']) as readers (role_name);
select quality.grant_later(maker, 'kaw_reader', 'select', array['staging', 'warehouse', 'candidate', 'publish', 'marts'])
from unnest(array[current_user::text, 'kaw_transformer', 'kaw_publisher']) as makers (maker);

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
        cross join unnest(array['kaw_reader', 'kaw_auditor']) as roles (role_name)
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
