"""What stands in a CSV, Parquet or xlsx file: its rows as text, each with its line, and the lines that do not split."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from include.landing.delivery import LINE, FileProblem

Read = tuple[pa.Table, list[tuple[int, str]]]
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number


def read_csv(content: bytes, is_known_whole: bool) -> Read:
    """UTF-8 with or without BOM, a header, an empty field for null.

    `is_known_whole` where a checksum proved it: then a last line without its end is no sign of a half-written file.
    Raises FileProblem where it is no such file, or where its last line is cut off.
    """
    if not content.endswith(b"\n") and not is_known_whole:
        raise FileProblem("the last line has no line end: the file is half-written")
    malformed: list[pa.csv.InvalidRow] = []

    def keep_aside(row: pa.csv.InvalidRow) -> str:
        malformed.append(row)
        return "skip"

    try:
        header = pa.csv.read_csv(pa.BufferReader(content.partition(b"\n")[0] + b"\n")).column_names
        rows = pa.csv.read_csv(
            pa.BufferReader(content),
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=64 << 20),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_aside),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=True, null_values=[""]
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise FileProblem(f"it is no UTF-8 CSV{_other_encoding(content)} ({_short(error)})") from None
    count = rows.num_rows + len(malformed)
    last = malformed[-1] if malformed else None
    if last and last.number == count + 1 and last.actual_columns < last.expected_columns:
        raise FileProblem(f"its last row {last.number} is cut off: the file is half-written")
    if content.count(b'"') % 2 and rows.num_rows and (rows.columns[-1][-1].as_py() or "").endswith("\n"):
        raise FileProblem("the quoted text at its end is never closed: the file is half-written")
    # Rows are lines unless a quoted text holds a line end or a line is blank.
    ends = content.count(b"\n") + (not content.endswith(b"\n"))
    lines = list(range(2, count + 2)) if ends == count + 1 else _lines(content, count)
    aside = {row.number - 2 for row in malformed}
    kept = [line for at, line in enumerate(lines) if at not in aside] if aside else lines
    return _with_lines(rows, kept), [(lines[row.number - 2], row.text) for row in malformed]


def _other_encoding(content: bytes) -> str:
    """A hint for who delivers it: old Chinese systems write GBK, which as UTF-8 is nothing."""
    for encoding in ("utf-8", "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            content.decode(encoding)
            return "" if encoding == "utf-8" else "; it reads as GBK"
    return ""


def _lines(content: bytes, count: int) -> list[int]:
    """The line on which each row after the header starts."""
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=""))
    starts, before = [], 0
    try:
        for row in reader:
            if row:
                starts.append(before + 1)
            before = reader.line_num
    except csv.Error:  # a field of more than 128 KiB
        pass
    starts = starts[1:]
    return starts if len(starts) == count else list(range(2, count + 2))


def read_parquet(content: bytes, is_known_whole: bool = False) -> Read:
    """Every column as text, but a curve's slots as they are where they are floating. NaN is null."""
    try:
        rows = pa.parquet.ParquetFile(pa.BufferReader(content)).read()
        columns = []
        for name, column in zip(rows.column_names, rows.columns, strict=True):
            is_number = pa.types.is_floating(column.type)
            if is_number and pc.any(pc.is_nan(column)).as_py():
                column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
            is_slot = is_number and re.fullmatch(r"v\d\d?", name)
            columns.append(column if is_slot else pc.cast(column, pa.string()))
        text = pa.table(columns, names=rows.column_names)
    except (pa.ArrowException, OSError) as error:
        raise FileProblem(f"it is no complete Parquet file ({_short(error)})") from None
    return _with_lines(text, range(1, rows.num_rows + 1)), []


def read_xlsx(content: bytes, is_known_whole: bool = False) -> Read:
    """The first sheet, a header in its first row; every cell as the text that a reader of the sheet would write."""
    import openpyxl

    try:
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        cells = [[_cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # openpyxl, zipfile and the XML parser each have their own
        raise FileProblem(f"it is no readable xlsx workbook ({_short(error)})") from None
    if not cells:
        raise FileProblem("the workbook is empty")
    header = cells[0]
    while header and header[-1] is None:
        header.pop()
    if repeated := [str(name) for name, times in Counter(header).items() if times > 1]:
        raise FileProblem(f"column {', '.join(repeated)} appears twice in the header")
    filled = [(line, row) for line, row in enumerate(cells[1:], start=2) if any(value is not None for value in row)]
    columns = {
        str(name): pa.array([row[at] if at < len(row) else None for _, row in filled], pa.string())
        for at, name in enumerate(header)
    }
    return _with_lines(pa.table(columns), [line for line, _ in filled]), []


def _cell_text(value: object) -> str | None:
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


def _with_lines(rows: pa.Table, lines: list[int] | range) -> pa.Table:
    return rows.append_column(LINE, pa.array(lines, pa.int64()))


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


READERS = {".csv": read_csv, ".parquet": read_parquet, ".xlsx": read_xlsx}
