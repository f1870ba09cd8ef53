"""Work lists per office: complete, harmless in a spreadsheet, without personal values, split where a sheet is full."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from include.records.database import connect
from include.report.worklists import COLUMNS, write_worklists

ATTACKS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\tx", "\r=1")
LONG_NUMBER = "3114012345678901234570"


@pytest.fixture
def open_findings(database: str) -> str:
    """A rule of the metering office, one of the marketing office, an idle one; findings open since three business dates."""
    with connect(database) as connection:
        connection.execute(
            "insert into quality.runs (business_date) select date '2026-07-07' + n from generate_series(0, 3) as n"
        )
        connection.execute(
            "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
            " values (4, '2026-07-10', 'admit', 0, '2026-06-01')"
        )
        for rule, office in (
            ("MET-01", "metering office"),
            ("MKT-05", "marketing office"),
            ("CON-01", "contract office"),
        ):
            connection.execute(
                "insert into quality.rule_book values (%s, 1, 'A sentence.', 'mismatch', 'validity', 'quarantine', %s, true, 'p')",
                (rule, office),
            )
        for load, (table, columns, values) in enumerate(
            (
                ("mkt_org", "org_no, org_name", ("31", "=cmd|' /C calc'!A0")),
                ("mkt_customer", "cons_no, org_no, cons_name", ("A1", "31", "=cmd|' /C calc'!A0")),
            ),
            start=1,
        ):
            connection.execute(
                f"insert into raw_marketing.{table} (_load_id, _business_date, _channel, _key, _hash, {columns}) values"
                f" (%s, '2026-07-07', 'auto', gen_random_uuid(), gen_random_uuid(), {', '.join(['%s'] * len(values))})",
                (load, *values),
            )
        for number, observed in enumerate((*ATTACKS, LONG_NUMBER, "名称"), start=1):
            add(
                connection,
                number,
                "MET-01",
                "met_measuring_point",
                json.dumps({"mp_no": f"000{number}"}),
                "ct_ratio",
                observed,
            )
        add(
            connection,
            100,
            "MKT-05",
            "mkt_contact",
            '{"cons_no": "A1", "contact_role": "LEGAL"}',
            "mobile",
            "13800138000",
        )
        add(connection, 101, "MKT-05", "number", '{"mobile": "13800138000"}', None, "4 customers")
        add(connection, 102, "MKT-05", "mkt_contact", '{"cons_no": "A2"}', "cons_no", "gone", event="fixed")
    return database


def add(
    connection, finding: int, rule: str, table: str, key: str, column: str | None, observed: str, event: str = "seen"
) -> None:
    for run, what in ((1, "opened"), (4, event)):
        connection.execute(
            "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,"
            " record_key, column_name, account_no, observed, expected, amount_at_stake_cny, source_reference) values"
            " (%s, %s, %s, '2026-07-08 09:30+08', %s, 'mismatch', 'quarantine', 'metering', %s, %s, %s, 'A1', %s, '30', -12.50,"
            " 'met/mp.csv:7')",
            (finding, run, what, rule, table, key, column, observed),
        )


def read_csv(path: Path) -> list[dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_office_gets_its_open_findings_twice_and_an_idle_office_an_empty_list(open_findings, tmp_path):
    made = write_worklists(open_findings, tmp_path)
    assert [(w.office, w.rows) for w in made] == [
        ("contract office", 0),
        ("marketing office", 2),
        ("metering office", 8),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for w in made for path in w.files)
    for worklist in made:
        as_xlsx, as_csv = worklist.files
        (sheet,) = load_workbook(as_xlsx).worksheets
        rows = list(sheet.iter_rows(values_only=True))
        listed = read_csv(as_csv)
        assert rows[0] == tuple(COLUMNS)
        assert len(rows) - 1 == len(listed) == worklist.rows
        for row, line in zip(rows[1:], listed, strict=True):
            text = ["" if value is None else str(value) for value in row]
            expected = [f"{float(v):g}" if n.startswith("error, yuan") else v for n, v in line.items()]
            assert text == [v.replace("\r", "\n") for v in expected]  # XML knows one kind of line end
    line = read_csv(tmp_path / "metering_office.csv")[-2]
    assert line["age, days"] == "3"
    assert (line["unit"], line["account"], line["where"]) == ("31", "A1", "met/mp.csv:7")
    assert (line["first seen"], line["error, yuan"]) == ("2026-07-08 09:30", "-12.50")
    assert line["what to do"].startswith("Correct ct_ratio of met_measuring_point at the source.")


def test_no_cell_is_a_formula_and_no_number_is_turned(open_findings, tmp_path):
    write_worklists(open_findings, tmp_path)
    sheet = load_workbook(tmp_path / "metering_office.xlsx")["findings"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert all(
        not str(cell.value).startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells if cell.data_type == "s"
    )
    names = [cell.value for cell in sheet[1]]
    observed = {row[names.index("observed")] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert {"'=cmd|' /C calc'!A0", "'+1+1", "'-2+3", "'@SUM(1)", "'\tx", LONG_NUMBER, "名称"} <= observed
    assert {row[names.index("unit name")] for row in sheet.iter_rows(min_row=2, values_only=True)} == {
        "'=cmd|' /C calc'!A0"
    }
    lines = read_csv(tmp_path / "metering_office.csv")
    assert [line["observed"] for line in lines] == [*(f"'{a}" for a in ATTACKS), LONG_NUMBER, "名称"]


def test_personal_values_never_leave(open_findings, tmp_path):
    made = write_worklists(open_findings, tmp_path)
    contact, number = read_csv(tmp_path / "marketing_office.csv")
    assert contact["observed"] == "withheld (personal)"
    assert number["key"] == '{"mobile": "withheld (personal)"}'
    for path in (path for worklist in made for path in worklist.files if path.suffix == ".csv"):
        assert "13800138000" not in path.read_text(encoding="utf-8-sig")
    sheet = load_workbook(tmp_path / "marketing_office.xlsx")["findings"]
    assert not [c for row in sheet.iter_rows(values_only=True) for c in row if "13800138000" in str(c)]


def test_a_full_sheet_is_followed_by_another(open_findings, tmp_path):
    (*_, metering) = write_worklists(open_findings, tmp_path, sheet_rows=4)
    sheets = load_workbook(metering.files[0]).worksheets
    assert [(sheet.title, sheet.max_row) for sheet in sheets] == [("findings", 4), ("findings 2", 4), ("findings 3", 3)]
    assert all([cell.value for cell in sheet[1]] == list(COLUMNS) for sheet in sheets)


def test_ten_thousand_findings_are_ten_thousand_rows(open_findings, tmp_path):
    with connect(open_findings) as connection:
        connection.execute(
            "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,"
            " record_key, column_name) select 1000 + n, 1, 'opened', now(), 'CON-01', 'missing', 'warn', 'contract', 'con_contract',"
            " jsonb_build_object('contract_no', n::text), 'scan_file_id' from generate_series(1, 10000) as n"
        )
    contract = write_worklists(open_findings, tmp_path)[0]
    assert (contract.office, contract.rows) == ("contract office", 10_000)
    assert len(read_csv(contract.files[1])) == 10_000
    assert sum(1 for _ in load_workbook(contract.files[0], read_only=True)["findings"].iter_rows()) == 10_001
