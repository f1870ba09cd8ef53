"""What a class of the second hand says of itself, and what it leaves behind in the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Desk = Row = Any  # of desk.py, which knows the kinds
MECHANISMS = tuple(f"M{n}" for n in range(1, 14))
UNNAMED = "-"  # no mechanism names it; a general one should find it all the same
RECORDS = 5

# How a finding may explain itself; the words of a finding's axis
MISSING, MISMATCHED, INVENTED, LATE = "missing", "mismatch", "arbitrary", "late"


@dataclass(frozen=True)
class Kind:
    """A class of defects. `spoil` plants its records at a desk and lets it note the truth.

    A finding explains a record rightly where it names one of `columns` (of the record, or of the other side in
    `others`; none: the record as a whole) and its axis is one of `explained`. `near` are groups of the record's
    columns by which a coarser finding may name it (a day of a point, an account), as long as it explains it rightly.
    """

    code: str
    mechanism: str
    table: str
    columns: tuple[str, ...]
    explained: tuple[str, ...]
    words: str
    spared: str
    cost: str
    spoil: Callable[[Desk, Kind], None]
    others: tuple[str, ...] = ()
    near: tuple[tuple[str, ...], ...] = ()
    breaks_identity: bool = False


@dataclass(frozen=True)
class Unusual:
    """A kind of data that is valid and looks wrong: no finding may block, quarantine or warn because of it.

    `reason` says why it is valid, `source` where that is written, if anywhere. The other members are those of a `Kind`.
    """

    code: str
    table: str
    columns: tuple[str, ...]
    words: str
    reason: str
    spoil: Callable[[Desk, Unusual], None]
    source: str = ""
    near: tuple[tuple[str, ...], ...] = ()
    breaks_identity: bool = False


@dataclass(frozen=True)
class Planted:
    """One record that was spoilt, or made unusual. `record_key` holds the key columns of the contract as they are
    delivered, `other_keys` further keys at which a finding may name it, `spared` keys of the same table that no
    finding may name.
    """

    kind: Kind | Unusual
    record_key: dict
    other_keys: tuple[dict, ...] = ()
    spared: tuple[dict, ...] = ()
    right_value: str | None = None

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def table(self) -> str:
        return self.kind.table


@dataclass(frozen=True)
class Slip:
    """The commonest form: single cells of single records. `spoil(row, number)` gives the new values, or None for a
    record that this slip cannot happen to.
    """

    where: Callable[[Row], bool]
    values: Callable[[Row, int], dict]
    equals: dict = field(default_factory=dict)
    other_keys: Callable[[Desk, Row], tuple[dict, ...]] = lambda desk, row: ()
    number: int = RECORDS

    def __call__(self, desk: Desk, kind: Kind) -> None:
        rows = desk.draw(kind, kind.table, self.where, self.number, **self.equals)
        for number, row in enumerate(rows):
            desk.spoil(kind, row, self.other_keys(desk, row), **self.values(row, number))


def slip(
    code: str,
    mechanism: str,
    column: str,
    explained: tuple[str, ...] | str,
    words: str,
    values: Callable[[Row, int], dict],
    where: Callable[[Row], bool] = lambda row: True,
    *,
    equals: dict | None = None,
    spared: str = "the other records of the same account",
    cost: str = "none in kWh or yuan",
    columns: tuple[str, ...] = (),
    other_keys: Callable[[Desk, Row], tuple[dict, ...]] = lambda desk, row: (),
    number: int = RECORDS,
    **more,
) -> Kind:
    """A class of single cells: `column` is table.column, further spoilt columns are in `columns`."""
    table, first = column.split(".")
    explained = (explained,) if isinstance(explained, str) else explained
    spoil = Slip(where, values, equals or {}, other_keys, number)
    return Kind(code, mechanism, table, (first, *columns), explained, words, spared, cost, spoil, **more)


def unusual(
    code: str,
    column: str,
    words: str,
    reason: str,
    values: Callable[[Row, int], dict],
    where: Callable[[Row], bool] = lambda row: True,
    *,
    source: str = "",
    equals: dict | None = None,
    columns: tuple[str, ...] = (),
) -> Unusual:
    """A kind of single cells: `column` is table.column."""
    table, first = column.split(".")
    return Unusual(code, table, (first, *columns), words, reason, Slip(where, values, equals or {}), source)
