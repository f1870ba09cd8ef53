-- What of a model must be built: `anew` the table itself, for its code is another or it never was; `whole` all rows, of which
-- those that differ are exchanged; `touched` only the rows of units and days (in staging: of keys) that changed; `no` nothing.
-- Behind a colon it says why.
create or replace function transform.due(of_model text) returns text
language plpgsql stable as $$
declare
    wanted transform.models;
    built transform.builds;
    run quality.current_run;
    opaque text;
    is_any boolean;
    of_all text;
begin
    select * into wanted from transform.models where model = of_model;
    select * into built from transform.builds where model = of_model;
    select * into run from quality.current_run;
    if wanted.model is null or built.model is null then
        return 'anew: it was never built';
    end if;
    if built.code <> wanted.code then
        return 'anew: its code, or what it rests on, is another';
    end if;
    if run.business_date is null or run.business_date < built.business_date then
        return 'whole: the business date goes back';
    end if;
    if wanted.stages is not null then
        return case when transform.is_staging_due(wanted, built) then 'touched: keys that came or wait' else 'no' end;
    end if;
    select min(source_name) into opaque from unnest(wanted.sources) as read (source_name) where source_name <> 'quality.current_run';
    if opaque is not null then
        return format('whole: no record tells what changed in %s', opaque);
    end if;
    if 'quality.current_run' = any (wanted.sources) then
        if wanted.follows_days and built.collection_start = run.collection_start then
            is_any := run.business_date > built.business_date;
        elsif
            (run.business_date, run.phase, run.last_passed_load_id, run.collection_start)
            is distinct from (built.business_date, built.phase, built.last_passed_load_id, built.collection_start)
        then
            return 'whole: the run is another';
        end if;
    end if;
    select
        count(*) > 0 or coalesce(is_any, false),
        min(model) filter (
            where
                wanted.unit_column is null
                or model = any (wanted.whole_by)
                or is_long and transform.unit_of(wanted.unit_column, changes.*) is null
        )
    into is_any, of_all
    from transform.changes
    where model = any (wanted.parents) and stamp > built.stamp;
    return case
        when not is_any then 'no'
        when of_all is not null then format('whole: %s changed', of_all)
        when wanted.unit_column is null then 'whole: the run is another'
        else 'touched: units and days that changed'
    end;
end
$$;

-- True where a row came, or counts since the business date moved, or is withheld: what is admitted of it depends on the phase.
create or replace function transform.is_staging_due(wanted transform.models, built transform.builds) returns boolean
language plpgsql stable as $$
declare
    newest bigint;
begin
    execute format('select coalesce(max(_raw_id), 0) from %s', transform.raw_table(wanted)) into newest;
    return
        newest > built.last_raw_id
        or exists (select 1 from quality.quarantined_rows where table_name = wanted.stages)
        or exists (select 1 from quality.withheld_values where table_name = wanted.stages)
        or exists (
            select 1 from quality.receipts
            where table_name = wanted.stages and business_date > built.business_date and inserted_rows > 0
        );
end
$$;

create or replace function transform.raw_table(wanted transform.models) returns text
language sql immutable as $$
    select source_name from unnest(wanted.sources) as read (source_name) where source_name like 'raw\_%.' || wanted.stages
$$;

-- The keys of a staged table whose staged row may differ from what raw and quarantine now say, as a temporary table.
create or replace function transform.note_touched_keys(of_model text) returns void
language plpgsql as $$
declare
    wanted transform.models;
    built transform.builds;
    loads bigint[];
begin
    select * into wanted from transform.models where model = of_model;
    select * into built from transform.builds where model = of_model;
    -- as a list whose values the planner knows: of what it does not know it expects too much, and reads the table whole
    select array_agg(load_id) into loads
    from quality.receipts
    where table_name = wanted.stages and business_date > built.business_date and inserted_rows > 0;
    create temporary table touched_keys (_key uuid primary key) on commit drop;
    execute format(
        $sql$
        insert into pg_temp.touched_keys
        select _key from %1$s where _raw_id > $1
        union
        select _key from %1$s where _load_id = any ($3)
        union
        select raw._key from quality.quarantined_rows as withheld
        inner join %1$s as raw on withheld.raw_id = raw._raw_id
        where withheld.table_name = $2
        union
        select raw._key from quality.withheld_values as withheld
        inner join %1$s as raw on withheld.raw_id = raw._raw_id
        where withheld.table_name = $2
        $sql$, transform.raw_table(wanted)
    ) using built.last_raw_id, wanted.stages, loads;
    analyze pg_temp.touched_keys;
end
$$;

-- What changed in all that a model reads since it was built, as temporary tables that exclude each other: whole units, days of
-- all units, and pairs of unit and day (where its day is a month's first: months).
create or replace function transform.note_touched(of_model text) returns void
language plpgsql as $$
declare
    wanted transform.models;
    built transform.builds;
    today date := (select business_date from quality.current_run);
begin
    select * into wanted from transform.models where model = of_model;
    select * into built from transform.builds where model = of_model;
    create temporary table touched_ranges on commit drop as
    select
        changed.unit,
        case when wanted.reaches_month then date_trunc('month', changed.first_day)::date else changed.first_day - wanted.reach_days end
            as first_day,
        case
            when wanted.reaches_month then (date_trunc('month', changed.last_day) + interval '1 month')::date - 1
            else changed.last_day + wanted.reach_days
        end as last_day,
        changed.is_long
    from (
        select transform.unit_of(wanted.unit_column, changes.*) as unit, first_day, last_day, is_long
        from transform.changes
        where model = any (wanted.parents) and stamp > built.stamp
        union all
        select null, built.business_date + 1, today, false where wanted.follows_days and today > built.business_date
    ) as changed;

    create temporary table touched_units on commit drop as
    select distinct unit from touched_ranges where is_long;

    create temporary table touched_dates on commit drop as
    select distinct transform.day_of(wanted.day_column, first_day + later.days) as day
    from touched_ranges
    cross join lateral generate_series(0, last_day - first_day) as later (days)
    where unit is null and not is_long;

    create temporary table touched_days on commit drop as
    select distinct unit, transform.day_of(wanted.day_column, first_day + later.days) as day
    from touched_ranges
    cross join lateral generate_series(0, last_day - first_day) as later (days)
    where
        unit is not null and not is_long
        and unit not in (select unit from touched_units)
        and transform.day_of(wanted.day_column, first_day + later.days) not in (select day from touched_dates);
    analyze touched_units;
    analyze touched_dates;
    analyze touched_days;
end
$$;

create or replace function transform.unit_of(unit_column text, changed transform.changes) returns text
language sql immutable as $$
    select case unit_column
        when 'metering_point_no' then changed.metering_point_no
        when 'account_no' then changed.account_no
        when 'meter_asset_no' then changed.meter_asset_no
    end
$$;

create or replace function transform.day_of(day_column text, day date) returns date
language sql immutable as $$
    select case when day_column like '%month%' then date_trunc('month', day)::date else day end
$$;

-- Brings a table to what pg_temp.rows_now says of it: rows that are alike stay as they are. `rows_before` is what is compared, a
-- relation or a query over it with ctid; the whole table where it `is_all`. Notes what changed, and how many rows went or came.
-- A table that loses more than it keeps is emptied first: what is deleted stays in its blocks, which each reader goes through.
drop function if exists transform.exchange_rows(text, regclass, text, text);
create or replace function transform.exchange_rows(
    of_model text, target regclass, rows_before text, analyzed text, is_all boolean
) returns void
language plpgsql as $$
declare
    gone tid[];
    come tid[];
    kept_rows bigint;
begin
    execute format(
        $sql$
        select array_agg(gone) filter (where gone is not null), array_agg(come) filter (where come is not null)
        from (
            select max(gone) as gone, max(come) as come
            from (
                select hash_1, hash_2, gone, come,
                    row_number() over (partition by hash_1, hash_2, come is null) as copy_no
                from (
                    select hash_record_extended(told, 0) as hash_1, hash_record_extended(told, 1) as hash_2, at as gone, null::tid as come
                    from (%s) as before (at, told)
                    union all
                    select hash_record_extended(now, 0), hash_record_extended(now, 1), null, ctid from pg_temp.rows_now as now
                ) as both_states
            ) as numbered
            group by hash_1, hash_2, copy_no
            having count(*) = 1
        ) as different
        $sql$, rows_before
    ) into gone, come;
    perform set_config(
        'kaw.build_rows', (coalesce(cardinality(gone), 0) + coalesce(cardinality(come), 0))::text, true
    );
    if gone is null and come is null then
        return;
    end if;
    perform transform.note_changes(of_model, target, gone, come);
    select count(*) - coalesce(cardinality(come), 0) into kept_rows from pg_temp.rows_now;
    if is_all and cardinality(gone) > kept_rows then
        execute format('truncate %s', target);
        execute format('insert into %s select * from pg_temp.rows_now', target);
    else
        execute format('delete from %s where ctid = any ($1)', target) using gone;
        execute format('insert into %s select * from pg_temp.rows_now where ctid = any ($1)', target) using come;
    end if;
    if coalesce(cardinality(come), 0) > 0.1 * (select reltuples from pg_class where oid = target) then
        execute format('analyze %s %s', target, analyzed);
    end if;
end
$$;

-- Units and days of rows that went (by where they lie in the table) or came (in pg_temp.rows_now).
create or replace function transform.note_changes(of_model text, target regclass, gone tid[], come tid[]) returns void
language plpgsql as $$
declare
    columns text[] := (select array_agg(attname) from pg_attribute where attrelid = target and attnum > 0 and not attisdropped);
    days text[] := (select changed_days from transform.models where model = of_model);
    unit text;
    units text[] := '{}';
begin
    foreach unit in array array['metering_point_no', 'account_no', 'meter_asset_no'] loop
        units := units || case when unit = any (columns) then unit else 'null::text' end;
    end loop;
    days := coalesce(days, case
        when 'reading_date' = any (columns) then array['reading_date', 'reading_date']
        when 'month_start_date' = any (columns)
            then array['month_start_date', $day$(month_start_date + interval '1 month')::date - 1$day$]
        else array['null::date', 'null::date']
    end);
    execute format(
        $sql$
        insert into transform.changes (model, stamp, metering_point_no, account_no, meter_asset_no, first_day, last_day)
        select distinct
            $1, current_setting('kaw.build_stamp')::bigint, metering_point_no, account_no, meter_asset_no, first_day,
            case when last_day is not null then greatest(first_day, last_day) end
        from (
            select
                %1$s as metering_point_no, %2$s as account_no, %3$s as meter_asset_no, %4$s as first_day, %5$s as last_day
            from (
                select * from %6$s where ctid = any ($2)
                union all
                select * from pg_temp.rows_now where ctid = any ($3)
            ) as changed
        ) as told
        $sql$, units[1], units[2], units[3], days[1], days[2], target
    ) using of_model, gone, come;
end
$$;

-- The first and the last word of a build: it notes what it knew when it began, so that whatever comes meanwhile is seen by the next.
create or replace function transform.begin_build(of_model text) returns void
language plpgsql as $$
declare
    wanted transform.models;
    newest bigint;
begin
    select * into wanted from transform.models where model = of_model;
    if wanted.stages is not null then
        execute format('select coalesce(max(_raw_id), 0) from %s', transform.raw_table(wanted)) into newest;
    end if;
    perform
        set_config('kaw.build_stamp', nextval('transform.stamps')::text, true),
        set_config('kaw.build_last_raw_id', coalesce(newest::text, ''), true),
        set_config('kaw.build_rows', '', true);
end
$$;

create or replace function transform.end_build(of_model text, reason text) returns void
language sql as $$
    insert into transform.builds (
        model, code, stamp, business_date, phase, last_passed_load_id, collection_start, last_raw_id,
        reason, exchanged_rows
    )
    select
        models.model, models.code, current_setting('kaw.build_stamp')::bigint, run.business_date, run.phase,
        run.last_passed_load_id, run.collection_start, nullif(current_setting('kaw.build_last_raw_id'), '')::bigint,
        end_build.reason, nullif(current_setting('kaw.build_rows'), '')::bigint
    from transform.models as models
    left join quality.current_run as run on true
    where models.model = of_model
    on conflict (model) do update set
        code = excluded.code,
        stamp = excluded.stamp,
        business_date = excluded.business_date,
        phase = excluded.phase,
        last_passed_load_id = excluded.last_passed_load_id,
        collection_start = excluded.collection_start,
        last_raw_id = excluded.last_raw_id,
        reason = excluded.reason,
        exchanged_rows = excluded.exchanged_rows,
        built_at = excluded.built_at;
    insert into transform.changes (model, stamp)
    select of_model, current_setting('kaw.build_stamp')::bigint where reason like 'anew%';
$$;

-- A seed was loaded: whoever reads it is built.
create or replace function transform.note_seed(of_model text) returns void
language sql as $$
    insert into transform.builds (model, code, stamp)
    select model, code, nextval('transform.stamps') from transform.models where model = of_model
    on conflict (model) do update set code = excluded.code, stamp = excluded.stamp, built_at = clock_timestamp();
    insert into transform.changes (model, stamp) select model, stamp from transform.builds where model = of_model;
$$;
