-- The one way past a blocked night: a rule's findings inside a scope, let through by a named approver until a date.

-- A finding's first waiver that is in force on a date; null where there is none. Scope: 'all', 'table=<table>',
-- 'account=<account_no>', or 'key={json}', which covers every record whose key contains the given parts.
create or replace function quality.waiver_for(
    rule_id text, table_name text, account_no text, record_key jsonb, on_date date
) returns bigint
language sql stable
as $$
    select min(waivers.waiver_id)
    from quality.waivers as waivers
    where
        waivers.rule_id = waiver_for.rule_id
        and waivers.valid_until >= waiver_for.on_date
        and case
            when waivers.scope = 'all' then true
            when waivers.scope like 'table=%' then substr(waivers.scope, 7) = waiver_for.table_name
            when waivers.scope like 'account=%' then substr(waivers.scope, 9) = waiver_for.account_no
            when waivers.scope like 'key=%' then waiver_for.record_key @> substr(waivers.scope, 5)::jsonb
            else false
        end
$$;

-- Waivers in force on the business date of the run at work.
create or replace view quality.active_waivers as
select waivers.*
from quality.waivers
cross join quality.current_run
where waivers.valid_until >= current_run.business_date;
