"""What a contract declares of a table and its columns beyond shape and type, in `customProperties`; `docs/reference/contracts.md` lists them.

Rules, landing and the list of what is expected are made from these declarations. Each class is one property, as it is read:
names of columns are those of the source, a severity is that of the rule that judges the declaration, and `rule` names the
rule of the catalogue that carries it, so that none is made from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

NEVER, WITHIN_PAYER, ALWAYS = "never", "within_payer", "always"
SHARED = (NEVER, WITHIN_PAYER, ALWAYS)
ON_UNRESOLVED = ("withhold", "block")
EACH = ("day", "month", "once")
MARKS = ("minuteOfDay", "minutesBetween", "secondsBetween", "secondsSince", "values")  # by what entries can crowd
SHARING = ("holder", "atMost", "atMostShare", "withinPayer", "longerThan", "days", "differsFrom")
JUDGEMENTS = ("placeholder", "format", "range", "overflow")  # of a column's values by their meaning
RELATIONS = ("<=", ">=", "=")
SEVERITIES = ("warn", "quarantine")
COMPARED_WHOLE = ("in_place", "validity_rows")  # update patterns of which a delivery holds the whole table
FILLED, EMPTY = "filled", "empty"  # of a condition; a list of values is the third
TABLE_PROPERTIES = {  # property of a table -> keys of its entries, empty where it is a value or a list of columns
    "businessNameZh": (),
    "shrinks": (),
    "keepsMonths": (),
    "inForce": (),
    "renews": (),
    "factDate": (),
    "recordIdentity": ("columns", "time", "withinMinutes", "corrects", "where", "rule"),
    "repeats": ("series", "along", "columns", "rows", "least"),
    "crowds": ("what", "by", "date", "where", *MARKS, "share"),
    "order": ("columns", "severity", "toleranceMinutes", "rule"),
    "conditions": ("column", "is", "where", "given", "since", "dueDays", "severity", "rule"),
    "periods": ("by", "where", "gapless", "severity", "rule"),
    "equations": ("name", "states", "tolerance", "unit", "where", "children", "severity", "rule"),
    "expected": (
        "what",
        "each",
        "archive",
        "by",
        "where",
        "since",
        "until",
        "rows",
        "channels",
        "anyFilled",
        "date",
        "dateClosesDayBefore",
        "dueDays",
        "rule",
    ),
}
COLUMN_PROPERTIES = ("businessNameZh", "meaning", "judgedBy", "plausible", "identity", "sharing", "withholdable")
RELATIONSHIP_PROPERTIES = ("where", "match", "crossSystem", "onUnresolved", "total", "agrees")

# Column -> the values of which one is meant; of a row all columns must fit.
Where = tuple[tuple[str, tuple[str, ...]], ...]

# Of an equation, with what they are in SQL; minutes_between(earlier, later) counts minutes.
FUNCTIONS = {name: name for name in ("abs", "coalesce", "greatest", "least", "nullif", "round", "sqrt")} | {
    "minutes_between": "quality.minutes_between"
}

_NAME = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?")
_STATES = re.compile(r"(?P<left>.+?) (?P<relation><=|>=|=) (?P<right>.+)", re.DOTALL)


@dataclass(frozen=True)
class Shrinking:
    """What a delivery of a whole table may withdraw: nothing in bulk, or, where the table shrinks by its nature, more.

    The shares are fractions of the rows in force; None stands for the parameters that hold for every table.
    """

    shrinks: bool = False
    pending_share: Decimal | None = None
    block_share: Decimal | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Channel:
    """Rows that are expected for each row of the archive that fits `where` and has `filled` columns: each value of `values`."""

    values: Where
    where: Where = ()
    filled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expectation:
    """Rows that should be there: for each row of `archive` that fits `where`, one a day, a month or once, of each channel.

    `by` maps own columns to those of the archive. `since` and `until` are days or times of the archive row, None where it has
    no end; `date` is the own column that dates a row, with `date_closes_day_before` where midnight closes the day before it.
    `rows` narrows the own rows that count, of `any_filled` one must be filled, `due_days` after the day or month it is due.
    """

    what: str
    each: str
    archive: str
    by: tuple[tuple[str, str], ...]
    where: Where = ()
    since: str | None = None
    until: str | None = None
    rows: Where = ()
    channels: tuple[Channel, ...] = ()
    any_filled: tuple[str, ...] = ()
    date: str | None = None
    date_closes_day_before: bool = False
    due_days: int = 0
    rule: str | None = None


@dataclass(frozen=True)
class Order:
    """Dates and times none of which is before the one listed before it; `reference.column` is one of the row referred to."""

    columns: tuple[str, ...]
    severity: str = "warn"
    tolerance_minutes: int = 0
    rule: str | None = None


@dataclass(frozen=True)
class Condition:
    """A column is filled, empty or one of the values `be` where other columns have the values of `where` and are filled (`given`).

    With `since`, a column, it is asked for from so many days after that day on: what is not done yet is not absent.
    """

    column: str
    be: str | tuple[str, ...]
    where: Where = ()
    given: tuple[str, ...] = ()
    since: str | None = None
    due_days: int = 0
    severity: str = "warn"
    rule: str | None = None


@dataclass(frozen=True)
class Period:
    """Rows that fit `where` and are equal in the columns `by` are in force one at a time; without a gap where `is_gapless`."""

    by: tuple[str, ...]
    where: Where = ()
    is_gapless: bool = False
    severity: str = "warn"
    rule: str | None = None


@dataclass(frozen=True)
class RecordIdentity:
    """Columns in which two records under different numbers differ; the first is always filled, else a row has no identity.

    `time` tells two records apart where they are more than `within_minutes` from each other. A row that says by a column of
    `corrects` that it corrects, reverses or reopens another one is no copy of it; `where` narrows the rows.
    """

    columns: tuple[str, ...]
    time: str | None = None
    within_minutes: int = 0
    corrects: tuple[str, ...] = ()
    where: Where = ()
    rule: str | None = None


@dataclass(frozen=True)
class Child:
    """Rows of a table that belong to a row: those that refer to it, or those with equal columns `by`. Their sum or count."""

    table: str
    sums: str | None
    where: Where = ()
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equation:
    """What numbers of a row, of the rows it refers to and of its children state about each other, within a tolerance.

    `left` and `right` are SQL over own columns, `reference.column` and the names of `children`; a row that lacks one is not
    judged. `tolerance` is in `unit`.
    """

    name: str
    left: str
    relation: str
    right: str
    tolerance: Decimal
    unit: str
    where: Where = ()
    children: tuple[tuple[str, Child], ...] = ()
    severity: str = "warn"
    rule: str | None = None


@dataclass(frozen=True)
class Identity:
    """A value that stands for one holder at a time: columns that name the holder, and whether several may share it.

    `shared` is never, within_payer (customers whom one settlement account pays for) or always.
    """

    holder: tuple[str, ...]
    shared: str = NEVER
    rule: str | None = None


@dataclass(frozen=True)
class Sharing:
    """Who may share a value: at most so many holders (payers of the holders, where `is_within_payer`), or that share of all
    rows, as names of persons that are common; of a text from `longer_than` signs on, of a fact within `days` up to the
    business date. It is never that of a column it differs from.
    """

    holder: tuple[str, ...] = ()
    at_most: int | None = None
    at_most_share: Decimal | None = None
    is_within_payer: bool = False
    longer_than: int = 0
    days: int = 0
    differs_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repeat:
    """Columns that a record of a series has not all in common with the record before it `along` a day or time.

    A record is a row, or with `rows` all rows of the series at one time, each told by that column. Judged from `least`
    filled numbers on that are not zero.
    """

    series: tuple[str, ...]
    along: str
    columns: tuple[str, ...]
    rows: str | None = None
    least: int = 1


@dataclass(frozen=True)
class Crowd:
    """What the entries `by` one clerk, department or office must not crowd on: one of MARKS of `columns`, up to a share.

    With `date` the entries of a window of days count, or the newest where they are few; without it the rows in force. `where`
    narrows them.
    """

    what: str
    by: tuple[str, ...]
    mark: str
    columns: tuple[str, ...]
    share: Decimal
    date: str | None = None
    where: Where = ()


def split(states: str) -> dict[str, str]:
    """Left side, relation and right side of a statement. Raises ValueError where there is no relation."""
    parts = _STATES.fullmatch(" ".join(states.split()))
    if not parts:
        raise ValueError(
            f"{states!r} is no statement; it has two sides and one of {', '.join(RELATIONS)} between blanks."
        )
    return parts.groupdict()


def names_in(expression: str) -> tuple[str, ...]:
    """Columns, `reference.column` and children that a side of an equation names, each once, in its order."""
    return tuple(dict.fromkeys(name for name in _NAME.findall(expression) if name not in FUNCTIONS))
