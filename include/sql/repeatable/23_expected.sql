-- What should be there as of the last staging, and whether it has arrived. dbt makes the table behind it anew each night, so
-- the view asks for it by name; who reads the view needs no right to staging.
create or replace function quality.expected_tonight() returns table (
    what text, table_name text, key jsonb, period date, since date, account_no text, org_no text, channel text,
    has_arrived boolean, explained_by text
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if to_regclass('staging.int_expected_things') is null then
        return;
    end if;
    return query execute
        'select what_code, table_name, record_key, period_date, since_date, account_no, org_no, channel_code, is_arrived, explained_by'
        ' from staging.int_expected_things';
end
$$;

create or replace view quality.expected as
select *
from quality.expected_tonight();

-- What is absent and makes measures partial: days of readings do not, they are estimated, and the marts show the share of it.
create or replace function quality.absent_tonight() returns table (
    table_name text, key jsonb, period date, account_no text
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if to_regclass('staging.int_expected_things') is null then
        return;
    end if;
    return query execute
        'select table_name, record_key, period_date, account_no from staging.int_expected_things'
        ' where not is_arrived and not is_estimated';
end
$$;
