-- The ledger is written by quality.append_entry alone (repeatable/27_ledger.sql), which names the session's login as the actor.
-- What a caller says of the person at work is kept beside it. Form 1 are the entries of before: their digest is that of
-- canonical JSON, and `actor` is what the program said.
alter table quality.ledger
add column entered_by text,
add column form smallint not null default 1 check (form in (1, 2));

create function quality.refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception '%.% only grows: % is refused', tg_table_schema, tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege';
end
$$;

create trigger only_grows before update or delete or truncate on quality.ledger
for each statement execute function quality.refuse_change();

-- Also in a session that switches the triggers of a replica off.
alter table quality.ledger enable always trigger only_grows;
