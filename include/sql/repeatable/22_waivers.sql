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
        and (
            ledger.detail ->> 'second_needed' is null
            or exists (
                select 1
                from quality.ledger as second
                where
                    second.event = 'waiver_second'
                    and second.detail ->> 'waiver_id' = waivers.waiver_id::text
                    and coalesce(second.entered_by, second.actor) <> coalesce(ledger.entered_by, ledger.actor)
            )
        )
);

-- Waivers that let through so much money that a second, different approver must sign, and none has.
create or replace view quality.waivers_without_second as
select
    waivers.*,
    (ledger.detail ->> 'second_needed')::numeric as at_stake_cny,
    coalesce(ledger.entered_by, ledger.actor) as signed_by
from quality.waivers
inner join quality.ledger on ledger.event = 'waiver' and ledger.detail ->> 'waiver_id' = waivers.waiver_id::text
where
    ledger.detail ->> 'second_needed' is not null
    and not exists (select 1 from quality.signed_waivers where signed_waivers.waiver_id = waivers.waiver_id);

-- Whether a waiver's scope covers a finding: 'all', 'table=<table>', 'account=<account_no>', or 'key={json}', which covers every
-- record whose key contains the given parts.
create or replace function quality.is_in_scope(scope text, table_name text, account_no text, record_key jsonb) returns boolean
language sql immutable as $$
    select case
        when scope = 'all' then true
        when scope like 'table=%' then substr(scope, 7) = table_name
        when scope like 'account=%' then substr(scope, 9) = account_no
        when scope like 'key=%' then record_key @> substr(scope, 5)::jsonb
        else false
    end
$$;

-- A finding's first waiver that is in force on a date; null where there is none.
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
        and quality.is_in_scope(waivers.scope, waiver_for.table_name, waiver_for.account_no, waiver_for.record_key)
$$;

-- Waivers in force on the business date of the run at work.
create or replace view quality.active_waivers as
select waivers.*
from quality.signed_waivers as waivers
cross join quality.current_run
where waivers.valid_until >= current_run.business_date and waivers.end_entry is null;
