"""CRD: what one clerk, department or office enters does not crowd on one minute, duration or value, where its contract asks.

Two windows are judged. Of each unit the entries of a number of days count, and where they are few the newest before them until
there are enough; and beside these all entries of the most days, in which a crowd of what is rarely done gathers. The
largest crowd of a unit is compared with all entries beside it (binomial tail): its mark is as likely as any other, twice the
chance that two of those agree, or as it is with the other units where that is more. The chance is multiplied by the number of
marks and of windows (Bonferroni), for the crowd was chosen among them. A unit is told where the chance is below the level of the
seed and the crowd has more than its share of the unit's entries.
"""

from __future__ import annotations

from include.contracts import Table
from include.contracts.declarations import Crowd
from include.quality.made_rules import is_absent, made_rule, of_kind, text, trimmed
from include.quality.referred_rows import delivered, in_force_on, local_day
from include.quality.rules import Rule
from include.transform.models import staging_relation

PARAMETERS = ("CRD.least_crowd", "CRD.least_entries", "CRD.level")
OF_FACTS = ("CRD.days", "CRD.enough_entries", "CRD.most_days")  # those of an archive count while they are in force


def crowding_rule(table: Table) -> Rule | None:
    """The rule on the crowds that a table declares; None where it declares none."""
    if not table.crowds:
        return None
    is_dated = any(crowd.date for crowd in table.crowds)
    within = " within {CRD.days} days or {CRD.most_days} days" if is_dated else ""
    said = "; ".join(
        f"{crowd.what} of one {' x '.join(crowd.by)} (at most {(100 * crowd.share).normalize():f} %)"
        for crowd in table.crowds
    )
    return made_rule(
        table,
        "CROWD",
        id=f"CRD-{table.name}",
        sentence=f"Entries of {table.name} do not crowd{within}: {said}.",
        axis="arbitrary",
        dimension="plausibility",
        severity="warn",
        quarantines=False,
        reason="What crowds was typed at a desk, in one go, or to keep a limit.",
        source="project rule; binomial test against all entries beside the crowd, Bonferroni over the marks, at the level of the seed",
        subject=" or ".join(dict.fromkeys(" x ".join(crowd.by) for crowd in table.crowds)),
        subjects=(),
        population="units with enough entries",
        not_tested="No unit has enough entries.",
        tests="window" if is_dated else "everything",
        touched_by=(),
        reads=tuple(sorted((table.raw_name, staging_relation(table).removeprefix("staging.")))),
        parameters=(*PARAMETERS, *OF_FACTS) if is_dated else PARAMETERS,
        tested_sql=_tested(table),
        violations_sql=f"""select distinct on (record_key, what)
    record_key,
    column_name,
    hits || ' of ' || size || ' with one ' || what || ': ' || mark as observed,
    'at most ' || round(100 * share) || ' %, or a chance above ' || trim_scale({_parameter("level")}) as expected
from tested
where hits >= {_parameter("least_crowd")} and hits > share * size and chance * comparisons <= {_parameter("level")}
order by record_key, what, chance * comparisons""",
    )


def _parameter(name: str) -> str:
    return f"quality.parameter('CRD', '{name}', :business_date)"


def _tested(table: Table) -> str:
    windows = [
        (crowd, is_longest) for crowd in table.crowds for is_longest in ((False, True) if crowd.date else (False,))
    ]
    entries = "\n    union all\n".join(_entries(table, number, *window) for number, window in enumerate(windows, 1))
    return f"""with entries as (
{entries}
),

marks as (
    select
        entries.test_no, entries.what, entries.column_name, entries.share, entries.unit, entries.mark,
        count(*)::numeric as hits,
        sum(count(*)) over (partition by entries.test_no, entries.unit) as size,
        sum(count(*)) over (partition by entries.test_no, entries.mark) as all_hits,
        sum(count(*)) over (partition by entries.test_no) as all_size,
        count(*) over (partition by entries.test_no) * {2 if any(is_longest for _, is_longest in windows) else 1} as comparisons
    from entries
    group by entries.test_no, entries.what, entries.column_name, entries.share, entries.unit, entries.mark
),

-- Pairs of entries that agree, of any unit.
agreeing as (
    select of_mark.test_no, sum(of_mark.hits * (of_mark.hits - 1) / 2) as pairs
    from (select marks.test_no, marks.mark, max(marks.all_hits) as hits from marks group by marks.test_no, marks.mark) as of_mark
    group by of_mark.test_no
),

crowds as (
    select distinct on (marks.test_no, marks.unit)
        marks.*,
        marks.all_size - marks.hits as beside,
        agreeing.pairs - marks.all_hits * (marks.all_hits - 1) / 2
        + (marks.all_hits - marks.hits) * (marks.all_hits - marks.hits - 1) / 2 as pairs_beside
    from marks
    inner join agreeing on marks.test_no = agreeing.test_no
    where marks.size >= {_parameter("least_entries")}
    order by marks.test_no, marks.unit, marks.hits desc, marks.mark
),

likely as (
    select
        crowds.*,
        least(1, greatest(
            2 * (1 + crowds.pairs_beside) / (1 + crowds.beside * (crowds.beside - 1) / 2),
            coalesce((crowds.all_hits - crowds.hits) / nullif(crowds.all_size - crowds.size, 0), 0)
        )) as likelihood
    from crowds
)

select
    likely.unit as record_key,
    likely.what,
    likely.column_name,
    likely.share,
    likely.mark,
    likely.hits,
    likely.size,
    likely.comparisons,
    quality.hypergeometric_tail(
        likely.hits::bigint, likely.size::bigint, ceil(1000000 * likely.likelihood)::bigint, 1000000
    ) as chance
from likely"""


def _entries(table: Table, number: int, crowd: Crowd, is_longest: bool) -> str:
    """One row an entry of a window: its unit and its mark."""
    conditions = [f"not ({is_absent(table.column(c))})" for c in crowd.by]
    conditions += of_kind(crowd.where)
    day, few = "null::date", ""
    if crowd.date:
        day = local_day(table, crowd.date)
        conditions.append(f"{day} > :business_date - {_parameter('most_days')}::integer and {day} <= :business_date")
        few = (
            ""
            if is_longest
            else f"""
    where
        entries.entry_date > :business_date - {_parameter("days")}::integer
        or entries.recency <= {_parameter("enough_entries")}"""
        )
    else:
        conditions.append(in_force_on(table, ":business_date"))
    return f"""    select entries.test_no, entries.what, entries.column_name, entries.share, entries.unit, entries.mark
    from (
        select marked.*, row_number() over (partition by marked.unit order by marked.entry_date desc, marked.raw_id) as recency
        from (
            select
                {number} as test_no,
                {text(crowd.what)} as what,
                '{crowd.columns[-1] if crowd.mark in BETWEEN else crowd.columns[0]}' as column_name,
                {crowd.share:f}::numeric as share,
                jsonb_build_object({", ".join(f"'{c}', {trimmed(table.column(c), 'raw')}" for c in crowd.by)}) as unit,
                {_mark(table, crowd)} as mark,
                {day} as entry_date,
                raw._raw_id as raw_id
            from {delivered(table)}
            where {" and ".join(c for c in conditions if c != "true")}
        ) as marked
        where marked.mark is not null
    ) as entries{few}"""


BETWEEN = {"minutesBetween": ("minutes", 60), "secondsBetween": ("seconds", 1)}  # mark -> its unit, in seconds


def _mark(table: Table, crowd: Crowd) -> str:
    """SQL of what an entry can crowd on, as text; null where it says nothing."""
    first = f"raw.{crowd.columns[0]}"
    if crowd.mark == "minuteOfDay":
        return f"to_char({first} at time zone 'Asia/Shanghai', 'HH24:MI')"
    if crowd.mark in BETWEEN:
        words, seconds = BETWEEN[crowd.mark]
        return f"floor(extract(epoch from raw.{crowd.columns[1]} - {first}) / {seconds})::bigint || ' {words}'"
    if crowd.mark == "secondsSince":
        by = ", ".join(trimmed(table.column(c), "raw") for c in crowd.by)
        before = f"lag({first}) over (partition by {by} order by {first}, raw._raw_id)"
        return f"nullif(extract(epoch from {first} - {before})::bigint, 0) || ' seconds after the one before'"
    return " || ' / ' || ".join(
        f"quality.normalised_name(raw.{c})" if table.column(c).meaning == "free_text" else f"raw.{c}::text"
        for c in crowd.columns
    )
