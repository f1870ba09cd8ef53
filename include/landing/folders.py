"""Deliveries from a folder: `<address>/<table>/*.csv|*.parquet|*.xlsx`, with an optional `_manifest.json` per table."""
from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from include.contracts import Table
from include.landing.delivery import LINE, AlreadyLanded, Delivery, FileProblem, Refusal, header_problem
from include.landing.intervals import day_curves

MANIFEST = "_manifest.json"
SUFFIXES = (".csv", ".parquet", ".xlsx")
_DAY_IN_NAME = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!.*\d{4}-?\d{2}-?\d{2})")


def read_folder(
    address: Path, table: Table, business_date: date, landed: set[str], channel: str = "auto"
) -> Iterator[Delivery | Refusal | AlreadyLanded]:
    """Every file of a table that belongs to the business date or earlier, in order of date and name.

    A file dated later than the business date waits for its night. Files whose content landed before are named, not read.
    """
    folder = address / table.name
    manifest = _manifest(folder)
    if isinstance(manifest, str):
        yield Refusal(table, manifest, file_name=f"{table.name}/{MANIFEST}", channel=channel)
        return
    announced = {entry["name"]: entry for entry in manifest.get("files", [])}
    paths = sorted(
        (p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(("_", ".", "~"))),
        key=lambda p: (_day_of(p, announced) or date.min, p.name),
    ) if folder.is_dir() else []
    for name in sorted(set(announced) - {p.name for p in paths}):
        if (_announced_day(announced[name]) or date.min) <= business_date:
            yield Refusal(table, "the manifest announces a file that is not there", f"{table.name}/{name}", channel=channel)
    for path in paths:
        if (_day_of(path, announced) or date.min) > business_date:
            continue
        shown = f"{table.name}/{path.name}"
        sha256 = _sha256(path)
        if sha256 in landed:
            yield AlreadyLanded(table, shown, sha256, channel)
            continue
        entry = announced.get(path.name, {})
        try:
            yield _read(path, table, entry, manifest, shown, sha256, channel)
        except FileProblem as problem:
            yield Refusal(table, str(problem), shown, sha256, channel, entry.get("rows"))


def _read(path: Path, table: Table, entry: dict, manifest: dict, shown: str, sha256: str, channel: str) -> Delivery:
    if entry.get("sha256") not in (None, sha256):
        raise FileProblem("its sha256 is not the announced one: the file is half-written or was changed on the way")
    rows, malformed = READERS[path.suffix.lower()](path)
    if "intervals" in manifest:
        rows = day_curves(rows, manifest["intervals"], table)
    delivered = [name for name in rows.column_names if name != LINE]
    if problem := header_problem(table, delivered):
        raise FileProblem(problem)
    known = {c.name for c in table.columns}
    complete: None | str | tuple[date, date] = None
    if entry.get("complete_from") and entry.get("complete_to"):
        complete = (date.fromisoformat(entry["complete_from"]), date.fromisoformat(entry["complete_to"]))
    elif table.is_full_compared and channel == "auto":
        complete = "all"
    return Delivery(
        table=table,
        rows=rows.select([LINE] + [c.name for c in table.columns]),
        channel=channel,
        file_name=shown,
        content_sha256=sha256,
        announced_rows=entry.get("rows"),
        announced_sums=entry.get("sums"),
        unknown_columns=[name for name in delivered if name not in known],
        complete=complete,
        malformed=malformed,
    )


def _manifest(folder: Path) -> dict | str:
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        manifest = json.loads(path.read_text("utf-8"))
        [entry["name"] for entry in manifest.get("files", [])]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return f"the manifest cannot be read ({error})"
    return manifest


def _announced_day(entry: dict) -> date | None:
    return date.fromisoformat(entry["business_date"]) if entry.get("business_date") else None


def _day_of(path: Path, announced: dict) -> date | None:
    """The business date of a file: as announced, else the last date in its name, else none (belongs to any night)."""
    if day := _announced_day(announced.get(path.name, {})):
        return day
    if found := _DAY_IN_NAME.search(path.stem):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            return None
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_csv(path: Path) -> tuple[pa.Table, list[tuple[int, str]]]:
    if path.stat().st_size == 0:
        raise FileProblem("the file is empty")
    with path.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            raise FileProblem("the last line has no line end: the file is half-written")
    with path.open("rb") as file:
        first_line = file.readline()
    try:
        header = pa.csv.read_csv(pa.BufferReader(first_line)).column_names
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise FileProblem(f"it is no UTF-8 CSV ({_short(error)})") from None
    malformed: list[tuple[int, str]] = []

    def keep_aside(row) -> str:
        malformed.append((row.number, row.text))
        return "skip"

    try:
        rows = pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=64 << 20),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_aside),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=True, null_values=[""]
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise FileProblem(f"it is no UTF-8 CSV ({_short(error)})") from None
    skipped = {number for number, _ in malformed}
    lines = [n for n in range(2, rows.num_rows + len(skipped) + 2) if n not in skipped] if skipped else None
    if skipped and max(skipped) == rows.num_rows + len(skipped) + 1:
        raise FileProblem(f"its last row {max(skipped)} is cut off: the file is half-written")
    return _with_lines(rows, lines), malformed


def _read_parquet(path: Path) -> tuple[pa.Table, list[tuple[int, str]]]:
    try:
        rows = pa.parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileProblem(f"it is no complete Parquet file ({_short(error)})") from None
    columns = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        slot = re.fullmatch(r"v\d\d?", name) and pa.types.is_floating(column.type)
        columns[name] = column if slot else pc.cast(column, pa.string())
    return _with_lines(pa.table(columns), None, first=1), []


def _read_xlsx(path: Path) -> tuple[pa.Table, list[tuple[int, str]]]:
    import pandas

    try:
        frame = pandas.read_excel(path, dtype=str, keep_default_na=False, na_values=[""])
    except Exception as error:  # openpyxl and zipfile each have their own
        raise FileProblem(f"it is no readable xlsx workbook ({_short(error)})") from None
    columns = {str(c): pa.array([None if v is None or v != v else str(v) for v in frame[c]], pa.string()) for c in frame}
    return _with_lines(pa.table(columns), None), []


def _with_lines(rows: pa.Table, lines: list[int] | None, first: int = 2) -> pa.Table:
    numbers = pa.array(lines if lines is not None else range(first, first + rows.num_rows), pa.int64())
    return rows.append_column(LINE, numbers)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".xlsx": _read_xlsx}
