"""SEM: the values of a column are such as its meaning allows: no placeholder, in its format, a day or a number that can be.

A value in another spelling (width of letters and digits, blanks, the country's code of a telephone number) is brought to one
before it is judged. Numbers of things are judged where they are kept, not again where they are referred to. What the seeds
state is looked up once a query (alias `stated`); each text is spelled and each day found once a row (alias `plain`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from include.contracts import Column, Table
from include.contracts.meanings import DAY, MEANINGS, NUMBER, TEXT, TIME, Meaning
from include.quality.made_rules import Check, checked_rule, text
from include.quality.rule_macros import render
from include.quality.rules import Rule

PLACEHOLDERS, FORMATS, DEFAULT_DATES = "quality_placeholders", "quality_formats", "quality_default_dates"
FACTS = ("fact_date", "fact_time")  # what happened on a default date happened on no known day
# How values are brought to one spelling; every other text by quality.plain_text.
SPELLINGS = {
    "mobile_number": "quality.plain_phone",
    "phone_number": "quality.plain_phone",
    "address": "quality.plain_address",
}
_FROM_BUSINESS_DATE = re.compile(r"business_date(?: (?P<sign>[+-]) (?P<count>\d+) (?P<unit>\w+?)s?)?")


class _Judged:
    """The checks of a table's columns, and what they look up beside the rows."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.checks: list[Check] = []
        self.reads: set[str] = set()
        self._stated: dict[str, str] = {}  # SQL of what a seed states -> its name
        self._plain: dict[str, str] = {}  # column -> SQL of its text in one spelling, or of its local day

    def stated(self, sql: str) -> str:
        """Name of what a seed states."""
        return f"stated.{self._stated.setdefault(sql, f'list_{len(self._stated) + 1}')}"

    def plain(self, column: Column, sql: str) -> str:
        """Name of what a column says, in one spelling, computed once a row."""
        self._plain[column.name] = sql
        return f"plain.{column.name}"

    @property
    def joins(self) -> list[str]:
        joins = []
        if self._stated:
            joins.append(f"cross join (select {_listed(self._stated.items())}) as stated")
        if self._plain:
            texts = _listed((sql, name) for name, sql in self._plain.items())
            joins.append(
                f"cross join lateral (select {texts} offset 0) as plain"
            )  # offset 0: not once more for each use
        return joins


def meaning_rule(table: Table) -> Rule | None:
    """The rule on what the columns of a table mean; None where other rules judge all of them."""
    judged = _Judged(table)
    referring = {column for reference in table.references for column in reference.columns}
    for column in table.scalar_columns:
        meaning, elsewhere = MEANINGS[column.meaning], dict(column.judged_by)
        if column.allowed or (column.name in referring and meaning.kind == TEXT):
            continue
        if meaning.kind == TEXT:
            _judge_text(judged, column, meaning, elsewhere)
        elif meaning.kind in (DAY, TIME) and "range" not in elsewhere:
            _judge_day(judged, column, meaning)
        elif meaning.kind == NUMBER and "range" not in elsewhere and any(column.plausible):
            judged.checks.append(_number(column))
    if not judged.checks:
        return None
    return checked_rule(
        table,
        "SEM",
        judged.checks,
        sentence=f"The values of {table.name} are such as the meaning of their column allows: no placeholder, no default, in format and range.",
        axis="arbitrary",
        dimension="plausibility",
        reason="A value filled in to pass the form, or in another unit, is counted like a true one.",
        source=f"contract of the {table.source} system, table {table.name}; seeds {PLACEHOLDERS}, {FORMATS} and {DEFAULT_DATES};"
        " each value alone, no test of chance",
        joins=judged.joins,
        reads=tuple(judged.reads),
    )


def spelled(column: Column) -> str:
    """SQL of a text in its one spelling; null where it is empty."""
    return f"nullif({SPELLINGS.get(column.meaning, 'quality.plain_text')}({delivered_text(column)}), '')"


def delivered_text(column: Column) -> str:
    """SQL of a text as it was delivered, of a person out of the vault."""
    return render(f"{{{{ clear_text('raw.{column.name}') }}}}") if column.is_identifying else f"raw.{column.name}"


def _listed(named: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{sql} as {name}" for sql, name in named)


def _judge_text(judged: _Judged, column: Column, meaning: Meaning, elsewhere: dict[str, str]) -> None:
    """One pattern that holds must match and none of the others may; a placeholder is told as such and not as a format too."""
    if "format" in elsewhere and ("placeholder" in elsewhere or not meaning.placeholders):
        return
    value, seen = judged.plain(column, spelled(column)), f"raw.{column.name}"
    is_placeholder = "false"
    if meaning.placeholders:
        listed = judged.stated(
            render(f"{{{{ values_listed('staging.{PLACEHOLDERS}', {list(meaning.placeholders)}) }}}}")
        )
        is_placeholder = f"coalesce(lower({value}) = any ({listed}), false)"
        judged.reads.add(PLACEHOLDERS)
        if "placeholder" not in elsewhere:
            judged.checks.append(Check(column.name, is_placeholder, seen, text("a value, not a placeholder")))
    if "format" in elsewhere:
        return
    judged.reads.add(FORMATS)
    for holds, match in ((False, "~"), (True, "!~")):
        pattern, words = (
            judged.stated(render(f"{{{{ {macro}({list(meaning.formats)}, holds={str(holds).lower()}) }}}}"))
            for macro in ("format_pattern", "format_in_words")
        )
        fails = f"{value} {match} {pattern} and not {is_placeholder}"
        judged.checks.append(Check(column.name, fails, seen, words))


def _judge_day(judged: _Judged, column: Column, meaning: Meaning) -> None:
    value = f"raw.{column.name}"
    if meaning.kind == TIME:
        value = judged.plain(column, f"({value} at time zone 'Asia/Shanghai')::date")
    least, most = (bound_day(bound) for bound in column.plausible)
    defaults = judged.stated(render(f"{{{{ default_dates_listed('{judged.table.name}.{column.name}') }}}}"))
    judged.reads.add(DEFAULT_DATES)
    fails = [f"{value} = any ({defaults})"]
    fails += [f"{value} < {least}"] if least else []
    fails += [f"{value} > {most}"] if most else []
    severity = "quarantine" if column.is_required and meaning.name in FACTS else "warn"
    expected = f"'a day from ' || {least or text('any')} || ' to ' || {most or text('any')} || ', not a default'"
    judged.checks.append(Check(column.name, " or ".join(fails), f"raw.{column.name}::text", expected, severity))


def bound_day(bound: str | None) -> str | None:
    """SQL of a plausible day: itself, or so far from the business date. Raises ValueError for another text."""
    if bound is None:
        return None
    found = _FROM_BUSINESS_DATE.fullmatch(bound)
    if not found:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", bound):
            raise ValueError(f"{bound!r} is neither a day nor counted from business_date")
        return f"date '{bound}'"
    if not found["count"]:
        return ":business_date"
    return f"(:business_date {found['sign']} interval '{found['count']} {found['unit']}')::date"


def _number(column: Column) -> Check:
    least, most = column.plausible
    outside = [f"raw.{column.name} < {least}"] if least else []
    outside += [f"raw.{column.name} > {most}"] if most else []
    between = f"from {least} to {most}" if least and most else f"at least {least}" if least else f"at most {most}"
    return Check(column.name, " or ".join(outside), f"raw.{column.name}::text", text(between))
