"""What is in a CSV or Parquet file: its rows as text, batch by batch, and what does not split. `workbooks.py` reads xlsx.

These readers run in a child process (`reading.py`): what they read was written by somebody else.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv

from include.landing.delivery import LINE, FileProblem

MOST_COLUMNS = 2000
_BLOCK, _LARGE_BLOCK = 4 << 20, 32 << 20  # bytes of CSV in memory at a time; no line is longer than the larger
_CHUNK = 1 << 20
_BATCH_ROWS = 16_384
_FEWEST_COLUMNS = 4  # of which a line of text with as many commas is taken for a row

# What a file begins with that is not what its name says.
_BEGINNINGS = {
    b"\xff\xfe\0\0": "it is UTF-32, not UTF-8; save it as CSV UTF-8",
    b"\0\0\xfe\xff": "it is UTF-32, not UTF-8; save it as CSV UTF-8",
    b"\xff\xfe": "it is UTF-16, not UTF-8; save it as CSV UTF-8",
    b"\xfe\xff": "it is UTF-16, not UTF-8; save it as CSV UTF-8",
    b"\xef\xbb\xbf\xef\xbb\xbf": "it begins with a byte order mark twice; write it once, or not at all",
    b"PK\x03\x04": "it is a workbook or another zip archive; give it its own ending, or save it as CSV UTF-8",
    b"\x1f\x8b": "it is compressed by gzip; unpack it",
    b"\xd0\xcf\x11\xe0": "it is an old workbook (.xls) or an encrypted one; save it as .xlsx without a password",
    b"PAR1": "it is a Parquet file; give it the ending .parquet",
    b"PARE": "it is encrypted Parquet; deliver it without encryption",
    b"%PDF": "it is a PDF; deliver the table as CSV, Parquet or xlsx",
}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "|"}


@dataclass
class Found:
    """What a reader notes beside the batches; whole when they have all been read.

    `malformed` are rows that do not split: (number of the row, from 2, or its line, and its text). `lines` is None where the
    lines are the rows' numbers. `notices` are what landed otherwise than it is in the file, or was passed over.
    """

    malformed: list[tuple[int, str]] = field(default_factory=list)
    lines: array | None = None
    notices: list[str] = field(default_factory=list)
    first_line: int = 2
    most_bytes: int = 1 << 62  # to which the file may expand


def with_lines(rows: pa.Table, found: Found) -> tuple[pa.Table, list[tuple[int, str]]]:
    """The rows with the line of each, and the malformed ones with theirs."""
    first, count = found.first_line, rows.num_rows + len(found.malformed)
    lines = found.lines if found.lines is not None else range(first, count + first)
    if found.lines is not None and len(lines) == rows.num_rows:  # the reader told of the good rows alone
        return rows.append_column(LINE, pa.array(lines, pa.int64())), found.malformed
    aside = {number - first for number, _ in found.malformed}
    kept = [line for at, line in enumerate(lines) if at not in aside] if aside else lines
    return rows.append_column(LINE, pa.array(kept, pa.int64())), [
        (lines[number - first], text) for number, text in found.malformed
    ]


def read_csv(file: BinaryIO, is_known_whole: bool, found: Found) -> Iterator[pa.RecordBatch]:
    """UTF-8 with or without BOM, a header, an empty field for null; the first batch may have no rows.

    `is_known_whole` where a checksum proved it: then a last line without its end is no sign of a half-written file.
    Raises FileProblem where it is no such file, or where it is cut off.
    """
    header, ends, quotes, has_long_lines = _look_at(file, is_known_whole)
    keep_aside, malformed = [], found.malformed

    def keep(row: pa.csv.InvalidRow) -> str:
        malformed.append((row.number, row.text))
        keep_aside[:] = [row]
        return "skip"

    file.seek(0)
    rows, last = 0, None
    try:
        batches = pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=_LARGE_BLOCK if has_long_lines else _BLOCK),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=True, null_values=[""]
            ),
        )
        yield empty(batches.schema)
        for batch in batches:
            if quotes:
                _no_swallowed_rows(batch, rows)
            rows += batch.num_rows
            last = batch if batch.num_rows else last
            yield batch
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise FileProblem(_no_csv(file, error, quotes)) from None
    count, aside = rows + len(malformed), keep_aside[0] if keep_aside else None
    if aside and aside.number == count + 1 and aside.actual_columns < aside.expected_columns:
        if quotes % 2 and "\n" in aside.text:
            raise FileProblem(f"a quote in row {aside.number} is never closed; close it, or deliver the file whole")
        raise FileProblem(f"its last row {aside.number} is cut off: the file is half-written")
    if quotes % 2 and last is not None and (last.columns[-1][-1].as_py() or "").endswith("\n"):
        raise FileProblem("the quoted text at its end is never closed: the file is half-written")
    if ends != count + 1:  # rows are lines unless a quoted text holds a line end or a line is blank
        found.lines = _lines(file, count)


def _look_at(file: BinaryIO, is_known_whole: bool) -> tuple[list[str], int, int, bool]:
    """The names of the header, the line ends, the quotes, and whether some line is long. Raises FileProblem where it is no CSV with a header."""
    head = file.read(4096)
    if not head:
        raise FileProblem("the file is empty")
    for beginning, problem in _BEGINNINGS.items():
        if head.startswith(beginning):
            raise FileProblem(problem)
    if head[:200].count(0) > len(head[:200]) // 3:
        is_text = head[:200].count(0) <= len(head[:200]) // 2 + 1 and head.strip(b"\0")
        raise FileProblem(
            "it is UTF-16, not UTF-8; save it as CSV UTF-8"
            if is_text
            else "it begins with NUL bytes: it was never written; deliver it again"
        )
    if re.match(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml)", head, re.IGNORECASE):
        raise FileProblem("it is a page in HTML or XML, of a log-in or an error perhaps; deliver the table as CSV")
    file.seek(0)
    ends = returns = quotes = gap = longest = 0
    tail = b""
    while chunk := file.read(_CHUNK):
        ends, returns, quotes = ends + chunk.count(b"\n"), returns + chunk.count(b"\r"), quotes + chunk.count(b'"')
        first, tail = chunk.find(b"\n"), chunk[-1:]
        longest = max(longest, gap + (first if first >= 0 else len(chunk)))
        gap = gap + len(chunk) if first < 0 else len(chunk) - chunk.rfind(b"\n")
    if tail == b"\0":
        raise FileProblem("it ends in NUL bytes: it was not written to its end; deliver it whole")
    if returns and not ends:
        raise FileProblem("its lines end in CR alone; write them with LF or CR LF")
    if tail != b"\n" and not is_known_whole:
        raise FileProblem("the last line has no line end: the file is half-written")
    file.seek(0)
    line = file.readline(_CHUNK)
    if not line.removeprefix(b"\xef\xbb\xbf").strip():
        raise FileProblem("its first line is empty; begin with the header")
    if line.count(b",") >= MOST_COLUMNS:
        raise FileProblem(f"its header has more than {MOST_COLUMNS:,} columns")
    try:
        names = pa.csv.read_csv(pa.BufferReader(line.rstrip(b"\r\n") + b"\n")).column_names
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise FileProblem(_no_csv(file, error, quotes)) from None
    if len(names) == 1:
        for separator, words in _SEPARATORS.items():
            if separator in names[0]:
                raise FileProblem(f"its fields are separated by {words}; write commas")
    if names[0].lower().startswith("sep="):
        raise FileProblem("its first line is sep=; take it out, the header comes first")
    return names, ends + (tail != b"\n"), quotes, longest > _BLOCK // 2


def _no_swallowed_rows(batch: pa.RecordBatch, before: int) -> None:
    """Raises FileProblem where a quoted text holds as many commas as the rows between two quotes that were not closed."""
    if batch.num_columns < _FEWEST_COLUMNS:
        return
    for column in batch.columns:
        if not column.buffers()[2] or b"\n" not in column.buffers()[2].to_pybytes():
            continue
        import pyarrow.compute as pc  # not before it is needed: the process is to start at once

        for at in pc.indices_nonzero(pc.fill_null(pc.match_substring(column, "\n"), False)).to_pylist():
            text = column[at].as_py()
            if text.count(",") >= (batch.num_columns - 1) * text.count("\n"):
                raise FileProblem(
                    f"a quoted text of row {before + at + 2} holds whole rows: a quote is never closed; close it"
                )


def _no_csv(file: BinaryIO, error: Exception, quotes: int) -> str:
    """Which encoding it is not, and a hint for who delivers it: old Chinese systems write GBK, which as UTF-8 is nothing."""
    if not _reads_as(file, "utf-8"):
        hint = "; it reads as GBK" if _reads_as(file, "gb18030") else ""
        return f"it is no UTF-8 CSV{hint} ({short(error)}); save it as CSV UTF-8"
    if "straddling" in str(error):
        unclosed = ", or a quote is never closed" if quotes else ""
        return f"a line is longer than {_BLOCK >> 20} to {_LARGE_BLOCK >> 20} MiB{unclosed}; deliver it in lines"
    return f"it does not split into rows ({short(error)}); deliver it as CSV with a header"


def _reads_as(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _lines(file: BinaryIO, count: int) -> array | None:
    """The line on which each row after the header starts."""
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    starts, before = array("q"), 0
    try:
        reader = csv.reader(text)
        for row in reader:
            if row:
                starts.append(before + 1)
            before = reader.line_num
    except csv.Error:  # a field of more than 128 KiB
        pass
    finally:
        text.detach()
    return starts[1:] if len(starts) == count + 1 else None


def read_parquet(file: BinaryIO, is_known_whole: bool, found: Found) -> Iterator[pa.RecordBatch]:
    """Every column as text, but a curve's slots as they are where they are floating. NaN is null."""
    refuse_other_beginning(file, b"PAR1", "Parquet file", "deliver it as one, or give it its own ending")
    from pyarrow import parquet

    found.first_line = 1
    column = None
    try:
        opened = parquet.ParquetFile(file, pre_buffer=False, buffer_size=_CHUNK)
        schema = opened.schema_arrow
        if len(schema.names) > MOST_COLUMNS:
            raise FileProblem(f"it has more than {MOST_COLUMNS:,} columns")
        for batch in chain([empty(schema)], opened.iter_batches(_BATCH_ROWS, use_threads=False)):
            columns = []
            for column, values in zip(schema.names, batch.columns, strict=True):
                columns.append(_as_text(column, values))
            column = None
            yield pa.RecordBatch.from_arrays(columns, names=schema.names)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        what = f"column {column} cannot be read as text" if column else "it is no complete Parquet file"
        raise FileProblem(f"{what} ({short(error)}); deliver it again") from None


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """No rows. (pa.array would import pandas, which costs the process more than all else.)"""
    return pa.RecordBatch.from_arrays([pa.nulls(0, each.type) for each in schema], schema=schema)


def _as_text(name: str, values: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    is_number = pa.types.is_floating(values.type)
    if is_number and pc.any(pc.is_nan(values)).as_py():
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return values if is_number and re.fullmatch(r"v\d\d?", name) else pc.cast(values, pa.string())


def refuse_other_beginning(file: BinaryIO, beginning: bytes, what: str, next_step: str) -> None:
    """Raises FileProblem where a file is empty or begins as another kind of file does."""
    head = file.read(512)
    file.seek(0)
    if not head:
        raise FileProblem("the file is empty")
    if head.startswith(beginning):
        return
    for other, problem in _BEGINNINGS.items():
        if head.startswith(other):
            raise FileProblem(problem)
    is_csv = b"," in head and b"\0" not in head
    raise FileProblem(f"it is {'CSV, ' if is_csv else ''}no complete {what}; {next_step}")


def short(error: Exception) -> str:
    """What a library says, without the text of a row, which may be personal."""
    return re.sub(r"(Expected \d+ columns, got \d+).*", r"\1", " ".join(str(error).split()))[:160]
