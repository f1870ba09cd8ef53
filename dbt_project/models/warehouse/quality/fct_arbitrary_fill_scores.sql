{%- set day = business_date() -%}
with entries as (
    select * from {{ ref('int_entries_judged') }}
),

tests as (
    {% for test_code, rule_ids, least_of, least, share_of, share in [
        ('INVENTED_FILE', 'row rules of the axis', 'ARB', 'least_files', 'ARB', 'file_share'),
        ('LAST_DIGIT', 'MET-30', 'MET-30', 'last_digit_readings', 'ARB', 'zero_or_five_share'),
        ('SAME_MINUTE', 'MKT-33', 'MKT-33', 'least_stages', 'MKT-33', 'share'),
        ('SAME_SCORE', 'MKT-39', 'MKT-39', 'least_answers', 'MKT-39', 'top_share'),
        ('SAME_TEXT', 'MKT-40', 'MKT-40', 'least_inspections', 'ARB', 'same_text_share'),
        ('AT_THE_LIMIT', 'MKT-35', 'MKT-35', 'least_arrivals', 'MKT-35', 'share'),
    ] -%}
    select
        '{{ test_code }}' as test_code,
        '{{ rule_ids }}' as rule_ids,
        {{ rule_parameter(least_of, least, day) }} as least_rows,
        {{ rule_parameter(share_of, share, day) }} as share_allowed
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- An office's entries are those of all its clerks, and those that name none.
units as (
    select
        test_code,
        org_no,
        case when grouping(clerk_no) = 1 then 'ALL' else clerk_no end as clerk_no,
        case when grouping(clerk_no) = 1 then 'OFFICE' else 'CLERK' end as level_code,
        sum(rows_judged)::bigint as rows_judged,
        sum(rows_filled)::bigint as rows_filled
    from entries
    group by grouping sets ((test_code, org_no, clerk_no), (test_code, org_no))
    having grouping(clerk_no) = 1 or clerk_no <> 'ALL'
),

compared as (
    select
        units.*,
        tests.rule_ids,
        tests.least_rows,
        tests.share_allowed,
        {{ rule_parameter('ARB', 'level', day) }} as level_of_the_night,
        sum(units.rows_judged) over everyone as all_rows,
        sum(units.rows_filled) over everyone as all_filled
    from units
    inner join tests on units.test_code = tests.test_code
    window everyone as (partition by units.test_code, units.level_code)
),

-- Fisher's exact test to one side: had the filled rows fallen on all alike, how seldom would this unit have so many?
measured as (
    select
        compared.*,
        {{ ratio('rows_filled', 'rows_judged') }} as fill_share,
        {{ ratio('all_filled - rows_filled', 'all_rows - rows_judged') }} as expected_share,
        case
            when rows_judged < least_rows then 'NOT_ENOUGH_ROWS'
            when all_rows = rows_judged then 'NO_OTHERS'
            else 'TESTED'
        end as state_code,
        quality.hypergeometric_tail(rows_filled, rows_judged, all_filled::bigint, all_rows::bigint) as chance
    from compared
),

-- Bonferroni: the level is that of all the tests of a night together.
corrected as (
    select
        measured.*,
        count(*) filter (where state_code = 'TESTED') over () as comparisons,
        least(1, chance * count(*) filter (where state_code = 'TESTED') over ()) as corrected_chance
    from measured
),

final as (
    select
        {{ day }} as as_of_date,
        test_code,
        org_no,
        clerk_no,
        level_code,
        rule_ids,
        rows_judged::integer as rows_judged,
        rows_filled::integer as rows_filled,
        least_rows::integer as least_rows,
        fill_share::numeric(9, 6) as fill_share,
        expected_share::numeric(9, 6) as expected_share,
        share_allowed::numeric(9, 6) as share_allowed,
        case when state_code = 'TESTED' then chance::numeric(12, 10) end as p_value,
        case when state_code = 'TESTED' then comparisons::integer end as comparisons,
        case when state_code = 'TESTED' then corrected_chance::numeric(12, 10) end as corrected_p_value,
        level_of_the_night::numeric(9, 6) as level_of_the_night,
        -- Abbott's formula: of the rows that would not be filled at the others' share, those that are not.
        case
            when state_code = 'TESTED'
                then 100 * (1 - greatest(coalesce({{ ratio('fill_share - expected_share', '1 - expected_share') }}, 0), 0))
        end::numeric(7, 4) as score,
        case
            when state_code <> 'TESTED' then state_code
            when corrected_chance <= level_of_the_night and fill_share > share_allowed then 'LOOKS_FABRICATED'
            else 'OK'
        end as verdict_code
    from corrected
)

select * from final
