"""What casts lands as it is; what does not is named with its row, its column and a reason."""

from __future__ import annotations

import random

import psycopg
import pyarrow as pa
import pytest

from include.contracts import Column, Table, all_tables
from include.landing.cast import RetypedColumn, check_types
from include.landing.delivery import LINE, Delivery
from include.landing.land import land
from include.records.database import connect, raw_columns
from tests.landing import DAY

TYPES = {
    "numeric(6,2)": (
        ["0", "-0", "12.5", "+12.5", ".5", "5.", " 12.5 ", "1e3", "9999.99", "9999.994", "-9999.99", "0.001", "1e-300"],
        [
            "",
            " ",
            "1,5",
            "1,234.50",
            "12.5 kWh",
            "NaN",
            "Infinity",
            "9999.995",
            "10000",
            "-10000",
            "1e4",
            "1e999",
            "１２",
            "0x1F",
        ],
    ),
    "smallint": (
        ["32767", "-32768", " 7 ", "+7", "007"],
        ["32768", "-32769", "1.0", "1e3", "", "１", "9" * 18, "9" * 30],
    ),
    "integer": (["2147483647", "-2147483648"], ["2147483648", "1_000", "12a"]),
    "date": (
        ["2024-02-29", "2026-12-31", "1999-01-01", " 2026-01-05", "2026-01-05 00:00:00"],
        [
            "2025-02-30",
            "2025-02-29",
            "2026-13-01",
            "2026-1-5",
            "05.01.2026",
            "01/05/2026",
            "20260105",
            "0000-01-01",
            "today",
            "2026-01-05 12:00:00",
        ],
    ),
    "timestamptz": (
        [
            "2026-01-05 12:00:00+08:00",
            "2026-01-05T12:00:00Z",
            "2026-01-05 12:00",
            "2026-01-05 12:00:00.123456+08",
            "2024-02-29 00:00:00 +0800",
            "2026-01-31 23:59:59-15:59",
        ],
        [
            "2026-01-05",
            "2026-02-30 12:00:00+08:00",
            "2026-01-05 24:00:00+08:00",
            "2026-01-05 12:60",
            "2026-01-05 12:00:00+99:00",
            "2026-01-05 12:00:00+08:75",
            "45000.5",
            "now",
        ],
    ),
    "boolean": (["true", "FALSE", "t", "f", "1", "0", " True "], ["yes please", "2", "是", ""]),
    "char(6)": (["202601", "2026"], ["2026-01", "２０２６０１１", "20\x0001"]),
    "varchar(96)": (["1" * 96, ""], ["1" * 97]),
    "text": (
        [
            "0000000000000000000017",
            " blank ",
            "1.5",
            "1E21",
            "甲乙",
            "\N{SYMBOL FOR NULL}",
            'a "quoted", text\nof two lines',
        ],
        ["1.23E+21", "1,23E+21", "1e+05", " 4.1E+10 ", "nul\0l"],
    ),
    "numeric": (["1.5", "-1e-300", "1e308", "0e-999", "0.0"], ["1e309", "1e-400", "inf", "n/a", "--"]),
}


def table_of(physical_type: str, classification: str | None = None) -> Table:
    columns = (
        Column("id", "text", True, None, None, ""),
        Column("value", physical_type, False, None, classification, ""),
    )
    return Table("anything", "metering", "", ("id",), "append", "id", columns)


def rows_of(values: list[str | None]) -> pa.Table:
    ids = pa.array([f"R{number}" for number in range(len(values))])
    return pa.table({LINE: range(2, len(values) + 2), "id": ids, "value": pa.array(values, pa.string())})


@pytest.mark.parametrize("physical_type", TYPES)
def test_exactly_what_does_not_cast_is_rejected(physical_type):
    good, bad = TYPES[physical_type]
    values = [None, *good, *bad]
    rejected = check_types(table_of(physical_type), rows_of(values))
    assert [r.value_text for r in rejected] == bad
    assert {r.column_name for r in rejected} == {"value"}


@pytest.mark.parametrize("physical_type", TYPES)
def test_the_database_takes_what_the_check_lets_through(empty_database, physical_type):
    good, _ = TYPES[physical_type]
    target = "double precision" if physical_type == "numeric" else physical_type
    with psycopg.connect(empty_database) as connection:
        for value in good:
            connection.execute(f"select %s::{target}", (value,))


def test_every_type_of_the_contracts_is_tried():
    kinds = {c.physical_type.split("(")[0] for table in all_tables().values() for c in table.columns}
    assert kinds == {physical_type.split("(")[0] for physical_type in TYPES}


def test_the_first_bad_column_is_named_and_a_bad_key_is_known():
    table = Table(
        "anything",
        "metering",
        "",
        ("id",),
        "append",
        "id",
        (Column("value", "integer", False, None, None, ""), Column("id", "text", True, None, None, "")),
    )
    rows = pa.table({LINE: [2, 3], "value": ["x", "1"], "id": ["1.2E+20", "1.2E+20"]})
    assert [(r.column_name, r.key_is_bad) for r in check_types(table, rows)] == [("value", True), ("id", True)]


def test_ten_values_of_which_none_casts_are_a_retyped_column_and_nine_are_bad_rows():
    assert len(check_types(table_of("integer"), rows_of(["x"] * 9))) == 9
    with pytest.raises(
        RetypedColumn, match=r"column value is not integer in any of its 10 values \(the first is 'x'\)"
    ):
        check_types(table_of("integer"), rows_of(["x"] * 10 + [None]))
    assert len(check_types(table_of("integer"), rows_of(["x"] * 10 + ["1"]))) == 10


def test_mangled_identifiers_are_bad_rows_however_many():
    assert len(check_types(table_of("text"), rows_of(["1.23E+21"] * 50))) == 50


def test_a_personal_value_is_in_no_message():
    with pytest.raises(RetypedColumn) as caught:
        check_types(table_of("date", "personal"), rows_of(["13800000000"] * 10))
    assert "138" not in str(caught.value)


def test_numbers_of_a_curve_must_be_finite():
    rows = rows_of([None] * 3).set_column(2, "value", pa.array([1.0, float("inf"), None]))
    assert [r.index for r in check_types(table_of("numeric"), rows)] == [1]


def curves(values: list[list]) -> pa.Table:
    table = all_tables()["met_interval_96"]
    fixed = {"data_date": "2026-01-15", "data_type": "E+", "phase": "T", "version": "1", "is_primary": "true"}
    columns: dict = {LINE: pa.array(range(1, len(values) + 1), pa.int64())}
    for column in table.scalar_columns:
        columns[column.name] = pa.array([fixed.get(column.name)] * len(values), pa.string())
    columns["mp_no"] = pa.array([f"P{n}" for n in range(len(values))])
    for at, name in enumerate(table.curve_slots):
        columns[name] = pa.array([row[at] for row in values])
    return pa.table(columns)


def test_the_slots_of_a_curve_land_bit_for_bit(database):
    chance = random.Random(7)
    values = [[chance.choice([None, 0.1 + chance.random(), 1e-7, 123456.789]) for _ in range(96)] for _ in range(20)]
    table = all_tables()["met_interval_96"]
    with connect(database, autocommit=True) as connection:
        assert land(connection, Delivery(table, curves(values)), DAY).inserted_rows == 20
        landed = [row[0] for row in connection.execute(f"select v from {table.raw_name} order by _file_line")]
        assert landed == values
        as_text = [[None if v is None else repr(v) for v in row] for row in values]
        again = land(connection, Delivery(table, curves(as_text)), DAY)
    assert (again.inserted_rows, again.duplicate_rows) == (0, 20)


def test_a_value_that_only_the_database_refuses_refuses_the_file(database, monkeypatch):
    monkeypatch.setattr("include.landing.land.check_types", lambda table, rows: [])
    table = all_tables()["met_meter"]
    names = [c.name for c in table.columns]
    rows = pa.table({LINE: pa.array([2], pa.int64())} | {name: pa.array([None], pa.string()) for name in names})
    rows = rows.set_column(rows.column_names.index("manufactured_on"), "manufactured_on", pa.array(["soon"]))
    with connect(database, autocommit=True) as connection:
        receipt = land(connection, Delivery(table, rows), DAY)
        assert receipt.state == "refused"
        assert receipt.problem == "the database refuses a value of column manufactured_on (InvalidDatetimeFormat)"
        assert connection.execute("select state from quality.receipts").fetchall() == [("refused",)]


def test_a_null_character_is_kept_as_its_symbol(database):
    table = all_tables()["met_meter"]
    columns = {name: pa.array([None], pa.string()) for name, _ in raw_columns(table)}
    rows = pa.table({LINE: pa.array([2], pa.int64())} | columns | {"meter_asset_no": pa.array(["M\0"])})
    with connect(database, autocommit=True) as connection:
        assert land(connection, Delivery(table, rows), DAY).rejected_rows == 1
        kept = connection.execute(
            "select value_text, row_text ->> 'meter_asset_no', _key from quality.rejected_rows"
        ).fetchone()
    assert kept == ("M\N{SYMBOL FOR NULL}", "M\N{SYMBOL FOR NULL}", None)
