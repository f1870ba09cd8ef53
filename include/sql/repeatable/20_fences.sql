-- Refuses a writer whose fence is not the newest of its scope any more; without a fence nothing is refused.
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

-- The next fence of a scope: `extract_<source>_<date>` by the loader, any other by the gatekeeper. Sessions of earlier attempts,
-- known by their name `kaw/<scope>:<fence>`, are ended first: one that stopped keeps its locks for as long as it sleeps.
create or replace function quality.take_fence(wanted text) returns bigint
language plpgsql security definer set search_path = quality, pg_temp set lock_timeout = '50s' as $$
declare
    taker text := case when wanted like 'extract\_%' then 'kaw_loader' else 'kaw_gatekeeper' end;
    taken bigint;
begin
    if session_user <> current_user and not pg_has_role(session_user, taker, 'member') then
        raise exception 'fences of % are taken by %', wanted, taker using errcode = 'insufficient_privilege';
    end if;
    perform quality.put_out(format('kaw/%s', wanted));
    insert into quality.fences (scope, fence) values (wanted, 1)
    on conflict (scope) do update set fence = quality.fences.fence + 1
    returning fence into taken;
    return taken;
end
$$;

-- Ends the sessions of this database whose name is the given one and the number of a fence; those of logins that the owner may
-- not end are left to their time-out.
create or replace function quality.put_out(named text) returns integer
language sql security definer set search_path = quality, pg_temp as $$
    select count(pg_terminate_backend(pid, 5000))::integer
    from pg_stat_activity
    where
        datname = current_database()
        and pid <> pg_backend_pid()
        and starts_with(application_name, named || ':')
        and pg_has_role(usesysid, 'usage')
$$;

-- Ends what landings left behind that are silent: each shows a second session, `kaw-alive/<scope>:<fence>`, as long as its
-- process works. Called by who waits for a table that is landing.
create or replace function quality.put_out_silent() returns integer
language sql security definer set search_path = quality, pg_temp as $$
    select count(pg_terminate_backend(pid, 5000))::integer
    from pg_stat_activity as silent
    where
        datname = current_database()
        and pid <> pg_backend_pid()
        and application_name like 'kaw/extract\_%'
        and pg_has_role(usesysid, 'usage')
        and not exists (
            select 1
            from pg_stat_activity as alive
            where
                alive.datname = silent.datname
                and alive.application_name = replace(silent.application_name, 'kaw/', 'kaw-alive/')
        )
$$;

-- Begins a build of a business date, all or nothing: takes the fence, closes what a killed run left, and makes it the run at work.
create or replace function quality.begin_run(day date, code text, out run_id bigint, out fence bigint)
language plpgsql security definer set search_path = quality, pg_temp as $$
begin
    fence := quality.take_fence('build_warehouse');
    update quality.runs set state = 'failed', finished_at = now() where state in ('running', 'passed');
    insert into quality.runs (business_date, last_load_id, code_version)
    select day, coalesce(max(receipts.load_id), 0), code
    from quality.receipts
    where receipts.business_date <= day
    returning runs.run_id into begin_run.run_id;
    insert into quality.current_run as at_work (run_id, business_date, phase, last_passed_load_id, collection_start)
    values (
        begin_run.run_id, day, 'gate',
        (
            -- loads do not follow dates: a load has passed a gate where a published run covers both its number and its date
            with published as (
                select runs.business_date, runs.last_load_id
                from quality.runs
                where runs.state = 'published' and runs.business_date <= day
            )

            select least(
                coalesce((select max(published.last_load_id) from published), 0),
                (
                    select min(receipts.load_id) - 1
                    from quality.receipts
                    where
                        receipts.business_date <= day
                        and not exists (
                            select 1
                            from published
                            where
                                receipts.load_id <= published.last_load_id
                                and receipts.business_date <= published.business_date
                        )
                )
            )
        ),
        coalesce(
            nullif(current_setting('kaw.collection_start', true), '')::date,
            (
                select min(days.data_date)
                from (
                    select data_date, count(*) as rows, max(count(*)) over () as most
                    from raw_metering.met_interval_96
                    where data_date <= day and not _is_tombstone
                    group by data_date
                ) as days
                where days.rows * 2 >= days.most
            ),
            day
        )
    )
    on conflict (only_row) do update set
        run_id = excluded.run_id, business_date = excluded.business_date, phase = excluded.phase,
        last_passed_load_id = excluded.last_passed_load_id, collection_start = excluded.collection_start;
end
$$;

-- A run over the deliveries of another, for a transaction that will be rolled back: numbers of runs, findings and events that are
-- drawn from here on are given back at its end.
create or replace function quality.begin_trial(of_run bigint) returns bigint
language plpgsql security definer set search_path = quality, pg_temp as $$
declare
    restart text;
    trial bigint;
begin
    for restart in
        select format('alter sequence %I.%I restart with %s', schemaname, sequencename, coalesce(last_value + 1, start_value))
        from pg_sequences
        where schemaname = 'quality'
    loop
        execute restart;
    end loop;
    insert into quality.runs (business_date, last_load_id)
    select business_date, last_load_id
    from quality.runs
    where run_id = of_run
    returning run_id into trial;
    update quality.current_run set run_id = trial;
    return trial;
end
$$;

-- Statistics of tables that have none yet. Only a table's owner may gather them; the owner of the warehouse stands in for the
-- transformer.
create or replace function quality.analyze_new() returns void
language plpgsql security definer set search_path = quality, pg_temp as $$
declare
    relation text;
begin
    for relation in
        select format('%I.%I', namespace.nspname, relation.relname)
        from pg_class as relation
        inner join pg_namespace as namespace on relation.relnamespace = namespace.oid
        where
            relation.relkind = 'r'
            and relation.reltuples < 0
            and (namespace.nspname in ('staging', 'quality', 'candidate') or namespace.nspname like 'raw\_%')
            and pg_has_role(relation.relowner, 'usage')
    loop
        execute format('analyze %s', relation);
    end loop;
end
$$;
