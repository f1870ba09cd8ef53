"""What a contract declares of a table and its columns beyond shape and type, in `customProperties`; `docs/contracts.md` lists them.

Rules, landing and the list of what is expected are made from these declarations. Each class is one property, as it is read:
names of columns are those of the source, a severity is that of the rule that judges the declaration, and `rule` names the
rule of the catalogue that carries it, so that none is made from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

NEVER, WITHIN_PAYER, ALWAYS = "never", "within_payer", "always"
SHARED = (NEVER, WITHIN_PAYER, ALWAYS)
ON_UNRESOLVED = ("withhold", "block")
EACH = ("day", "month", "once")
JUDGEMENTS = ("placeholder", "format", "range")  # of a column's values by their meaning
RELATIONS = ("<=", ">=", "=")
SEVERITIES = ("warn", "quarantine")
TABLE_PROPERTIES = {  # property of a table -> keys of its entries, empty where it is a value or a list of columns
    "businessNameZh": (),
    "shrinks": (),
    "inForce": (),
    "factDate": (),
    "recordIdentity": (),
    "order": ("columns", "severity", "toleranceMinutes", "rule"),
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
COLUMN_PROPERTIES = ("businessNameZh", "meaning", "judgedBy", "plausible", "identity", "withholdable")
RELATIONSHIP_PROPERTIES = ("match", "crossSystem", "onUnresolved", "total", "agrees")

# Column -> the values of which one is meant; of a row all columns must fit.
Where = tuple[tuple[str, tuple[str, ...]], ...]

FUNCTIONS = ("abs", "coalesce", "greatest", "least", "nullif", "round", "sqrt")  # of an equation

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


def shrinking(value) -> Shrinking:
    if isinstance(value, bool) or value is None:
        return Shrinking(bool(value))
    return Shrinking(
        shrinks=value.get("shrinks", True),
        pending_share=_decimal(value.get("pendingShare")),
        block_share=_decimal(value.get("blockShare")),
        rows=value.get("rows"),
    )


def orders(entries: list[Mapping] | None) -> tuple[Order, ...]:
    return tuple(
        Order(tuple(e["columns"]), e.get("severity", "warn"), e.get("toleranceMinutes", 0), e.get("rule"))
        for e in entries or []
    )


def equations(entries: list[Mapping] | None) -> tuple[Equation, ...]:
    return tuple(
        Equation(
            name=e["name"],
            **split(e["states"]),
            tolerance=_decimal(e.get("tolerance", 0)),
            unit=e.get("unit", ""),
            where=where(e.get("where")),
            children=tuple((name, _child(child)) for name, child in (e.get("children") or {}).items()),
            severity=e.get("severity", "warn"),
            rule=e.get("rule"),
        )
        for e in entries or []
    )


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


def expectations(entries: list[Mapping] | None) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            what=e["what"],
            each=e["each"],
            archive=e["archive"],
            by=tuple(e["by"].items()),
            where=where(e.get("where")),
            since=e.get("since"),
            until=e.get("until"),
            rows=where(e.get("rows")),
            channels=tuple(
                Channel(where(c["values"]), where(c.get("where")), tuple(c.get("filled") or ()))
                for c in e.get("channels") or []
            ),
            any_filled=tuple(e.get("anyFilled") or ()),
            date=e.get("date"),
            date_closes_day_before=bool(e.get("dateClosesDayBefore")),
            due_days=e.get("dueDays", 0),
            rule=e.get("rule"),
        )
        for e in entries or []
    )


def identity(value: Mapping | None) -> Identity | None:
    return Identity(tuple(value["holder"]), value.get("shared", NEVER), value.get("rule")) if value else None


def where(value: Mapping | None) -> Where:
    return tuple((column, tuple(str(v) for v in values)) for column, values in (value or {}).items())


def _child(value: Mapping) -> Child:
    return Child(value["table"], value.get("sum"), where(value.get("where")), tuple(value.get("by") or ()))


def _decimal(value) -> Decimal | None:
    return None if value is None else Decimal(str(value))
