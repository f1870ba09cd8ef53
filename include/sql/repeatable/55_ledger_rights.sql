-- Nobody but the owner of the table, who only migrates, may change the ledger; the roles of nights call its function.
do $$
declare
    writer text;
begin
    revoke insert, update, delete, truncate, references, trigger on quality.ledger from public;
    revoke all on function quality.append_entry(text, jsonb, text) from public;
    for writer in
        select rolname
        from pg_roles
        where rolname = any(array[
            'kaw_loader', 'kaw_transformer', 'kaw_gatekeeper', 'kaw_publisher', 'kaw_reader', 'kaw_auditor', 'kaw_bi_reader',
            'kaw_account_manager'
        ])
    loop
        execute format('revoke insert, update, delete, truncate, references, trigger on quality.ledger from %I', writer);
        execute format('revoke all on function quality.append_entry(text, jsonb, text) from %I', writer);
    end loop;
    for writer in select distinct role_name from quality.ledger_events inner join pg_roles on role_name = rolname
    loop
        execute format('grant execute on function quality.append_entry(text, jsonb, text) to %I', writer);
    end loop;
end
$$;
