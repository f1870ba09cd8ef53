"""Workbooks for people: every text is a text cell, sheets split at their limit, the same content gives the same bytes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

SHEET_ROWS = 1_048_576  # of a worksheet, its heading included
CELL_CHARACTERS = 32_767
_STAMPS = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


class Writer:
    """Rows under a heading, one by one; a new sheet where one is full. `columns` is heading -> width in characters."""

    def __init__(self, columns: dict[str, int], title: str = "findings", sheet_rows: int = SHEET_ROWS) -> None:
        self._book, self._columns, self._title, self._sheet_rows = Workbook(write_only=True), columns, title, sheet_rows
        self._rows, self._sheet = 0, None

    def append(self, line: Iterable) -> None:
        if self._sheet is None or self._rows % (self._sheet_rows - 1) == 0:
            self._add_sheet()
        self._sheet.append([cell(self._sheet, value) for value in line])
        self._rows += 1

    def save(self, path: Path) -> None:
        """A reader never sees half of it; the times at which it was written are left out."""
        if self._sheet is None:
            self._add_sheet()
        stamped, partial = path.with_suffix(".xlsx.stamped"), path.with_suffix(".xlsx.partial")
        self._book.save(stamped)
        with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as target:
            for entry in source.infolist():
                timeless = zipfile.ZipInfo(entry.filename)  # of 1980-01-01
                timeless.compress_type = zipfile.ZIP_DEFLATED
                with source.open(entry) as given, target.open(timeless, "w", force_zip64=True) as kept:
                    if entry.filename == "docProps/core.xml":
                        kept.write(_STAMPS.sub(rb"\g<1>1980-01-01T00:00:00Z", given.read()))
                    else:
                        while part := given.read(1 << 20):
                            kept.write(part)
        stamped.unlink()
        partial.replace(path)

    def _add_sheet(self) -> None:
        number = len(self._book.worksheets) + 1
        self._sheet = self._book.create_sheet(self._title if number == 1 else f"{self._title} {number}")
        self._sheet.freeze_panes = "A2"
        for place, width in enumerate(self._columns.values(), start=1):
            self._sheet.column_dimensions[get_column_letter(place)].width = width
        heading = [cell(self._sheet, name) for name in self._columns]
        for named in heading:
            named.font = Font(bold=True)
        self._sheet.append(heading)


def cell(sheet, value: object):
    """A number as a number; anything else as text, whatever it looks like."""
    if isinstance(value, int | Decimal):
        return WriteOnlyCell(sheet, value)
    written = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value)[:CELL_CHARACTERS])
    written.data_type, written.number_format = "s", "@"
    return written
