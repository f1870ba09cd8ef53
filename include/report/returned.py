"""A work list that an office sends back: what it filled in beside each finding becomes a note of that finding.

Read by its headings, as xlsx or CSV, whatever order the rows have now. A row that cannot be taken is named with its line and keeps
none of the others from being taken; the same file again changes nothing.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl

from include.errors import UsageError
from include.quality import repairs
from include.quality.repairs import Note, Work
from include.quality.waivers import APPROVER
from include.records import ledger, locks
from include.records.warehouse import Warehouse
from include.report.text import FORMULA
from include.report.worklists import ANSWERS

FINDING, NOTE = "finding", "note"


@dataclass
class Taken:
    """Of the rows of a file: noted now, as they were already, and not taken, each with its line and the reason."""

    noted: int = 0
    unchanged: int = 0
    refused: list[str] = field(default_factory=list)


def take(warehouse: Warehouse, path: Path, *, by: str, entered_by: str | None = None) -> Taken:
    """Enters what a returned list says. Raises UsageError where the file is no work list, or nobody is named."""
    if not (by or "").strip():
        raise UsageError("--by is empty.", where="findings", next_step="say who says so; the ledger keeps it.")
    taken, notes, said = Taken(), [], set()
    rows = list(_rows(path, taken.refused))
    numbers = {number for _, row in rows if (number := _number(row[FINDING])) is not None}
    with warehouse.as_role(APPROVER).connect() as connection:
        locks.hold(connection, "finding notes")  # two lists at once would each find the other's rows unsaid
        known, offices = repairs.work(connection, numbers), repairs.offices(connection)
        for line, row in rows:
            number = _number(row[FINDING])
            of = known.get(number)
            if number is None:
                taken.refused.append(f"line {line}: {row[FINDING]!r} is no number of a finding")
                continue
            note = _changed(number, row, of)
            if not note.said().keys() - {"finding_id"}:
                taken.unchanged += 1
                continue
            why = "the finding is there twice" if number in said else repairs.problem(note, of, offices)
            if why is None and _number(row[NOTE] or "0") != of.note_id:
                why = f"finding {number} was noted otherwise after the list was written"
            if why:
                taken.refused.append(f"line {line}: {why}")
            else:
                notes.append(note)
                said.add(number)
        if notes:
            repairs.enter(connection, notes, by=by, entered_by=entered_by)
    ledger.write_head(warehouse.address)
    taken.noted = len(notes)
    return taken


def _changed(number: int, row: dict[str, str], of: Work | None) -> Note:
    """What the row says otherwise than what is known. A cell that was emptied says nothing."""
    said = {name: row[heading] or None for heading, name in ANSWERS.items()}
    if of is not None:
        now = vars(of) | {"office": of.office or of.owner}
        said = {name: value if value != now[name] else None for name, value in said.items()}
        if said["person"] and not said["office"]:
            said["office"] = now["office"]
        elif said["office"] and not said["person"] and row["person"]:
            said["person"] = row["person"]
    return Note(number, **said)


def _number(text: str) -> int | None:
    text = text.removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() else None


def _rows(path: Path, refused: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by heading of every row that is not empty; a CSV may be one that Excel saved in Chinese.

    A sheet that is filled and has no headings is told in `refused`, where another has them.
    """
    try:
        lists = _sheets(path) if path.suffix.lower() == ".xlsx" else [csv.reader(io.StringIO(_text(path)))]
        found, without = False, []
        for number, lines in enumerate(lists, start=1):
            headings = None
            for line, cells in enumerate(lines, start=1):
                cells = [_cell(cell) for cell in cells]
                if headings is None:
                    headings = cells
                    wanted = {FINDING, NOTE, *ANSWERS}
                    if wanted <= set(headings):
                        found = True
                        continue
                    if not any(headings):  # an empty line, or a sheet that Excel put there
                        headings = None
                        continue
                    without.append(number)
                    break
                if any(cells):
                    yield (
                        line,
                        {FINDING: "", NOTE: "", **dict.fromkeys(ANSWERS, "")}
                        | dict(zip(headings, cells, strict=False)),
                    )
    except (
        OSError,
        ValueError,
        KeyError,
        csv.Error,
        zipfile.BadZipFile,
        openpyxl.utils.exceptions.InvalidFileException,
    ) as error:
        raise UsageError(
            f"{path} cannot be read: {error}.", where="FILE", next_step="give a work list as ./kaw worklists wrote it."
        ) from error
    refused += [
        f"sheet {number}: it has not the headings of a work list, so none of its rows was taken" for number in without
    ]
    if not found:
        raise UsageError(
            f"{path} is no work list: a heading of {', '.join([FINDING, *ANSWERS, NOTE])} is missing.",
            where="FILE",
            next_step="give a list as ./kaw worklists wrote it, with its headings.",
        )


def _sheets(path: Path) -> Iterator[Iterator[tuple]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            yield sheet.iter_rows(values_only=True)
    finally:
        book.close()


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _cell(value: object) -> str:
    """As it was before the list made it harmless for a spreadsheet."""
    text = "" if value is None else str(value).strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
