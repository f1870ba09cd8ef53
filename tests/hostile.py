"""Files that somebody delivers by mistake or on purpose: tests/data/hostile_files.csv says what becomes of each, this how it is made."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy
import openpyxl
import pyarrow as pa
import pyarrow.parquet

from include.contracts import all_tables
from tests.landing import csv_text

LIST = Path(__file__).parent / "data" / "hostile_files.csv"
TABLE = "met_meter"
NAMES = [c.name for c in all_tables()[TABLE].columns]
ROWS = [
    {"meter_asset_no": "M1", "digits_int": "6", "maker": "甲", "src_updated_at": "2026-01-01 00:00:00+08:00"},
    {"meter_asset_no": "M2", "digits_int": "6", "maker": "乙", "src_updated_at": "2026-01-01 00:00:00+08:00"},
]
GOOD = csv_text(TABLE, ROWS)
HEADER, FIRST, SECOND = GOOD.splitlines(keepends=True)
BYTES = GOOD.encode()
LINE = "M3" + "," * (len(NAMES) - 1) + "\n"


def cases() -> list[dict]:
    with LIST.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def workbook(*rows: list, change: Callable[[openpyxl.Workbook], object] = lambda book: None) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    change(book)
    book.save(buffer)
    return buffer.getvalue()


XLSX_ROWS = [NAMES, *([row.get(name) for name in NAMES] for row in ROWS)]


def edited(content: bytes, part: str, edit: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed, or added where it had none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, edit(old.read(name)) if name == part else old.read(name))
        if part not in old.namelist():
            new.writestr(part, edit(b""))
    return buffer.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
XLSX = workbook(*XLSX_ROWS)


def bomb(content: bytes) -> bytes:
    """The sheet with 300 MB of blanks after its rows."""
    buffer, blanks = io.BytesIO(), b" " * (1 << 20)
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            with new.open(name, "w", force_zip64=True) as part:
                part.write(old.read(name))
                for _ in range(300 if name == SHEET else 0):
                    part.write(blanks)
    return buffer.getvalue()


def with_entity(entity: str) -> bytes:
    def edit(xml: bytes) -> bytes:
        body = re.sub(rb"<\?xml[^>]*\?>", b"", xml).replace(
            b"<sheetData>", b"<sheetData><row><c><v>&e;</v></c></row>", 1
        )
        return b'<?xml version="1.0"?>' + f"<!DOCTYPE x [{entity}]>".encode() + body

    return edited(XLSX, SHEET, edit)


LAUGHS = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        new.writestr("word/document.xml", "<x/>")
    return buffer.getvalue()


def merged(book: openpyxl.Workbook) -> None:
    book.active.merge_cells("I2:J2")


def hidden(book: openpyxl.Workbook) -> None:
    book.create_sheet("shown").append(["x"])
    book.worksheets[0].sheet_state = "hidden"
    book.active = 1


def parquet(columns: dict | None = None, **more: object) -> bytes:
    buffer = io.BytesIO()
    full = {name: pa.array([row.get(name) for row in ROWS], pa.string()) for name in NAMES}
    pa.parquet.write_table(pa.table(full | (columns or {})), buffer, **more)
    return buffer.getvalue()


def parquet_bomb() -> bytes:
    buffer, rows = io.BytesIO(), 1_000_000
    constant = pa.DictionaryArray.from_arrays(pa.array(numpy.zeros(rows, dtype="int32")), ["x" * 40])
    table = pa.table(dict.fromkeys(NAMES, constant))
    with pa.parquet.ParquetWriter(buffer, table.schema, use_dictionary=True) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def parquet_twice() -> bytes:
    buffer = io.BytesIO()
    values = [pa.array([row.get(name) for row in ROWS], pa.string()) for name in (*NAMES, "maker")]
    pa.parquet.write_table(pa.Table.from_arrays(values, names=[*NAMES, "maker"]), buffer)
    return buffer.getvalue()


def spoilt() -> bytes:
    content = bytearray(parquet(compression="gzip"))
    content[40:90] = b"\xff" * 50
    return bytes(content)


def put(name: str | bytes, content: bytes | str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        path = Path(os.fsdecode(name)) if isinstance(name, bytes) else Path(name)
        path = root / path if len(path.parts) > 1 else root / TABLE / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def announced(text: str | bytes) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        put("m.csv", GOOD)(root)
        put("_manifest.json", text)(root)

    return make


def special(name: str, kind: int) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        os.mknod(root / TABLE / name, kind | 0o600, os.makedev(1, 5))

    return make


def link(name: str, target: str) -> Callable[[Path], None]:
    """A link to `target`, from the folder in which it lies; good files are there inside and outside."""

    def make(root: Path) -> None:
        for folder in (root / TABLE, root.parent / "outside"):
            folder.mkdir(exist_ok=True)
            (folder / "good.txt").write_text(GOOD)
        (root.parent / "outside" / "m.csv").write_text(GOOD)
        (root.parent / "outside" / "manifest").write_text('{"files": [{"name": "good.csv"}]}')
        if "/" in name:
            (root / name).symlink_to(target)
        else:
            (root / TABLE / "good.txt").unlink()
            (root / TABLE).rmdir()
            (root / name).symlink_to(target, target_is_directory=True)

    return make


def in_root(root: Path) -> None:
    (root / "m.csv").write_text(GOOD)


def sparse(root: Path) -> None:
    put("m.csv", GOOD)(root)
    os.truncate(root / TABLE / "m.csv", 3 * 10**12)


def file_for_folder(root: Path) -> None:
    (root / TABLE).rmdir()
    (root / TABLE).write_text(GOOD)


def folder(name: str) -> Callable[[Path], None]:
    return lambda root: (root / TABLE / name).mkdir(parents=True)


def sheets(*rows: list) -> Callable[[openpyxl.Workbook], None]:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("second")
        for row in rows:
            sheet.append(row)

    return change


def cell(address: str, value: str) -> Callable[[openpyxl.Workbook], None]:
    return lambda book: book.active.__setitem__(address, value)


PAYMENT = csv_text("mkt_payment", [{"pay_no": "P1", "amount": "12.34"}, {"pay_no": "P2", "amount": "12.345"}])
FORMULA = cell("I3", "=A1")
SAVED = edited(
    workbook(*XLSX_ROWS, change=FORMULA),
    SHEET,
    lambda xml: xml.replace(b"<v />", b"<v>9</v>").replace(b"<v></v>", b"<v>9</v>").replace(b"<v/>", b"<v>9</v>"),
)

MAKERS: dict[str, Callable[[Path], None]] = {
    "link_to_a_file_outside": link("met_meter/m.csv", "../../outside/m.csv"),
    "link_to_a_file_inside": link("met_meter/m.csv", "good.txt"),
    "link_that_leads_nowhere": link("met_meter/m.csv", "nowhere"),
    "folder_is_a_link": link("met_meter", "../outside"),
    "manifest_is_a_link": link("met_meter/_manifest.json", "../../outside/manifest"),
    "named_pipe": special("m.csv", stat.S_IFIFO),
    "socket": special("m.csv", stat.S_IFSOCK),
    "device": special("m.csv", stat.S_IFCHR),
    "folder_with_a_files_name": folder("m.csv"),
    "file_with_a_folders_name": file_for_folder,
    "hidden_file": put(".m.csv", GOOD),
    "lock_file_of_a_spreadsheet": put("~$m.xlsx", b"\x05admin"),
    "underscored_file": put("_m.csv", GOOD),
    "compressed_by_gzip": put("m.csv.gz", b"\x1f\x8b\x08"),
    "old_workbook": put("m.xls", b"\xd0\xcf\x11\xe0"),
    "workbook_with_macros": put("m.xlsm", XLSX),
    "unfinished_upload": put("m.csv.part", GOOD),
    "no_ending": put("m", GOOD),
    "other_ending": put("m.txt", GOOD),
    "folder_in_a_folder": put("met_meter/2026/m.csv", GOOD),
    "folder_of_no_table": put("met_metre/m.csv", GOOD),
    "folder_in_capitals": put("MET_METER/m.csv", GOOD),
    "file_beside_the_folders": in_root,
    "name_is_not_utf8": put(b"met_meter/m\xd6\xd0.csv", GOOD),
    "name_with_a_line_end": put("met_meter/m\nrefused: nothing.csv", GOOD),
    "name_is_html": put("met_meter/<img src=x onerror=alert(1)>.csv", GOOD),
    "name_as_long_as_possible": put("m" * 251 + ".csv", GOOD),
    "ending_in_capitals": put("M.CSV", GOOD),
    "manifest_names_a_path": announced('{"files": [{"name": "../outside.csv"}]}'),
    "manifest_nested_deeply": announced('{"files": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "manifest_nested_in_a_value": announced('{"files": [], "more": ' + "[" * 900 + "]" * 900 + "}"),
    "manifest_of_megabytes": lambda root: announced('{"files": [' + ",".join(['{"name": "n.csv"}'] * 1_100_000) + "]}")(
        root
    ),
    "manifest_in_utf16": announced('{"files": []}'.encode("utf-16")),
    "manifest_is_a_folder": folder("_manifest.json"),
    "manifest_is_a_named_pipe": special("_manifest.json", stat.S_IFIFO),
    "manifest_is_empty": announced(""),
    "manifest_with_half_a_character": announced('{"files": [{"name": "\\ud800.csv"}]}'),
    "manifest_with_endless_rows": announced(json.dumps({"files": [{"name": "m.csv", "rows": 10**30}]})),
    "manifest_with_a_sum_that_is_no_number": announced(
        '{"files": [{"name": "m.csv", "sums": {"digits_int": "many"}}]}'
    ),
    "manifest_repeats_a_file": announced('{"files": [{"name": "m.csv", "rows": 2}, {"name": "m.csv", "rows": 3}]}'),
    "csv_empty": put("m.csv", b""),
    "csv_utf16_little_endian": put("m.csv", b"\xff\xfe" + GOOD.encode("utf-16-le")),
    "csv_utf16_big_endian": put("m.csv", b"\xfe\xff" + GOOD.encode("utf-16-be")),
    "csv_utf16_without_a_mark": put("m.csv", GOOD.encode("utf-16-le")),
    "csv_utf32": put("m.csv", GOOD.encode("utf-32")),
    "csv_gbk": put("m.csv", GOOD.encode("gbk")),
    "csv_latin_1": put("m.csv", GOOD.replace("甲", "é").replace("乙", "ü").encode("latin-1")),
    "csv_half_characters": put("m.csv", BYTES.replace("甲".encode(), b"\xed\xa0\x80")),
    "csv_with_a_mark": put("m.csv", b"\xef\xbb\xbf" + BYTES),
    "csv_with_two_marks": put("m.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + BYTES),
    "csv_lines_end_in_cr": put("m.csv", GOOD.replace("\n", "\r")),
    "csv_lines_end_in_crlf": put("m.csv", GOOD.replace("\n", "\r\n")),
    "csv_line_ends_mixed": put("m.csv", HEADER + FIRST.replace("\n", "\r\n") + SECOND),
    "csv_of_nul_bytes": put("m.csv", bytes(5000)),
    "csv_with_a_tail_of_nul_bytes": put("m.csv", BYTES + bytes(4096)),
    "csv_with_a_nul_byte_in_a_value": put("m.csv", GOOD.replace("甲", "\0")),
    "csv_without_its_last_line_end": put("m.csv", GOOD[:-5]),
    "csv_with_its_last_row_cut_off": put("m.csv", GOOD + "M3,\n"),
    "csv_quote_never_closed_at_the_end": put("m.csv", GOOD.replace("2026-01-01", '"2026-01-01', 1)),
    "csv_quote_never_closed_at_the_start": put("m.csv", GOOD.replace("M1", '"M1')),
    "csv_two_quotes_swallow_rows": put(
        "m.csv", HEADER + FIRST.replace("甲", '"甲') + LINE * 50 + SECOND.replace("乙", '"')
    ),
    "csv_by_semicolons": put("m.csv", GOOD.replace(",", ";")),
    "csv_by_tabs": put("m.csv", GOOD.replace(",", "\t")),
    "csv_by_bars": put("m.csv", GOOD.replace(",", "|")),
    "csv_header_twice_the_same_column": put("m.csv", csv_text(TABLE, ROWS, extra="maker")),
    "csv_column_missing": put("m.csv", csv_text(TABLE, ROWS, without="maker")),
    "csv_first_line_empty": put("m.csv", "\n" + GOOD),
    "csv_header_alone": put("m.csv", HEADER),
    "csv_without_a_header": put("m.csv", FIRST + SECOND),
    "csv_that_says_its_separator": put("m.csv", "sep=,\n" + GOOD),
    "csv_is_a_web_page": put("m.csv", "<!DOCTYPE html>\n<html><body>Log in</body></html>\n"),
    "csv_is_gzip": put("m.csv", gzip.compress(BYTES)),
    "csv_is_a_workbook": put("m.csv", XLSX),
    "csv_is_parquet": put("m.csv", parquet()),
    "csv_is_pdf": put("m.csv", "%PDF-1.7\n%âãÏÓ\n"),
    "csv_row_with_too_many_fields": put("m.csv", HEADER + FIRST + "M3" + "," * (len(NAMES) + 2) + "\n" + SECOND),
    "csv_header_again_among_the_rows": put("m.csv", HEADER + FIRST + HEADER + SECOND),
    "csv_of_one_huge_value": put("m.csv", GOOD + LINE.replace("M3", "M" * 20_000_000)),
    "csv_of_many_columns": put(
        "m.csv",
        "".join(
            line.rstrip("\n") + "," + ",".join(f"c{n}" for n in range(100_000)) + "\n"
            for line in (HEADER, FIRST, SECOND)
        ),
    ),
    "csv_formula_as_text": put("m.csv", GOOD + "M3" + "," * 8 + "=cmd|' /C calc'!A0" + "," * (len(NAMES) - 9) + "\n"),
    "csv_decimals_beyond_the_scale": put("mkt_payment/m.csv", PAYMENT),
    "csv_number_too_large": put("m.csv", GOOD + "M3" + "," * 6 + "9" * 400 + "," * (len(NAMES) - 7) + "\n"),
    "csv_of_terabytes": sparse,
    "xlsx_good": put("m.xlsx", XLSX),
    "xlsx_second_sheet": put("m.xlsx", workbook(*XLSX_ROWS, change=sheets(["more"], ["rows"]))),
    "xlsx_second_sheet_empty": put("m.xlsx", workbook(*XLSX_ROWS, change=sheets())),
    "xlsx_first_sheet_hidden": put("m.xlsx", workbook(*XLSX_ROWS, change=hidden)),
    "xlsx_formula_without_a_value": put("m.xlsx", workbook(*XLSX_ROWS, change=FORMULA)),
    "xlsx_formula_with_a_value": put("m.xlsx", SAVED),
    "xlsx_error_in_a_cell": put("m.xlsx", workbook(*XLSX_ROWS, change=cell("I3", "#REF!"))),
    "xlsx_merged_cells": put("m.xlsx", workbook(*XLSX_ROWS, change=merged)),
    "xlsx_values_beyond_the_header": put("m.xlsx", workbook(*XLSX_ROWS[:2], [*XLSX_ROWS[2], None, "more"])),
    "xlsx_bomb": lambda root: put("m.xlsx", bomb(XLSX))(root),
    "xlsx_nested_entities": put("m.xlsx", with_entity(LAUGHS + '<!ENTITY e "&a9;">')),
    "xlsx_entity_of_a_file": put("m.xlsx", with_entity('<!ENTITY e SYSTEM "file:///etc/passwd">')),
    "xlsx_is_an_old_workbook": put("m.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)),
    "xlsx_is_another_archive": put("m.xlsx", archive()),
    "xlsx_is_csv": put("m.xlsx", GOOD),
    "xlsx_cut_off": put("m.xlsx", XLSX[: len(XLSX) // 2]),
    "xlsx_without_cells": put("m.xlsx", workbook()),
    "xlsx_header_twice_the_same_column": put("m.xlsx", workbook([*NAMES, "maker"])),
    "xlsx_title_above_the_header": put("m.xlsx", workbook(["Meters of unit 7"], *XLSX_ROWS)),
    "xlsx_entry_outside": put("m.xlsx", edited(XLSX, "../../evil", lambda _: b"x")),
    "xlsx_size_of_the_sheet_is_wrong": put(
        "m.xlsx", edited(XLSX, SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:O2"', xml))
    ),
    "manifest_announces_a_compressed_file": lambda root: [
        put("m.csv.gz", b"\x1f\x8b")(root),
        put("_manifest.json", '{"files": [{"name": "m.csv.gz"}]}')(root),
    ],
    "parquet_good": put("m.parquet", parquet()),
    "parquet_cut_off": put("m.parquet", parquet()[:400]),
    "parquet_is_csv": put("m.parquet", GOOD),
    "parquet_of_structures": put("m.parquet", parquet({"maker": [{"a": 1}, {"a": 2}]})),
    "parquet_of_bytes": put("m.parquet", parquet({"maker": [b"\xd6\xd0", b"x"]})),
    "parquet_bomb": lambda root: put("m.parquet", parquet_bomb())(root),
    "parquet_column_twice": put("m.parquet", parquet_twice()),
    "parquet_with_a_wrong_footer": put("m.parquet", parquet()[:-8] + b"\xff\xff\xff\x7fPAR1"),
    "parquet_encrypted": put("m.parquet", b"PARE" + bytes(200) + b"\x10\0\0\0PARE"),
    "parquet_spoilt_inside": put("m.parquet", spoilt()),
}
