"""A source that changes how it delivers: each change lands exactly, or is refused or named with its true reason.

What is expected was written down from the requirement before it was tried.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from include.contracts import all_tables
from include.landing.cast import RetypedColumn, check_types, rounded
from include.landing.delivery import Delivery
from include.landing.folders import Landed, read_folder
from tests.hostile import workbook
from tests.landing import DAY, READER, csv_text

METER, PAYMENT = all_tables()["met_meter"], all_tables()["mkt_payment"]
METERS = [
    {
        "meter_asset_no": f"{n:022}",
        "digits_int": "6",
        "const_imp_kwh": "1200",
        "maker": "甲",
        "manufactured_on": "2020-05-01",
        "src_updated_at": "2026-01-01 00:00:00+08:00",
    }
    for n in range(12)
]
PAYMENTS = [
    {"pay_no": f"P{n}", "acct_no": "0310000001", "amount": "12.50", "paid_at": "2026-01-05 10:00:00+08:00"}
    for n in range(12)
]
NAMES = [c.name for c in METER.columns]


def all_rows(name: str, value: str, rows: list[dict] = METERS) -> list[dict]:
    return [row | {name: value} for row in rows]


def one_row(name: str, value: str, rows: list[dict] = METERS) -> list[dict]:
    return [rows[0] | {name: value}, *rows[1:]]


def header(edit: Callable[[str], str]) -> str:
    first, rest = csv_text("met_meter", METERS).split("\n", 1)
    return edit(first) + "\n" + rest


def parquet(**columns: pa.Array) -> bytes:
    buffer = io.BytesIO()
    texts = {name: pa.array([row.get(name) for row in METERS], pa.string()) for name in NAMES}
    pa.parquet.write_table(pa.table(texts | columns), buffer)
    return buffer.getvalue()


def of_all(value: object, kind: pa.DataType) -> pa.Array:
    return pa.array([value] * len(METERS), kind)


def as_workbook(**values: object) -> bytes:
    return workbook(NAMES, *([{**row, **values}.get(name) for name in NAMES] for row in METERS))


# The change, what comes then (rows as CSV, or the bytes of a file with its ending), how it is taken, rows that land, and words.
DRIFT: list[tuple[str, object, str, int, str]] = [
    ("columns in another order", ",".join(reversed(NAMES)) + "\n" + "," * 14 + "\n", "landed", 1, ""),
    ("a new column", csv_text("met_meter", METERS, extra="colour"), "unknown", 12, "colour"),
    ("a column less", csv_text("met_meter", METERS, without="maker"), "refused", 0, "column maker of the contract is missing"),
    ("a column renamed", header(lambda h: h.replace("maker", "vendor")), "refused", 0, "maker"),
    ("a header in capitals", header(str.upper), "refused", 0, "meter_asset_no"),
    ("a blank in the header", header(lambda h: h.replace("maker", "maker ")), "refused", 0, "maker"),
    ("a header in quotes", header(lambda h: '"' + h.replace(",", '","') + '"'), "landed", 12, ""),
    ("a header in Chinese", header(lambda h: h.replace("maker", "制造厂")), "refused", 0, "maker"),
    ("a column twice", header(lambda h: h.replace("model", "maker")), "refused", 0, "model"),
    ("no header any more", csv_text("met_meter", METERS).split("\n", 1)[1], "refused", 0, "missing"),
    ("no rows", csv_text("met_meter", []), "landed", 0, ""),
    ("whole numbers as words", all_rows("digits_int", "six"), "refused", 0, "digits_int is not smallint in any of its 12"),
    ("one whole number as a word", one_row("digits_int", "six"), "rows", 11, "whole number"),
    ("whole numbers with a point", all_rows("digits_int", "6.0"), "refused", 0, "digits_int"),
    ("thousands apart by commas", all_rows("const_imp_kwh", "1,200"), "refused", 0, "const_imp_kwh"),
    ("thousands apart by blanks", all_rows("const_imp_kwh", "1 200"), "refused", 0, "const_imp_kwh"),
    ("digits of full width", all_rows("digits_int", "６"), "refused", 0, "digits_int"),
    ("blanks around numbers", all_rows("digits_int", " 6 "), "landed", 12, ""),
    ("a plus before numbers", all_rows("digits_int", "+6"), "landed", 12, ""),
    ("a number too large for its type", one_row("digits_int", "40000"), "rows", 11, "smallint"),
    ("NULL written out in a number", one_row("const_imp_kwh", "NULL"), "rows", 11, "whole number"),
    ("N/A in every number", all_rows("const_imp_kwh", "N/A"), "refused", 0, "const_imp_kwh"),
    ("a column that is empty now", all_rows("maker", ""), "landed", 12, ""),
    ("a code that is new", all_rows("status", "MOTHBALLED"), "landed", 12, ""),
    ("numbers of things as floating numbers", one_row("meter_asset_no", "1.23E+21"), "rows", 11, "mangled"),
    ("days with slashes", all_rows("manufactured_on", "2020/05/01"), "refused", 0, "manufactured_on is not date"),
    ("days with the day first", all_rows("manufactured_on", "01.05.2020"), "refused", 0, "manufactured_on"),
    ("days as a spreadsheet counts them", all_rows("manufactured_on", "43952"), "refused", 0, "manufactured_on"),
    ("days with midnight", all_rows("manufactured_on", "2020-05-01 00:00:00"), "landed", 12, ""),
    ("days with an hour", all_rows("manufactured_on", "2020-05-01 08:00:00"), "refused", 0, "manufactured_on"),
    ("a day of zeros", one_row("manufactured_on", "0000-00-00"), "rows", 11, "date"),
    ("the thirtieth of February", one_row("manufactured_on", "2020-02-30"), "rows", 11, "date"),
    ("times without a zone", all_rows("src_updated_at", "2026-01-01 00:00:00"), "landed", 12, ""),
    ("times of UTC", all_rows("src_updated_at", "2025-12-31T16:00:00Z"), "landed", 12, ""),
    ("times with the name of a zone", all_rows("src_updated_at", "2026-01-01 00:00:00 CST"), "refused", 0, "src_updated_at"),
    ("times in seconds of the epoch", all_rows("src_updated_at", "1767196800"), "refused", 0, "src_updated_at"),
    ("an hour 24", one_row("src_updated_at", "2026-01-01 24:00:00+08:00"), "rows", 11, "time"),
    ("amounts with a comma", all_rows("amount", "12,50", PAYMENTS), "refused", 0, "amount"),
    ("amounts with a currency", all_rows("amount", "¥12.50", PAYMENTS), "refused", 0, "amount"),
    ("amounts with four decimals", all_rows("amount", "12.5049", PAYMENTS), "warned", 12, "12 values of amount"),
    ("amounts with zeros behind", all_rows("amount", "12.5000", PAYMENTS), "landed", 12, ""),
    ("amounts with an exponent", all_rows("amount", "1.25e1", PAYMENTS), "landed", 12, ""),
    ("an amount without end", one_row("amount", "Infinity", PAYMENTS), "rows", 11, "numeric(16,2)"),
    ("an amount of 20 digits", one_row("amount", "9" * 20, PAYMENTS), "rows", 11, "numeric(16,2)"),
    ("Parquet instead of CSV", (".parquet", parquet()), "landed", 12, ""),
    ("Parquet with numbers", (".parquet", parquet(digits_int=of_all(6, pa.int8()))), "landed", 12, ""),
    ("Parquet with floating numbers", (".parquet", parquet(digits_int=of_all(6.5, pa.float64()))), "refused", 0, "digits_int"),
    ("Parquet with decimals", (".parquet", parquet(const_imp_kwh=of_all(Decimal(1200), pa.decimal128(9)))), "landed", 12, ""),
    ("Parquet with days", (".parquet", parquet(manufactured_on=of_all(date(2020, 5, 1), pa.date32()))), "landed", 12, ""),
    ("Parquet with instants", (".parquet", parquet(src_updated_at=of_all(datetime(2026, 1, 1, tzinfo=UTC), pa.timestamp("us", "UTC")))), "landed", 12, ""),
    ("Parquet with hours", (".parquet", parquet(manufactured_on=of_all(time(8), pa.time32("s")))), "refused", 0, "manufactured_on"),
    ("Parquet with yes and no", (".parquet", parquet(digits_int=of_all(True, pa.bool_()))), "refused", 0, "digits_int"),
    ("Parquet with a dictionary", (".parquet", parquet(maker=of_all("甲", pa.string()).dictionary_encode())), "landed", 12, ""),
    ("a workbook instead of CSV", (".xlsx", as_workbook()), "landed", 12, ""),
    ("a workbook with days", (".xlsx", as_workbook(manufactured_on=datetime(2020, 5, 1))), "landed", 12, ""),
    ("a workbook with numbers of things", (".xlsx", as_workbook(meter_asset_no=1.23e21)), "rows", 0, "mangled"),
]  # fmt: skip


def taken(root: Path, suffix: str, content: str | bytes, table) -> tuple[str, int, str]:
    (root / table.name).mkdir()
    (root / table.name / f"a{suffix}").write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = read_folder(READER, root, table, DAY, Landed())
    if not isinstance(found, Delivery):
        return "refused", 0, found.problem
    try:
        rejected = check_types(table, found.rows)
    except RetypedColumn as error:
        return "refused", 0, str(error)
    notices, landed = rounded(table, found.rows), found.rows.num_rows - len(rejected)
    for state, said in (
        ("rows", [r.reason for r in rejected]),
        ("warned", notices),
        ("unknown", found.unknown_columns),
    ):
        if said:
            return state, landed, said[0]
    return "landed", landed, ""


def test_there_are_forty_cases():
    assert len({name for name, *_ in DRIFT}) == len(DRIFT) >= 40


@pytest.mark.parametrize(
    ("given", "state", "rows", "words"), [case[1:] for case in DRIFT], ids=[case[0] for case in DRIFT]
)
def test_a_change_of_the_source_is_loaded_refused_or_named(tmp_path, given, state, rows, words):
    table = PAYMENT if isinstance(given, list) and "pay_no" in given[0] else METER
    suffix, content = given if isinstance(given, tuple) else (".csv", given)
    if isinstance(content, list):
        content = csv_text(table.name, content)
    found = taken(tmp_path, suffix, content, table)
    assert found[:2] == (state, rows)
    assert words in found[2]
