"""PER: rows of one thing are in force one after the other, as its contract declares: none overlaps the next, and where the thing
is never without one, none leaves a gap. The end of one table is the last day, that of another the first day without.
"""

from __future__ import annotations

from include.contracts import Table
from include.contracts.declarations import Period
from include.quality.made_rules import Check, checked_rule, of_kind, text, trimmed
from include.quality.referred_rows import delivered, local_day
from include.quality.rules import Rule


def period_rule(table: Table) -> Rule | None:
    """The rule on the periods of a table that no rule of the catalogue carries; None where there are none."""
    periods = [period for period in table.periods if not period.rule]
    if not periods:
        return None
    checks, joins = [], []
    for number, period in enumerate(periods, start=1):
        alias = f"periods_{number}"
        joins.append(_join(table, period, alias))
        checks += _checks(table, period, alias)
    stated = "; ".join(
        f"one at a time for each {', '.join(p.by)}{' without a gap' if p.is_gapless else ''}" for p in periods
    )
    return checked_rule(
        table,
        "PER",
        checks,
        sentence=f"Rows of {table.name} are in force one after the other: {stated}.",
        dimension="consistency",
        reason="Where two are in force at a time nobody knows which of them counts; where none is, nothing does.",
        joins=joins,
    )


def _checks(table: Table, period: Period, alias: str) -> list[Check]:
    """An overlap is told at the end of the row that began first, a gap at the beginning of the row after it."""
    first, last = table.in_force
    thing = text(f"one at a time for each {', '.join(period.by)}")
    checks = [
        Check(
            last,
            f"{alias}.next_first < {alias}.last_day",
            f"'to ' || coalesce(raw.{last}::text, 'open') || ', the next from ' || {alias}.next_first",
            thing,
            period.severity,
        )
    ]
    if period.is_gapless:
        checks.append(
            Check(
                first,
                f"{alias}.first_day > {alias}.last_before + 1",
                f"'from ' || raw.{first} || ', the one before to ' || {alias}.last_before",
                text("from the day after the one before"),
                period.severity,
            )
        )
    return checks


def _join(table: Table, period: Period, alias: str) -> str:
    first, last = (local_day(table, column) for column in table.in_force)
    by = ", ".join(trimmed(table.column(name), "raw") for name in period.by)
    conditions = of_kind(period.where)
    # a row that ends before it begins is told as such
    conditions.append(f"({last} is null or {last} >= {first})")
    return f"""left join (
    select
        raw._raw_id,
        {first} as first_day,
        coalesce({last}, 'infinity'::date) as last_day,
        lead({first}) over thing as next_first,
        max(coalesce({last}, 'infinity'::date)) over (thing rows between unbounded preceding and 1 preceding) as last_before
    from {delivered(table)}
    where {" and ".join(conditions)}
    window thing as (partition by {by} order by {first}, raw._raw_id)
) as {alias} on raw._raw_id = {alias}._raw_id"""
