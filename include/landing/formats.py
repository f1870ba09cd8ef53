"""A file in the utility's own format as a grid of text: encoding, delimiter, header and units as a reviewed mapping states them.

What a contract's own file is, `files.py` reads; here a file is read as its mapping says, and nothing is guessed. Whoever
proposes a mapping (`include.onboarding`) reads through the same functions.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from include.landing.delivery import FileProblem
from include.landing.workbooks import cell_text

KINDS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".parquet": "parquet"}
UTF_16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_FIELD_LIMIT = 16 << 20


@dataclass(frozen=True)
class Format:
    """How a file is written. `header` are the lines of the header, joined column by column where there are several; `data` is
    the first line of data; `decimal` and `thousands` are of its numbers, `nulls` texts that say that there is no value."""

    kind: str = "csv"
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    header: tuple[int, ...] = (1,)
    data: int = 2
    decimal: str = "."
    thousands: str = ""
    nulls: tuple[str, ...] = ()
    sheet: str = ""


@dataclass
class Grid:
    """Rows of equal width as text (None where empty), each with its line, and the lines that do not split so."""

    names: list[str]
    rows: list[list[str | None]]
    lines: list[int]
    malformed: list[tuple[int, str]]

    def column(self, name: str) -> list[str | None]:
        at = self.names.index(name)
        return [row[at] for row in self.rows]


def read_grid(content: bytes, form: Format) -> Grid:
    """The rows of a file below its header. Raises FileProblem where it is not written as the format says."""
    records = read_records(content, form)
    names = header_of(records, form.header)
    if not any(names):
        raise FileProblem(f"line {form.header[0]} has no header")
    width = len(names)
    grid = Grid(names, [], [], [])
    for line, fields in records:
        if line < form.data or not any(fields):
            continue
        if len(fields) > width and not any(fields[width:]):
            fields = fields[:width]
        if len(fields) != width and form.kind == "csv":
            grid.malformed.append((line, form.delimiter.join(value or "" for value in fields)))
            continue
        fields = [*fields, *[None] * (width - len(fields))]
        grid.rows.append([None if value in form.nulls else value for value in fields])
        grid.lines.append(line)
    if width == 1 and form.kind == "csv" and (other := other_delimiter(names[0])):
        raise FileProblem(
            f"its delimiter is not {form.delimiter!r}: the header has one column, and {other!r} would split it"
        )
    return grid


def read_records(content: bytes, form: Format, limit: int | None = None) -> list[tuple[int, list[str | None]]]:
    """Every record with the line on which it begins; a blank field is None. `limit` is a number of records."""
    if form.kind == "parquet":
        return _parquet(content, limit)
    if form.kind == "xlsx":
        return _sheet(content, form.sheet, limit)
    text = decoded(content, form.encoding)
    csv.field_size_limit(_FIELD_LIMIT)
    reader, records, before = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter), [], 0
    try:
        for fields in reader:
            records.append((before + 1, [value.strip() or None for value in fields]))
            before = reader.line_num
            if limit and len(records) >= limit:
                break
    except csv.Error as error:
        raise FileProblem(f"line {before + 1} is no CSV ({error})") from None
    return records


def decoded(content: bytes, encoding: str) -> str:
    """The text of a file. Raises FileProblem, which says how it reads instead."""
    if content[:2] in UTF_16 and not encoding.lower().startswith("utf-16"):
        raise FileProblem(f"it is UTF-16, not {encoding}")
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        for other in ("utf-8-sig", "gb18030"):
            try:
                content.decode(other)
            except UnicodeDecodeError:
                continue
            raise FileProblem(f"it is no {encoding}; it reads as {other}") from None
        raise FileProblem(f"it is no {encoding} ({error})") from None


def header_of(records: list[tuple[int, list[str | None]]], lines: tuple[int, ...]) -> list[str]:
    """Names of the columns; of several lines joined, a blank in an upper one repeats what is left of it (merged cells)."""
    rows = [fields for line, fields in records if line in lines]
    width = max((len(row) for row in rows), default=0)
    parts: list[list[str]] = [[] for _ in range(width)]
    for number, row in enumerate(rows):
        last = None
        for at in range(width):
            value = row[at] if at < len(row) else None
            last = value or (last if number < len(rows) - 1 else None)
            if last and last not in parts[at]:
                parts[at].append(" ".join(last.split()))
    names = [" ".join(part) for part in parts]
    while names and not names[-1]:
        names.pop()
    return names


def other_delimiter(line: str) -> str | None:
    """The delimiter that splits a line into most fields, where one does."""
    best = max(";\t|,", key=line.count)
    return best if line.count(best) else None


def _parquet(content: bytes, limit: int | None) -> list[tuple[int, list[str | None]]]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        rows = pa.parquet.ParquetFile(pa.BufferReader(content)).read().slice(0, limit)
        columns = [column.cast(pa.string()).to_pylist() for column in rows.columns]
    except (pa.ArrowException, OSError) as error:
        raise FileProblem(f"it is no complete Parquet file ({' '.join(str(error).split())[:160]})") from None
    body = [[None if value in (None, "", "nan") else value for value in row] for row in zip(*columns, strict=True)]
    return [(1, list(rows.column_names)), *enumerate(body, start=2)]


def _sheet(content: bytes, name: str, limit: int | None) -> list[tuple[int, list[str | None]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book[name] if name else book.worksheets[0]
        rows = sheet.iter_rows(values_only=True, max_row=limit)
        return [(line, [_cell(value) for value in row]) for line, row in enumerate(rows, start=1)]
    except Exception as error:  # openpyxl, zipfile and the XML parser each have their own
        raise FileProblem(f"it is no readable xlsx workbook ({' '.join(str(error).split())[:160]})") from None


def _cell(value: object) -> str | None:
    """The text of a cell without blanks around it."""
    return (cell_text(value) or "").strip() or None
