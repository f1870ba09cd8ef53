-- What takes the place of an erased value: nothing of a person, and rules judge it as they judged the value.
create or replace function vault.stand_in(pseudonym text, clear_text text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    with given as (
        select
            quality.plain_phone(clear_text) as plain,
            right(pseudonym, 32) as letters,
            translate(right(pseudonym, 32), 'abcdef', '234567') as digits
    )

    select
        case
            when plain ~ '^[0-9]{3,}$' and quality.is_made_up_number(plain) then rpad(left(plain, 3), length(plain), '0')
            when plain ~ '^[0-9]{3,}$' then left(plain, 3) || left(digits || digits, length(plain) - 3)
            when quality.plain_text(clear_text) ~ '^[^@ ]+@[^@ ]+[.][^@ .]{2,}$' then 'erased-' || letters || '@erased.invalid'
            when clear_text ~ '[A-Za-z\u4e00-\u9fff]'
                then 'erased ' || left(letters, least(greatest(length(clear_text) - 7, 12), 32))
            else '#' || left(digits, 12)
        end
    from given
$$;

-- Erases values: of each the stand-in stays as its tombstone, so that a later delivery is masked. Returns which were erased now.
create or replace function vault.erase(pseudonyms text []) returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into vault.clear_texts (pseudonym, clear_text, erased_at)
    select listed.pseudonym, vault.stand_in(listed.pseudonym, 'erased'), clock_timestamp()
    from unnest(pseudonyms) as listed (pseudonym)
    where listed.pseudonym ~ '^person-[0-9a-f]{32}$'
    on conflict do nothing;
    return query
    update vault.clear_texts as held
    set clear_text = vault.stand_in(held.pseudonym, held.clear_text), erased_at = clock_timestamp()
    where held.pseudonym = any(pseudonyms) and held.erased_at is null
    returning held.pseudonym;
end
$$;
