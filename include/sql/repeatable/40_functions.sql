-- Functions that rules use; rule files stay readable and the thresholds stay in seeds.

-- The order of a key's versions, and the one place that states it: by the date of the file or extract, then by load. A file
-- that arrives after a later one is history at its own date. Not strict and without settings, so that it is inlined.
create or replace function quality.version_order(business_date date, load_id bigint) returns bigint
language sql immutable parallel safe as $$
    select (business_date - date '2000-01-01')::bigint * 1099511627776 + load_id -- 2^40 loads a date
$$;

-- A threshold of the seed quality_parameters as it stood on the business date. A rule without its threshold must not pass.
create or replace function quality.parameter(of_rule text, of_name text, as_of date) returns numeric
language plpgsql stable set search_path = quality, pg_temp as $$
declare
    found numeric;
begin
    select parameters.value into found
    from staging.quality_parameters as parameters
    where
        parameters.rule_id = of_rule
        and parameters.name = of_name
        and parameters.valid_from <= as_of
        and (parameters.valid_to is null or as_of < parameters.valid_to)
    order by parameters.valid_from desc
    limit 1;
    if found is null then
        raise exception 'the seed quality_parameters has no % of % on %', of_name, of_rule, as_of;
    end if;
    return found;
end
$$;

-- Unified social credit code: 18 characters, check character by GB 32100 (alphabet without I, O, S, V, Z; weights 3^i mod 31).
-- A string of one repeated digit passes the arithmetic when it is all zeros; the placeholder rules catch it.
create or replace function quality.uscc_is_valid(code text) returns boolean
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
    alphabet constant text := '0123456789ABCDEFGHJKLMNPQRTUWXY';
    weight integer := 1;
    total integer := 0;
    place integer;
begin
    if code !~ '^[0-9A-HJ-NP-RTUWXY]{18}$' then
        return false;
    end if;
    for position in 1..17 loop
        total := total + weight * (strpos(alphabet, substr(code, position, 1)) - 1);
        weight := weight * 3 % 31;
    end loop;
    place := (31 - total % 31) % 31;
    return substr(code, 18, 1) = substr(alphabet, place + 1, 1);
end
$$;

-- A company name as it is compared: NFKC, capitals, without brackets, blanks, points and the legal form.
create or replace function quality.normalised_name(name text) returns text
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    select regexp_replace(
        regexp_replace(upper(normalize(name, nfkc)), '[[:space:]()\[\]{}<>〔〕【】《》「」·.,、，。_-]', '', 'g'),
        '(股份有限责任公司|股份有限公司|有限责任公司|有限公司|责任公司|公司)$', ''
    )
$$;

-- Similarity of two names, 0 to 1: twice the common pairs of adjacent characters over all pairs of both (Dice), pairs counted
-- as often as they stand. Names of one character are equal or not.
create or replace function quality.name_similarity(one text, other text) returns numeric
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    with names as (
        select quality.normalised_name(one) as a, quality.normalised_name(other) as b
    ),

    pairs_a as (
        select substr(a, place, 2) as pair, count(*) as times
        from names cross join generate_series(1, length(a) - 1) as place
        group by 1
    ),

    pairs_b as (
        select substr(b, place, 2) as pair, count(*) as times
        from names cross join generate_series(1, length(b) - 1) as place
        group by 1
    )

    select case
        when a = b then 1
        when length(a) < 2 or length(b) < 2 then 0
        else
            2 * coalesce(
                (select sum(least(pairs_a.times, pairs_b.times)) from pairs_a inner join pairs_b using (pair)), 0
            )::numeric / (length(a) + length(b) - 2)
    end
    from names
$$;

-- A text as it is compared: one width of letters and digits (NFKC), one blank between words. Spelling is no difference. These
-- three are not strict and without settings, so that they are inlined.
create or replace function quality.plain_text(value text) returns text
language sql immutable parallel safe as $$
    select btrim(regexp_replace(normalize(value, nfkc), '[[:space:]]+', ' ', 'g'))
$$;

-- A telephone number as it is dialled inside the country: without blanks, points, hyphens and brackets, without the country's
-- code, with the zero of its area. An extension follows its number. What is nothing but such signs is no number: it stays a text.
create or replace function quality.plain_phone(value text) returns text
language sql immutable parallel safe as $$
    select coalesce(
        nullif(
            regexp_replace(
                regexp_replace(
                    regexp_replace(normalize(value, nfkc), '[[:space:]().·/_-]|转|分机|ext', '', 'gi'),
                    '^([+]|00)?86(?=1[3-9][0-9]{9}$)', ''
                ),
                '^([+]|00)86(?=[1-9])', '0'
            ),
            ''
        ),
        quality.plain_text(value)
    )
$$;

-- An address with the simplified forms of the characters that addresses are made of: 號 is 号.
create or replace function quality.plain_address(value text) returns text
language sql immutable parallel safe as $$
    select translate(quality.plain_text(value), '號區縣鎮鄉莊園廠樓層棟單東廣開業興橋灣蘇門間臺', '号区县镇乡庄园厂楼层栋单东广开业兴桥湾苏门间台')
$$;

-- A number made up at the keyboard: one digit eight times in a row, or its last eight digits counting up or down.
create or replace function quality.is_made_up_number(number text) returns boolean
language sql immutable strict set search_path = pg_catalog, pg_temp as $$
    select
        number ~ '([0-9])\1{7}'
        or (
            length(number) >= 8
            and (
                strpos('012345678901234567890', right(number, 8)) > 0
                or strpos('098765432109876543210', right(number, 8)) > 0
            )
        )
$$;

-- Minutes from one time to a later one.
create or replace function quality.minutes_between(earlier timestamptz, later timestamptz) returns numeric
language sql immutable parallel safe as $$
    select extract(epoch from later - earlier) / 60
$$;

-- Sum of a curve's collected slots, exact; null where no slot was collected.
create or replace function quality.slot_sum(slots double precision []) returns numeric
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
    select sum(slot::numeric) from unnest(slots) as slot
$$;

-- Number of collected slots of a curve.
create or replace function quality.slot_count(slots double precision []) returns integer
language sql immutable strict parallel safe as $$
    select num_nonnulls(variadic slots)
$$;

-- Consumption between two readings of a register with n integer digits; a register that passed 10^n goes on from zero.
-- A roll-over is believed where the reading before is above `from_share` and the one after below `below_share` of 10^n.
create or replace function quality.register_difference(
    before numeric, after numeric, digits integer, from_share numeric, below_share numeric
) returns numeric
language sql immutable parallel safe as $$
    select after - before + case
        when after < before and before > from_share * 10::numeric ^ digits and after < below_share * 10::numeric ^ digits
            then 10::numeric ^ digits
        else 0
    end
$$;

-- XSR-28: which of three systems' values is likely right. Two that agree outvote the third. Where all differ, or only two are
-- known, the one with the most points of evidence is; null where no evidence stands out.
create or replace function quality.likely_right(
    metering anycompatible, marketing anycompatible, contract anycompatible,
    metering_points numeric, marketing_points numeric, contract_points numeric
) returns anycompatible
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select case
        when metering = marketing or metering = contract then metering
        when marketing = contract then marketing
        else (
            select case when count(*) = 1 then min(best.given) end
            from (
                select
                    sides.given,
                    coalesce(sides.points, 0) as points,
                    max(coalesce(sides.points, 0)) over () as most
                from (
                    values (metering, metering_points), (marketing, marketing_points), (contract, contract_points)
                ) as sides (given, points)
                where sides.given is not null
            ) as best
            where best.points = best.most
        )
    end
$$;

-- Only a table's owner may gather its statistics; a gate needs them between two statements of one transaction.
create or replace function quality.analyze_quarantined_rows() returns void
language plpgsql security definer set search_path = quality, pg_temp as $$
begin
    analyze quality.quarantined_rows;
end
$$;

-- The systems whose value is another than the one that is likely right; null where that is not known.
create or replace function quality.suspect_side(
    right_value anycompatible, metering anycompatible, marketing anycompatible, contract anycompatible
) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select nullif(concat_ws(
        ' and ',
        case when metering <> right_value then 'metering' end,
        case when marketing <> right_value then 'marketing' end,
        case when contract <> right_value then 'contract' end
    ), '')
$$;

-- Chance of `hits` or more marked rows among `size` rows that are drawn from `all_size` rows of which `all_hits` are marked: the
-- upper tail of the hypergeometric distribution, Fisher's exact test to one side. Weights are relative to that of `hits`; each
-- follows from its neighbour, so that no factorial is needed, and those too small for a double to notice are left out.
create or replace function quality.hypergeometric_tail(hits bigint, size bigint, all_hits bigint, all_size bigint)
returns double precision
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
declare
    least_hits constant double precision := greatest(0, size + all_hits - all_size);
    most_hits constant double precision := least(size, all_hits);
    unmarked_left constant double precision := all_size - all_hits - size;
    negligible constant double precision := 1e-17;
    overwhelming constant double precision := 1e200;
    place double precision := hits;
    weight double precision := 1;
    upper_sum double precision := 1;
    lower_sum double precision := 0;
begin
    if hits > most_hits then
        return 0;
    elsif hits <= least_hits then
        return 1;
    end if;
    while place < most_hits and weight > negligible * upper_sum and upper_sum < overwhelming loop
        weight := weight * (all_hits - place) * (size - place) / ((place + 1) * (unmarked_left + place + 1));
        upper_sum := upper_sum + weight;
        place := place + 1;
    end loop;
    place := hits;
    weight := 1;
    while place > least_hits and weight > negligible * lower_sum and lower_sum < overwhelming loop
        weight := weight * place * (unmarked_left + place) / ((all_hits - place + 1) * (size - place + 1));
        lower_sum := lower_sum + weight;
        place := place - 1;
    end loop;
    return upper_sum / (upper_sum + lower_sum);
end
$$;
