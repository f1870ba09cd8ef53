-- The one way past a blocked night: a rule's findings inside a scope, let through by a named approver until a date.

-- Waivers that are as the ledger has them: a row that was added or changed beside the ledger lets nothing through.
-- `end_entry` is the entry that ended one before its date; null where none did.
create or replace view quality.signed_waivers as
select
    waivers.*,
    (
        select min(ledger.entry_no)
        from quality.ledger
        where ledger.event = 'waiver_end' and ledger.detail ->> 'waiver_id' = waivers.waiver_id::text
    ) as end_entry
from quality.waivers
where exists (
    select 1
    from quality.ledger
    where
        ledger.event = 'waiver'
        and ledger.detail ->> 'waiver_id' = waivers.waiver_id::text
        and ledger.detail ->> 'rule_id' = waivers.rule_id
        and ledger.detail ->> 'scope' = waivers.scope
        and ledger.detail ->> 'approver' = waivers.approver
        and ledger.detail ->> 'reason' = waivers.reason
        and ledger.detail ->> 'valid_until' = waivers.valid_until::text
);

-- A finding's first waiver that is in force on a date; null where there is none. Scope: 'all', 'table=<table>',
-- 'account=<account_no>', or 'key={json}', which covers every record whose key contains the given parts.
create or replace function quality.waiver_for(
    rule_id text, table_name text, account_no text, record_key jsonb, on_date date
) returns bigint
language sql stable
as $$
    select min(waivers.waiver_id)
    from quality.signed_waivers as waivers
    where
        waivers.rule_id = waiver_for.rule_id
        and waivers.valid_until >= waiver_for.on_date
        and waivers.end_entry is null
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
from quality.signed_waivers as waivers
cross join quality.current_run
where waivers.valid_until >= current_run.business_date and waivers.end_entry is null;
