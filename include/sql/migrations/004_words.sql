-- The words of docs/glossary.md: tables, columns and views take the names that the documents use.

alter table quality.retested rename to findings_rechecked;

-- A database whose views were made by the code of before; a new one gets them by their new names.
alter view if exists quality.tonight rename to touched_curves;
alter view if exists quality.kept_back rename to withheld;
drop view if exists marts.publication;

-- A row that is kept out because the row that it refers to is: blocked by its parent, no longer held.
alter table quality.quarantined_rows drop constraint quarantined_rows_state_check;
alter table quality.quarantine_events drop constraint quarantine_events_state_check;
update quality.quarantined_rows set state = 'blocked_by_parent' where state = 'held';
update quality.quarantine_events set state = 'blocked_by_parent' where state = 'held';
alter table quality.quarantined_rows add check (state in ('quarantined', 'blocked_by_parent'));
alter table quality.quarantine_events
add check (state in ('quarantined', 'blocked_by_parent', 'released', 'superseded'));
alter table quality.conservation rename column held to blocked_by_parent;

-- Quarantined and blocked rows together are withheld rows.
alter table publish.pointer rename column held_back_rows to withheld_rows;
alter table publish.pointer rename column held_back_share to withheld_share;
alter table publish.pointer rename column held_back_kwh to withheld_kwh;
alter table publish.pointer rename column held_back_cny to withheld_cny;

-- The same columns of the published mart, for all versions; a version's hash is over values, so it stays. Its views show
-- both names as soon as this is applied, the former ones last: readers have one release to follow.
do $$
declare
    former text[] := array['held_back_rows', 'held_back_kwh', 'held_back_cny'];
    chosen record;
begin
    if to_regclass('publish.mart_key_account_360') is null then
        return;
    end if;
    for chosen in
        select unnest(former) as old_name, replace(unnest(former), 'held_back', 'withheld') as new_name
    loop
        execute format('alter table publish.mart_key_account_360 rename column %I to %I', chosen.old_name, chosen.new_name);
    end loop;
    for chosen in
        select views.name, views.versions
        from (values ('mart_key_account_360', 'pointer'), ('mart_key_account_360_at_close', 'closing')) as views (name, versions)
        where to_regclass('marts.' || views.name) is not null
    loop
        execute format(
            'alter view marts.%1$I rename column held_back_rows to withheld_rows;'
            ' alter view marts.%1$I rename column held_back_kwh to withheld_kwh;'
            ' alter view marts.%1$I rename column held_back_cny to withheld_cny', chosen.name
        );
        execute (
            select format(
                'create or replace view marts.%1$I with (security_invoker = true) as select %3$s,'
                ' versions.withheld_rows as held_back_rows, versions.withheld_kwh as held_back_kwh,'
                ' versions.withheld_cny as held_back_cny from publish.mart_key_account_360 as versions'
                ' inner join publish.%2$I on versions.published_month = %2$I.published_month'
                ' and versions.version = %2$I.version',
                chosen.name, chosen.versions, string_agg(format('versions.%I', attname), ', ' order by attnum)
            )
            from pg_attribute
            where attrelid = format('marts.%I', chosen.name)::regclass and attnum > 0 and not attisdropped
        );
    end loop;
end
$$;
