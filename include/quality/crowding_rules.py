"""CRD: what one clerk, department or office enters does not crowd on one minute, duration or value, where its contract asks.

Entries count over a window of days until there are enough. What all are compared with, by the declaration's `mark`:

- a minute of the day, the minutes since the entry before, or values: the entries of all other units, by Fisher's exact test to
  one side (hypergeometric tail): had the marked entries fallen on all alike, how seldom would this unit have so many?
- a duration: the durations beside it that occur in the same unit (where there is none, all of the unit), of which each is as
  likely as the others (binomial tail).

Each chance is multiplied by the number of marks that are compared in the table (Bonferroni): the level is that of a night. A unit
is told where the chance is below the level and the crowd has its share of the unit's entries.
"""

from __future__ import annotations

from include.contracts import Table
from include.contracts.declarations import Crowd
from include.quality.made_rules import is_absent, made_rule, text, trimmed
from include.quality.referred_rows import delivered, in_force_on, local_day
from include.quality.rules import Rule
from include.transform.models import staging_relation

PARAMETERS = ("CRD.least_entries", "CRD.level", "CRD.minutes_beside")
OF_FACTS = "CRD.days"  # of entries that have a date; those of an archive count while they are in force


def crowding_rule(table: Table) -> Rule | None:
    """The rule on the crowds that a table declares; None where it declares none."""
    if not table.crowds:
        return None
    units = dict.fromkeys(" x ".join(crowd.by) for crowd in table.crowds)
    said = "; ".join(
        f"{crowd.what} of one {' x '.join(crowd.by)} (at most {(100 * crowd.share).normalize():f} %)"
        for crowd in table.crowds
    )
    is_dated = any(crowd.date for crowd in table.crowds)
    within = f" within {{{OF_FACTS}}} days" if is_dated else ""
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
        source="project rule; Fisher's exact test against all other units, of durations the binomial test against those beside,"
        " Bonferroni over all marks of the table at the level of the seed",
        subject=" or ".join(units),
        subjects=(),
        population="units with enough entries",
        not_tested="No unit has enough entries.",
        tests="window" if is_dated else "everything",
        touched_by=(),
        reads=tuple(sorted((table.raw_name, staging_relation(table).removeprefix("staging.")))),
        parameters=(*PARAMETERS, OF_FACTS) if is_dated else PARAMETERS,
        tested_sql=_tested(table),
        violations_sql=f"""select
    record_key,
    column_name,
    hits || ' of ' || size || ' with one ' || what || ': ' || mark as observed,
    'at most ' || round(100 * share) || ' %, or a chance above ' || {_parameter("level")} as expected
from tested
where hits > share * size and chance * comparisons <= {_parameter("level")}""",
    )


def _parameter(name: str) -> str:
    return f"quality.parameter('CRD', '{name}', :business_date)"


def _tested(table: Table) -> str:
    entries = "\n    union all\n".join(_entries(table, number, crowd) for number, crowd in enumerate(table.crowds, 1))
    return f"""with entries as (
{entries}
),

marks as (
    select
        entries.test_no, entries.what, entries.column_name, entries.share, entries.is_duration, entries.unit, entries.mark,
        count(*) as hits,
        sum(count(*)) over (partition by entries.test_no, entries.unit)::bigint as size,
        sum(count(*)) over (partition by entries.test_no, entries.mark)::bigint as all_hits,
        sum(count(*)) over (partition by entries.test_no)::bigint as all_size,
        sum(count(*)) over beside::bigint as hits_beside,
        count(*) over beside as marks_beside,
        count(*) over (partition by entries.test_no, entries.unit) as marks_of_unit
    from entries
    group by
        entries.test_no, entries.what, entries.column_name, entries.share, entries.is_duration, entries.unit, entries.mark,
        entries.minutes
    window beside as (
        partition by entries.test_no, entries.unit
        order by entries.minutes
        range between {_parameter("minutes_beside")} preceding and {_parameter("minutes_beside")} following
    )
),

-- The largest crowd of each unit; all marks count as comparisons, for it was chosen among them.
crowds as (
    select distinct on (marks.test_no, marks.unit)
        marks.*,
        count(*) over () as comparisons
    from marks
    where marks.size >= {_parameter("least_entries")}
    order by marks.test_no, marks.unit, marks.hits desc, marks.mark
)

select
    crowds.unit as record_key,
    crowds.what,
    crowds.column_name,
    crowds.share,
    crowds.mark,
    crowds.hits,
    crowds.size,
    crowds.comparisons,
    case
        when crowds.hits <= crowds.share * crowds.size then 1
        when crowds.is_duration and crowds.marks_beside > 1
            then quality.hypergeometric_tail(crowds.hits, crowds.hits_beside, 1000000, 1000000 * crowds.marks_beside)
        when crowds.is_duration and crowds.marks_of_unit > 1
            then quality.hypergeometric_tail(crowds.hits, crowds.size, 1000000, 1000000 * crowds.marks_of_unit)
        when not crowds.is_duration and crowds.size < crowds.all_size
            then quality.hypergeometric_tail(crowds.hits, crowds.size, crowds.all_hits, crowds.all_size)
        else 1
    end as chance
from crowds"""


def _entries(table: Table, number: int, crowd: Crowd) -> str:
    """One row an entry within the window: its unit, its mark, and the minutes of a duration."""
    conditions = [f"not ({is_absent(table.column(c))})" for c in crowd.by]
    if crowd.date:
        day = local_day(table, crowd.date)
        conditions.append(f"{day} > :business_date - {_parameter('days')}::integer and {day} <= :business_date")
    else:
        conditions.append(in_force_on(table, ":business_date"))
    conditions += [f"raw.{c}::text in ({', '.join(text(v) for v in values)})" for c, values in crowd.where]
    unit = ", ".join(f"'{c}', {trimmed(table.column(c), 'raw')}" for c in crowd.by)
    minutes = "0::numeric"
    if crowd.mark == "minuteOfDay":
        mark = f"to_char(raw.{crowd.columns[0]} at time zone 'Asia/Shanghai', 'HH24:MI')"
    elif crowd.mark == "minutesBetween":
        minutes = f"floor(extract(epoch from raw.{crowd.columns[1]} - raw.{crowd.columns[0]}) / 60)"
        mark = f"{minutes} || ' minutes'"
        conditions.append(f"raw.{crowd.columns[1]} >= raw.{crowd.columns[0]}")
    elif crowd.mark == "secondsSince":
        by = ", ".join(trimmed(table.column(c), "raw") for c in crowd.by)
        seconds = (
            f"extract(epoch from raw.{crowd.columns[0]}"
            f" - lag(raw.{crowd.columns[0]}) over (partition by {by} order by raw.{crowd.columns[0]}, raw._raw_id))::bigint"
        )
        mark = f"nullif({seconds}, 0) || ' seconds after the one before'"
    else:
        mark = " || ' / ' || ".join(
            f"quality.normalised_name(raw.{c})" if table.column(c).meaning == "free_text" else f"raw.{c}::text"
            for c in crowd.columns
        )
    return f"""    select *
    from (
        select
            {number} as test_no,
            {text(crowd.what)} as what,
            '{crowd.columns[-1] if crowd.mark == "minutesBetween" else crowd.columns[0]}' as column_name,
            {crowd.share:f}::numeric as share,
            {str(crowd.mark == "minutesBetween").lower()} as is_duration,
            jsonb_build_object({unit}) as unit,
            {mark} as mark,
            {minutes} as minutes
        from {delivered(table)}
        where {" and ".join(c for c in conditions if c != "true")}
    ) as entries
    where entries.mark is not null"""
