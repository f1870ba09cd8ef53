-- The planner's statistics hold values of a column, and would keep an erased one. Nothing looks rows up by text.
-- No released version has a vault: only a home made in between, on a server before 18, keeps what it had.
alter table vault.clear_texts alter column clear_text set statistics 0;

do $$
begin
    if to_regproc('pg_catalog.pg_clear_attribute_stats') is not null then -- from PostgreSQL 18 on
        perform pg_catalog.pg_clear_attribute_stats('vault', 'clear_texts', 'clear_text', false);
    end if;
end
$$;
