"""The proposal for a source: of each file its table, format and columns, with what is sure, doubtful and missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import PurePath

import yaml

from include.contracts import Table, load_contracts
from include.landing.delivery import FileProblem
from include.landing.formats import Format
from include.onboarding.columns import Mapped, map_columns
from include.onboarding.names import table_likeness
from include.onboarding.notes import Notes
from include.onboarding.slots import Slots, find_slots
from include.onboarding.sniff import Sniffed, sniff

CURVES = "met_interval_96"


@dataclass
class Proposed:
    """A table and the files that fill it. `problem` says why a file could be given to no table."""

    file: str
    sniffed: Sniffed | None = None
    table: str | None = None
    columns: dict[str, dict] = field(default_factory=dict)
    intervals: dict | None = None
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    doubts: dict[str, tuple[object, str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    def entry(self, files: str) -> dict:
        """What the mapping of the source says of the table."""
        found: dict = {"files": files, "format": _stated(self.sniffed.form)}
        if self.intervals:
            found["intervals"] = self.intervals
        else:
            found["columns"] = self.columns
            found["missing"] = [name for name in self.missing if name not in self.columns]
        found["unused"] = self.unused
        found["doubts"] = [
            {"setting": setting, "chosen": chosen, "why": why, "confirmed": False}
            for setting, (chosen, why) in self.doubts.items()
        ]
        return found


def propose(source: str, file_name: str, content: bytes, today: date | None = None) -> Proposed:
    """The best table for one file of a source. Never raises for what a file holds; `problem` says it."""
    try:
        sniffed = sniff(content, PurePath(file_name).name)
    except FileProblem as problem:
        return Proposed(file_name, problem=str(problem))
    return propose_rows(source, file_name, sniffed, today)


def propose_rows(source: str, name: str, sniffed: Sniffed, today: date | None = None) -> Proposed:
    """The best table for rows of text, whatever they were read from."""
    proposed = Proposed(name, sniffed)
    tables = load_contracts()[source]
    slots = find_slots(sniffed) if CURVES in tables else None
    mapped = {
        table.name: map_columns(sniffed, table, f"{today or date.today()}")
        for table in tables.values()
        if table.name != CURVES or {"data_type", "v1", "v96"} <= set(sniffed.grid.names)
    }
    scores = {table: found.score + 2 * table_likeness(name, tables[table]) for table, found in mapped.items()}
    best = sorted(scores, key=lambda table: -scores[table])
    if slots and not (best and best[0] == CURVES):
        _take_slots(proposed, sniffed, slots)
        return proposed
    if not best or scores[best[0]] < 2:
        proposed.problem = f"its columns ({', '.join(sniffed.grid.names[:8])}) are those of no table of {source}"
        return proposed
    _take_columns(proposed, sniffed, tables[best[0]], mapped[best[0]])
    if len(best) > 1 and scores[best[1]] > scores[best[0]] - 1:
        proposed.doubts["table"] = (best[0], f"{best[1]} is as likely by its columns")
    elif rivals := _with_all_of(proposed, tables):
        told = ", ".join(name for name, column in proposed.columns.items() if "from" in column)
        proposed.doubts["table"] = (best[0], f"of its columns the file fills {told} alone, as {rivals[0]} would")
    return proposed


def _with_all_of(proposed: Proposed, tables: dict[str, Table]) -> list[str]:
    """Other tables that have every column which the file fills: nothing in the file tells them from the table that was chosen."""
    filled = {name for name, column in proposed.columns.items() if "from" in column}
    others = {
        name: {column.name for column in table.columns} for name, table in tables.items() if name != proposed.table
    }
    return [name for name, columns in others.items() if filled <= columns]


def _take_slots(proposed: Proposed, sniffed: Sniffed, slots: Slots) -> None:
    proposed.table, proposed.intervals, proposed.unused = CURVES, slots.layout, slots.unused
    _say(proposed, sniffed.notes, slots.notes)


def _take_columns(proposed: Proposed, sniffed: Sniffed, table: Table, mapped: Mapped) -> None:
    proposed.table, proposed.columns = table.name, mapped.columns
    proposed.missing, proposed.unused = mapped.missing, mapped.unused
    _say(proposed, sniffed.notes, mapped.notes)


def _say(proposed: Proposed, *notes: Notes) -> None:
    for each in notes:
        proposed.doubts |= each.doubts
        proposed.reasons |= each.reasons


def _stated(form: Format) -> dict:
    """What of a format is not as in a contract's own file."""
    default = Format()
    stated = {
        name: value for name, value in asdict(form).items() if value != getattr(default, name) or name == "encoding"
    }
    return {name: list(value) if isinstance(value, tuple) else value for name, value in stated.items()}


def dumped(entry: dict) -> str:
    return yaml.safe_dump(entry, allow_unicode=True, sort_keys=False, width=120)
