"""What a reader hands to the landing: rows as delivered, what was announced, and what an absent row means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:  # the process that reads files starts without the contracts
    from include.contracts import Table

LINE = "_file_line"


class FileProblem(ValueError):
    """Why a file is refused whole, as one sentence, with what to do where that does not follow from it."""

    def __init__(self, problem: str) -> None:
        super().__init__(printable(problem, 600))


def printable(text: str, most: int = 200) -> str:
    """Text of a file as it can be stored and shown: control characters and halves of characters as escapes, and cut off."""
    letters = (letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:most])
    return "".join(letters) + ("…" if len(text) > most else "")


@dataclass
class Delivery:
    """Rows of one table as text, one Arrow string column per delivered contract column, plus `_file_line` (int64).

    A curve's slots may stay numeric; everything else is text, so that the value that is checked is the value that lands.
    `complete` says for which rows the delivery is the whole truth, so that an absent row is a withdrawn one:
    None (none), "all" (the whole table), or a range of event dates, both inclusive.
    `malformed` are rows that could not be split into fields: (line, text).
    """

    table: Table
    rows: pa.Table
    channel: str = "auto"
    file_name: str | None = None
    content_sha256: str | None = None
    announced_rows: int | None = None
    announced_sums: dict[str, str] | None = None
    announced_withdrawals: int | None = None  # rows that the source says it took out since its last delivery
    unknown_columns: list[str] = field(default_factory=list)
    window_from: datetime | None = None
    complete: str | tuple[date, date] | None = None
    malformed: list[tuple[int, str]] = field(default_factory=list)
    business_date: date | None = None  # of its file; None where it is that of the night
    is_synthetic: bool = False  # the source says of itself that it is made up
    notices: list[str] = field(default_factory=list)  # what landed otherwise than it is in the file, or was passed over
    slot_minutes: int | None = None  # of the curves of an interval file, whose slots merge with what landed; else None


@dataclass
class Refusal:
    """A delivery that is not landed at all: wrong header, encoding, checksum or ending, or no delivery where one is due."""

    table: Table
    problem: str
    file_name: str | None = None
    content_sha256: str | None = None
    channel: str = "auto"
    announced_rows: int | None = None


@dataclass
class AlreadyLanded:
    """A file whose content landed before, under this or another name."""

    table: Table
    file_name: str | None
    content_sha256: str | None
    channel: str = "auto"
    complete: str | tuple[date, date] | None = None
    business_date: date | None = None


@dataclass
class Ignored:
    """What lies in a source's folder and is not read. `table_name` is that of its folder, whether a table has it or not."""

    source: str
    table_name: str
    file_name: str
    problem: str
    channel: str = "auto"


def header_problem(columns: list[str], delivered: list[str]) -> str | None:
    """What is wrong with a header, as one sentence; None where every contract column is there once."""
    missing = [name for name in columns if name not in delivered]
    repeated = sorted({name for name in delivered if delivered.count(name) > 1})
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        return f"column {shown} of the contract is missing"
    if repeated:
        return f"column {', '.join(repeated)} appears twice in the header"
    return None
