-- Entries of the ledger, from sessions that have no right to its table.

-- Who acts: the login of the session. Neither `set role` nor a definer function changes it.
create or replace function quality.actor() returns text
language sql stable set search_path = pg_catalog, pg_temp as $$ select session_user::text $$;

-- Whose rights count: the role that the session took on, or else its login.
create or replace function quality.acting_role() returns name
language sql stable set search_path = pg_catalog, pg_temp as $$
    select (case current_setting('role') when 'none' then session_user::text else current_setting('role') end)::name
$$;

-- Types of entries by role; a login writes those of the roles that it is a member of, and the owner all.
create or replace view quality.ledger_events as
select allowed.role_name, allowed.event
from (values
    ('kaw_loader', 'load'),
    ('kaw_loader', 'withdrawal_confirm'), -- tombstones are landed with it
    ('kaw_loader', 'withdrawal_deny'),
    ('kaw_gatekeeper', 'verdict'),
    ('kaw_gatekeeper', 'report'),
    ('kaw_gatekeeper', 'backfill'),
    ('kaw_publisher', 'publish'),
    ('kaw_publisher', 'publish_refused'),
    ('kaw_publisher', 'roll_back'),
    ('kaw_publisher', 'release'),
    ('kaw_approver', 'waiver'),
    ('kaw_approver', 'waiver_second'),
    ('kaw_approver', 'waiver_end'),
    ('kaw_approver', 'finding_note'),
    ('kaw_approver', 'erasure'),
    ('kaw_loader', 'head_lost'),
    ('kaw_gatekeeper', 'head_lost'),
    ('kaw_publisher', 'head_lost'),
    ('kaw_approver', 'head_lost')
) as allowed (role_name, event);

-- One entry in the caller's transaction; the chain is locked until that ends, so that numbers have no gaps.
-- The digest is the SHA-256 of what include/records/ledger.py calls form 2.
create or replace function quality.append_entry(
    event text, detail jsonb, entered_by text default null, out entry_no bigint, out digest text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    acting name := quality.acting_role();
    written_at timestamptz;
    former text;
begin
    if event !~ '^[a-z_]+$' or entered_by ~ '[[:cntrl:]]' or quality.actor() ~ '[[:cntrl:]]' then
        raise exception 'an entry of the ledger names its type in small letters, and people in one line'
            using errcode = 'invalid_parameter_value';
    end if;
    if not exists (
        select 1
        from quality.ledger_events as allowed
        inner join pg_roles on allowed.role_name = pg_roles.rolname
        where allowed.event = append_entry.event and pg_has_role(acting, pg_roles.oid, 'member')
    ) and not exists (
        select 1
        from pg_class
        where pg_class.oid = 'quality.ledger'::regclass and pg_has_role(acting, pg_class.relowner, 'member')
    ) then
        raise exception 'the role % may not write the ledger''s entries of type %', acting, event
            using errcode = 'insufficient_privilege';
    end if;
    perform 1 from quality.locks where locks.name = 'ledger' for update;
    if not found then
        insert into quality.locks (name) values ('ledger') on conflict do nothing;
        perform 1 from quality.locks where locks.name = 'ledger' for update;
    end if;
    select last.entry_no, last.digest into entry_no, former
    from quality.ledger as last
    order by last.entry_no desc
    limit 1;
    entry_no := coalesce(entry_no, 0) + 1;
    former := coalesce(former, repeat('0', 64));
    written_at := clock_timestamp();
    digest := encode(sha256(convert_to(concat_ws(
        chr(10), '2', entry_no, to_char(written_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), quality.actor(),
        coalesce(entered_by, ''), event, former, detail
    ), 'UTF8')), 'hex');
    insert into quality.ledger (entry_no, at, actor, entered_by, event, detail, previous_digest, digest, form)
    values (
        append_entry.entry_no, written_at, quality.actor(), nullif(append_entry.entered_by, ''), append_entry.event,
        append_entry.detail, former, append_entry.digest, 2
    );
end
$$;
