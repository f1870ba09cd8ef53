-- A published row is stored once while it stays what it is: from the version that wrote it until the first that no longer has it.
do $$
declare
    mart name;
    policy name;
    shown record;
begin
    for mart in
        select pg_class.relname
        from pg_class
        inner join pg_attribute on pg_class.oid = pg_attribute.attrelid
        where
            pg_class.relnamespace = 'publish'::regnamespace
            and pg_class.relkind = 'r'
            and pg_class.relname not in ('pointer', 'closing', 'versions')
            and pg_attribute.attname in ('published_month', 'version')
        group by pg_class.relname
        having count(*) = 2
    loop
        execute format('alter table publish.%I add column until_version integer', mart);
        execute format(
            'update publish.%1$I as rows set until_version = rows.version + 1'
            ' from (select published_month, max(version) as version from (select published_month, version from publish.versions'
            ' union all select published_month, version from publish.%1$I) as known group by 1) as newest'
            ' where rows.published_month = newest.published_month and rows.version < newest.version', mart
        );
        for policy in
            select polname from pg_policy
            where polrelid = format('publish.%I', mart)::regclass and polname like '%\_see\_the\_%\_version'
        loop
            execute format('drop policy %I on publish.%I', policy, mart);
        end loop;
    end loop;
    for shown in -- the two views of each mart
        select
            format('%I.%I', views.schemaname, views.viewname) as name,
            chosen.relation,
            views.definition
        from pg_views as views
        cross join (values ('pointer'), ('closing')) as chosen (relation)
        where views.schemaname = 'marts' and views.definition like '%versions.version = ' || chosen.relation || '.version%'
    loop
        execute format(
            'create or replace view %s with (security_invoker = true) as %s',
            shown.name,
            replace(
                replace(shown.definition, 'versions.version,', shown.relation || '.version,'),
                format('versions.version = %s.version', shown.relation),
                format(
                    'versions.version <= %1$s.version and (versions.until_version is null or versions.until_version > %1$s.version)',
                    shown.relation
                )
            )
        );
    end loop;
end
$$;
