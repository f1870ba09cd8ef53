"""A file that is not what was promised is refused whole, in one sentence, and the other tables go on."""

from __future__ import annotations

import io
import os
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from include.contracts import all_tables
from include.landing.delivery import FileProblem
from tests.landing import DAY, Utility, csv_text, new_utility, read_file

METER = {"meter_asset_no": "0000000000000000000017", "maker": "甲", "src_updated_at": "2026-01-01 00:00:00+08:00"}
GOOD = csv_text("met_meter", [METER, METER | {"meter_asset_no": "M2"}])
HEADER, *LINES = GOOD.splitlines(keepends=True)


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    return new_utility(database, tmp_path, monkeypatch)


def parquet_bytes(columns: dict) -> bytes:
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def workbook_bytes(*rows: list) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


NAMES = [c.name for c in all_tables()["met_meter"].columns]
COLUMNS = {name: pa.array([METER.get(name)], pa.string()) for name in NAMES}
PARQUET = parquet_bytes(COLUMNS)
RETYPED = csv_text(
    "met_meter", [METER | {"meter_asset_no": f"M{n}", "manufactured_on": f"{n}.1.2026"} for n in range(10)]
)
REFUSED = {
    "m.csv: column maker of the contract is missing": csv_text("met_meter", [METER], without="maker"),
    "m.csv: column maker appears twice in the header": csv_text("met_meter", [METER], extra="maker"),
    "m.csv: column manufactured_on is not date in any of its 10 values (the first is '0.1.2026')": RETYPED,
    "m.csv: it is no UTF-8 CSV; it reads as GBK (": GOOD.encode("gbk"),
    "n.csv: it is no UTF-8 CSV (": GOOD.encode().replace(b"M2", b"\xff\xff"),
    "m.csv: the file is empty": b"",
    "m.csv: the last line has no line end: the file is half-written": GOOD[:-5],
    "m.csv: its last row 4 is cut off: the file is half-written": GOOD + "M3,\n",
    "m.parquet: it is no complete Parquet file": PARQUET[: len(PARQUET) // 2],
    "m.PARQUET: it is no complete Parquet file": b"not Parquet at all",
    "n.parquet: column maker cannot be read as text": parquet_bytes(COLUMNS | {"maker": [b"\xd6\xd0"]}),
    "l.parquet: column maker cannot be read as text": parquet_bytes(COLUMNS | {"maker": [{"a": 1}]}),
    "m.xlsx: it is no readable xlsx workbook": workbook_bytes(NAMES)[:3000],
    "n.xlsx: column maker appears twice in the header": workbook_bytes([*NAMES, "maker"]),
    "e.xlsx: the workbook is empty": workbook_bytes([]),
}


@pytest.mark.parametrize("problem", REFUSED, ids=range(len(REFUSED)))
def test_a_bad_file_is_refused_whole_and_the_other_tables_go_on(utility, problem):
    name, _, sentence = problem.partition(": ")
    utility.write("met_meter", name, REFUSED[problem])
    utility.write("met_feeder", "f.csv", [{"feeder_no": "F1", "valid_from": "2026-01-01"}])
    receipts = {r.table_name: r for r in utility.land()}
    assert receipts["met_feeder"].inserted_rows == 1
    assert receipts["met_meter"].state == "refused"
    assert receipts["met_meter"].problem.startswith(sentence)
    assert "\n" not in receipts["met_meter"].problem
    assert utility.query("select count(*) from raw_metering.met_meter") == [(0,)]
    assert utility.query("select file_name, problem is null from quality.receipts where state = 'refused'") == [
        (f"met_meter/{name}", False)
    ]


MANIFESTS = {
    "its sha256 is not the announced one": {"name": "m.csv", "sha256": "0" * 64},
    "3 rows were announced, 2 came: the delivery is incomplete": {"name": "m.csv", "rows": 3},
    "the manifest announces a file that is not there": {"name": "n.csv"},
    'the manifest is wrong in line 1: files[0].business_date is "soon"': {"name": "m.csv", "business_date": "soon"},
    'the manifest is wrong in line 1: files[0].rows is "many"': {"name": "m.csv", "rows": "many"},
}


@pytest.mark.parametrize("problem", MANIFESTS)
def test_what_was_announced_and_did_not_come_is_refused(utility, problem):
    utility.write("met_meter", "m.csv", GOOD)
    utility.announce("met_meter", MANIFESTS[problem])
    refused = [r.problem for r in utility.land() if r.state == "refused"]
    assert len(refused) == 1
    assert refused[0].startswith(problem)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"files": [{}]}', '{"files": [], "intervals": {"stamp": {}}}', '{"files": 5}']
)
def test_an_unreadable_manifest_refuses_its_table_alone(utility, text):
    utility.write("met_meter", "m.csv", GOOD)
    utility.write("met_meter", "_manifest.json", text)
    utility.write("met_feeder", "f.csv", [{"feeder_no": "F1", "valid_from": "2026-01-01"}])
    receipts = {r.table_name: r for r in utility.land()}
    assert receipts["met_feeder"].state == "landed"
    assert receipts["met_meter"].problem.startswith("the manifest ")


def test_an_announced_file_that_landed_may_be_put_away(utility):
    path = utility.write("met_meter", "m_20260114.csv", GOOD)
    utility.announce("met_meter", {"name": path.name, "rows": 2, "business_date": "2026-01-14"})
    utility.land(date(2026, 1, 14))
    path.unlink()
    assert utility.land() == []


def test_a_checksum_proves_a_file_without_a_last_line_end_whole(utility):
    utility.write("met_meter", "m.csv", GOOD[:-1])
    utility.announce("met_meter", {"name": "m.csv", "rows": 2})
    assert [r.inserted_rows for r in utility.land()] == [2]


def test_an_empty_folder_delivers_nothing(utility):
    (utility.folder / "met_meter").mkdir()
    assert utility.land() == []


def test_what_cannot_be_read_is_refused(utility):
    (utility.folder / "met_meter" / "m.csv").mkdir(parents=True)
    assert [r.problem for r in utility.land()] == ["it is a folder with a file's name; deliver a file"]


def test_a_line_that_does_not_split_is_kept_with_its_text(utility):
    utility.write("met_meter", "m.csv", HEADER + LINES[0] + "M2,one,two\n" + LINES[1])
    (receipt,) = utility.land()
    assert (receipt.delivered_rows, receipt.inserted_rows, receipt.rejected_rows) == (3, 2, 1)
    assert utility.query("select file_line, reason, row_text ->> 'line', record_key from quality.rejected_rows") == [
        (3, "does not split into the columns of the header", "M2,one,two", {})
    ]


def test_a_last_line_with_too_many_fields_is_a_bad_row_and_no_cut_off_file():
    rows, malformed = read_file(".csv", b"a,b\n1,2\n3,4,5\n")
    assert (rows.num_rows, malformed) == (1, [(3, "3,4,5")])


def test_lines_are_counted_as_an_editor_counts_them():
    rows, malformed = read_file(".csv", b'\xef\xbb\xbfa,b\r\n1,"two\nlines"\r\n\r\n3,4\r\n5\r\n6,\r\n')
    assert rows["a"].to_pylist() == ["1", "3", "6"]
    assert rows["_file_line"].to_pylist() == [2, 5, 7]
    assert malformed == [(6, "5")]
    assert rows["b"].to_pylist() == ["two\nlines", "4", None]


def test_a_quote_that_never_closes_is_a_half_written_file():
    with pytest.raises(FileProblem, match="never closed"):
        read_file(".csv", b'a,b\n1,"open\n2,3\n')


def test_parquet_values_become_text_and_nan_becomes_null():
    rows, _ = read_file(
        ".parquet",
        parquet_bytes(
            {
                "on": [date(2026, 1, 5)],
                "at": pa.array([datetime(2026, 1, 5, 4)], pa.timestamp("us", "UTC")),
                "n": [7],
                "x": [float("nan")],
                "v1": [0.1],
                "flag": [True],
            }
        ),
    )
    row = rows.to_pylist()[0]
    assert row == {
        "on": "2026-01-05",
        "at": "2026-01-05 04:00:00.000000Z",
        "n": "7",
        "x": None,
        "v1": 0.1,
        "flag": "true",
        "_file_line": 1,
    }


def test_workbook_cells_become_the_text_a_reader_sees():
    content = workbook_bytes(
        ["no", "number", "on", "flag", None],
        ["0017", 12, datetime(2026, 1, 5), True],
        [],
        [1230000000000000000000, 0.1, "2026-01-05", None],
        [123456789012345, 1e15, "05/01/2026", "x"],
    )
    rows, _ = read_file(".xlsx", content)
    assert [list(row.values()) for row in rows.to_pylist()] == [
        ["0017", "12", "2026-01-05 00:00:00", "true", 2],
        ["1.23000000000000E+21", "0.1", "2026-01-05", None, 4],
        ["123456789012345", "1.00000000000000E+15", "05/01/2026", "x", 5],
    ]


def test_a_form_keeps_leading_zeros_and_names_the_meter_number_that_the_spreadsheet_mangled(utility):
    numbers = ["0000000000000000000017", 1.23e21, "M3"]
    rows = [
        [{"meter_asset_no": n, "manufactured_on": datetime(2020, 5, 1)}.get(name) for name in NAMES] for n in numbers
    ]
    form = Utility(utility.url, utility.folder.parent / "forms")
    form.write("met_meter", "unit_20260115.xlsx", workbook_bytes(NAMES, *rows))
    (receipt,) = utility.land(DAY)
    assert (receipt.state, receipt.inserted_rows, receipt.rejected_rows) == ("landed", 2, 1)
    assert utility.in_force("met_meter", "meter_asset_no", "manufactured_on") == [
        ("0000000000000000000017", date(2020, 5, 1)),
        ("M3", date(2020, 5, 1)),
    ]
    assert utility.query("select file_line, column_name, reason from quality.rejected_rows") == [
        (3, "meter_asset_no", "is a number mangled by a spreadsheet; write it out in full, as text")
    ]


def test_what_is_not_read_leaves_one_receipt_that_says_so_and_another_when_it_is_written_anew(utility):
    utility.write("met_meter", "m_20260115.csv", GOOD)
    path = utility.write("met_meter", "m_20260115.csv.gz", b"\x1f\x8b")
    utility.write("met_meter", "m_20260116.csv.gz", b"\x1f\x8b")  # of a later night
    utility.write("met_metre", "m.csv", GOOD)
    (utility.folder / "m.csv").write_text(GOOD)
    receipts = utility.land()
    assert [(r.file_name, r.state) for r in receipts] == [
        ("m.csv", "ignored"),
        ("met_metre", "ignored"),
        ("met_meter/m_20260115.csv.gz", "ignored"),
        ("met_meter/m_20260115.csv", "landed"),
    ]
    assert "rename it to met_meter" in receipts[1].problem
    assert "unpack it" in receipts[2].problem
    assert [r.state for r in utility.land()] == ["landed"]  # the file of the night, once more
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert [r.file_name for r in utility.land() if r.state == "ignored"] == ["met_meter/m_20260115.csv.gz"]
    assert utility.query("select count(*) from quality.ledger where detail ->> 'state' = 'ignored'") == [(4,)]


def test_what_lands_otherwise_than_it_is_in_the_file_is_noted_on_the_receipt(utility):
    form = Utility(utility.url, utility.folder.parent / "marketing", "marketing")
    form.write("mkt_payment", "p.csv", [{"pay_no": "P1", "amount": "12.345"}])
    (receipt,) = form.land()
    notice = "1 value of amount with more than 2 decimals rounded to them; the first is in line 2"
    assert receipt.notices == (notice,)
    assert utility.query("select notices from quality.receipts") == [([notice],)]
    assert [str(row[0]) for row in utility.query("select amount from raw_marketing.mkt_payment")] == ["12.35"]
    assert utility.query("select detail -> 'notices' ->> 0 from quality.ledger where event = 'load'") == [(notice,)]
