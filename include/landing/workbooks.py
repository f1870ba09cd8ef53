"""What is in the first sheet of an xlsx workbook, as the text that a reader of the sheet would write. Runs in a child process."""

from __future__ import annotations

import re
import zipfile
from array import array
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa

from include.landing.delivery import FileProblem
from include.landing.files import MOST_COLUMNS, Found, refuse_other_beginning, short

_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number
_BATCH_ROWS = 10_000
_ERRORS = {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")


def read_xlsx(file: BinaryIO, is_known_whole: bool, found: Found) -> Iterator[pa.RecordBatch]:
    """The first sheet, a header in its first row. Raises FileProblem where a value was never saved, or it is no workbook."""
    refuse_other_beginning(file, b"PK\x03\x04", "xlsx workbook", "save it as .xlsx")
    try:
        yield from _read(file, found)
    except (FileProblem, MemoryError, GeneratorExit):
        raise
    except Exception as error:  # openpyxl, zipfile and the XML parser each have their own
        # what others say may quote a cell
        said = short(error) if isinstance(error, zipfile.BadZipFile | KeyError | SyntaxError) else type(error).__name__
        raise FileProblem(f"it is no readable xlsx workbook ({said}); save it as .xlsx again") from None


def _read(file: BinaryIO, found: Found) -> Iterator[pa.RecordBatch]:
    import openpyxl
    from openpyxl.utils import get_column_letter

    with zipfile.ZipFile(file) as archive:
        expanded = sum(part.file_size for part in archive.infolist())
        if expanded > found.most_bytes:
            raise FileProblem(
                f"it expands to {expanded >> 20:,} MiB, more than the {found.most_bytes >> 20:,} that are read of it;"
                " save the rows alone, in several files where they are many"
            )
        for part in archive.infolist():
            with archive.open(part) as opened:
                if part.filename.endswith((".xml", ".rels")) and _ENTITIES.search(opened.read(4096)):
                    raise FileProblem("it declares entities, which no workbook needs; save it as .xlsx again")
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        if not book.worksheets:
            raise FileProblem("it is a workbook without a sheet; save the rows in its first one")
        sheet = book.worksheets[0]
        has_formulas, is_merged = _looks(archive, sheet._worksheet_path)
    formulas = openpyxl.load_workbook(file, read_only=True).worksheets[0] if has_formulas else None
    for each in (*book.worksheets, *([formulas] if formulas else [])):
        each.reset_dimensions()  # what the sheet says of its size may be too small
    if sheet.sheet_state != "visible":
        found.notices.append(f"the sheet read, {sheet.title!r}, is hidden")
    for other in book.worksheets[1:]:
        if any(value is not None for row in other.iter_rows(values_only=True, max_row=1000) for value in row):
            found.notices.append(f"only the first sheet is read; {other.title!r} has cells")
    if is_merged:
        found.notices.append("cells are merged; only the first cell of each has the value")
    asked = formulas.iter_rows(values_only=True) if formulas else None
    rows = sheet.iter_rows(values_only=True)
    header = [cell_text(value) for value in _checked(next(rows, ()), asked, 1)]
    while header and header[-1] is None:
        header.pop()
    if not header:
        raise FileProblem("the workbook is empty in its first row; begin with the header")
    if len(header) > MOST_COLUMNS:
        raise FileProblem(f"its header has more than {MOST_COLUMNS:,} columns")
    names = [name if name is not None else f"column {at} without a name" for at, name in enumerate(header, start=1)]
    wrong, lines, batch, is_first = [], array("q"), [], True
    for line, row in enumerate(rows, start=2):
        cells = [cell_text(value) for value in _checked(row, asked, line)]
        for at, text in enumerate(cells):
            if text is not None and text.startswith("#") and text in _ERRORS:
                wrong.append(f"{text} in {get_column_letter(at + 1)}{line}")
        if any(text is not None for text in cells[len(names) :]):
            found.malformed.append((line, ",".join(text or "" for text in cells)))
        elif any(text is not None for text in cells):
            lines.append(line)
            batch.append(cells + [None] * (len(names) - len(cells)))
        if len(batch) == _BATCH_ROWS:
            yield _batch(names, batch)
            batch, is_first = [], False
    if batch or is_first:
        yield _batch(names, batch)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        found.notices.append(f"the spreadsheet could not work out {', '.join(wrong[:3])}{more}")
    found.lines = lines


def _looks(archive: zipfile.ZipFile, path: str) -> tuple[bool, bool]:
    """Whether the sheet has formulas, and whether it has merged cells."""
    has_formulas = is_merged = False
    before = b""
    with archive.open(path.lstrip("/")) as part:
        while chunk := part.read(1 << 20):
            has_formulas |= bool(_FORMULA.search(before + chunk))
            is_merged |= bool(_MERGED.search(before + chunk))
            before = chunk[-64:]
    return has_formulas, is_merged


def _checked(row: tuple, formulas: Iterator[tuple] | None, line: int) -> tuple:
    """The row; raises FileProblem where a cell has a formula and no value, as programs write them that do not calculate."""
    if formulas is not None:
        for at, formula in enumerate(next(formulas, ())):
            is_formula = (isinstance(formula, str) and formula.startswith("=")) or type(formula).__name__.endswith(
                "Formula"
            )
            if is_formula and (at >= len(row) or row[at] is None):
                from openpyxl.utils import get_column_letter

                raise FileProblem(
                    f"the formula in {get_column_letter(at + 1)}{line} has no saved value; open the workbook in a"
                    " spreadsheet program and save it, or write the values"
                )
    return row


def _batch(names: list[str], rows: list[list[str | None]]) -> pa.RecordBatch:
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in range(len(names))]
    return pa.RecordBatch.from_arrays(columns, names=names)


def cell_text(value: object) -> str | None:
    """A number too long for a spreadsheet is shown as one: 1.23E+21. Its digits are gone, whatever the file says."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, int | float):
        if abs(value) >= 10**_EXACT_DIGITS:
            return f"{value:.{_EXACT_DIGITS - 1}E}"
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)
