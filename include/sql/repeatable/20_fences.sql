-- Refuses a writer whose fence is not the newest of its scope any more; without a fence nothing is refused.
create or replace function quality.assert_fence() returns void
language plpgsql security definer set search_path = quality, pg_temp as $$
declare
    held text := nullif(current_setting('kaw.fence', true), '');
    newest bigint;
begin
    if held is null then
        return;
    end if;
    select fence into newest from quality.fences where scope = split_part(held, ':', 1) for share;
    if newest > split_part(held, ':', 2)::bigint then
        raise exception 'fenced off: a later run of % took fence %, this one holds %',
            split_part(held, ':', 1), newest, split_part(held, ':', 2)
            using errcode = 'object_not_in_prerequisite_state';
    end if;
end
$$;
