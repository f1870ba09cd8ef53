"""SEM: the values of a column are such as its meaning allows: no placeholder, in its format, a day or a number that can be.

A value in another spelling (width of letters and digits, blanks, the country's code of a telephone number) is brought to one
before it is judged. Numbers of things are judged where they are kept, not again where they are referred to.
"""

from __future__ import annotations

import re

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


def meaning_rule(table: Table) -> Rule | None:
    """The rule on what the columns of a table mean; None where other rules judge all of them."""
    checks, reads = [], set()
    referring = {column for reference in table.references for column in reference.columns}
    for column in table.scalar_columns:
        meaning, judged = MEANINGS[column.meaning], dict(column.judged_by)
        if column.allowed or (column.name in referring and meaning.kind == TEXT):
            continue
        if meaning.kind == TEXT:
            if meaning.placeholders and "placeholder" not in judged:
                checks.append(_placeholder(column, meaning))
                reads.add(PLACEHOLDERS)
            if "format" not in judged:
                checks += _formats(column, meaning)
                reads |= {FORMATS, PLACEHOLDERS} if meaning.placeholders else {FORMATS}
        elif meaning.kind in (DAY, TIME) and "range" not in judged:
            checks.append(_day(table, column, meaning))
            reads.add(DEFAULT_DATES)
        elif meaning.kind == NUMBER and "range" not in judged and any(column.plausible):
            checks.append(_number(column))
    if not checks:
        return None
    return checked_rule(
        table,
        "SEM",
        checks,
        sentence=f"The values of {table.name} are such as the meaning of their column allows: no placeholder, no default, in format and range.",
        axis="arbitrary",
        dimension="plausibility",
        reason="A value filled in to pass the form, or in another unit, is counted like a true one.",
        source=f"contract of the {table.source} system, table {table.name}; seeds {PLACEHOLDERS}, {FORMATS} and {DEFAULT_DATES};"
        " each value alone, no test of chance",
        reads=tuple(reads),
    )


def spelled(column: Column) -> str:
    """SQL of a text in its one spelling; null where it is empty."""
    return f"nullif({SPELLINGS.get(column.meaning, 'quality.plain_text')}(raw.{column.name}), '')"


def _is_placeholder(column: Column, meaning: Meaning) -> str:
    return render(
        f"{{{{ is_listed('lower({_quoted(spelled(column))})', 'staging.{PLACEHOLDERS}', {list(meaning.placeholders)}) }}}}"
    )


def _quoted(sql: str) -> str:
    return sql.replace("'", "\\'")


def _placeholder(column: Column, meaning: Meaning) -> Check:
    return Check(
        column.name, _is_placeholder(column, meaning), f"raw.{column.name}", text("a value, not a placeholder")
    )


def _formats(column: Column, meaning: Meaning) -> list[Check]:
    """One pattern that holds must match and none of the others may; without a pattern that holds any value does."""
    value = spelled(column)
    holds = f"{value} !~ {_of_formats('format_pattern', meaning, holds=True)}"
    if meaning.placeholders:
        holds += f" and not {_is_placeholder(column, meaning)}"
    kept_out = f"{value} ~ {_of_formats('format_pattern', meaning, holds=False)}"
    return [
        Check(column.name, kept_out, f"raw.{column.name}", _of_formats("format_in_words", meaning, holds=False)),
        Check(column.name, holds, f"raw.{column.name}", _of_formats("format_in_words", meaning, holds=True)),
    ]


def _of_formats(macro: str, meaning: Meaning, *, holds: bool) -> str:
    return render(f"{{{{ {macro}({list(meaning.formats)}, holds={str(holds).lower()}) }}}}")


def _day(table: Table, column: Column, meaning: Meaning) -> Check:
    value = f"raw.{column.name}" if meaning.kind == DAY else f"(raw.{column.name} at time zone 'Asia/Shanghai')::date"
    least, most = (bound_day(bound) for bound in column.plausible)
    default = render(f"{{{{ is_default_date({value!r}, {text(f'{table.name}.{column.name}')!r}) }}}}")
    outside = [f"{value} < {least}"] if least else []
    outside += [f"{value} > {most}"] if most else []
    severity = "quarantine" if column.is_required and meaning.name in FACTS else "warn"
    expected = f"'a day from ' || {least or text('any')} || ' to ' || {most or text('any')} || ', not a default'"
    return Check(column.name, " or ".join([default, *outside]), f"raw.{column.name}::text", expected, severity)


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
