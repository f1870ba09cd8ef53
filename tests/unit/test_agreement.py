"""What suppliers are asked for says all of the contract, its forms are such as landing reads, and its versions are compared."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
import yaml

from include.contracts import FOLDER, load_contracts
from include.contracts.differences import Difference, differences, read_contract
from include.landing.files import Found
from include.landing.workbooks import read_xlsx
from include.local import cli
from include.report.agreement import FORM_ROWS, applied_rules, column_rows, example, form, write_agreement

DAY = date(2026, 11, 22)
CONTRACT = FOLDER / "contract.odcs.yaml"
FORMATS = FOLDER.parents[1] / "dbt_project/seeds/quality/quality_formats.csv"


def test_workbook_page_and_forms_have_every_column_and_every_rule(tmp_path: Path):
    tables = list(load_contracts()["contract"].values())
    paths = write_agreement("contract", tmp_path, DAY)
    assert [p.name for p in paths[:2]] == ["contract.xlsx", "contract.html"]
    assert [p.stem for p in paths[2:]] == [t.name for t in tables]
    book = openpyxl.load_workbook(paths[0], read_only=True)
    assert book.sheetnames == ["tables", "columns", "rules"]
    columns = list(book["columns"].values)
    assert len(columns) == 1 + sum(len(t.columns) for t in tables)
    by_name = {row[:2]: row for row in columns}
    assert by_name["con_trade_curve", "slot_cnt"][2:8] == (
        "Slots per day", "时段数", "Slots per day: 24 of 60 minutes or 96 of 15 minutes (时段数).", "smallint", "yes", "24, 96"
    )  # fmt: skip
    rules = {(row[0], row[1]): row[3] for row in book["rules"].values}
    assert rules["con_contract", "CON-08"] == "keeps the row out until it is corrected"
    assert "CON-14" in {rule for _, rule in rules}
    page = paths[1].read_text(encoding="utf-8")
    assert "<td>Slots per day</td><td>时段数</td>" in page
    assert not re.search(r"(src|href)=.?https?:", page)


def test_a_form_is_read_by_landing_as_it_was_filled_in(tmp_path: Path):
    table = load_contracts()["contract"]["con_trade_curve"]
    book = form(table)
    sheet = book.active
    assert {v.formula1: str(v.sqref) for v in sheet.data_validations.dataValidation} == {'"24,96"': f"D2:D{FORM_ROWS}"}
    for place, value in enumerate(("0012", "202611", "1", "24", "5.5", "2026-11-22T08:15:00+08:00"), start=1):
        sheet.cell(2, place).value = value
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    rows = pa.Table.from_batches(read_xlsx(content, False, found := Found()))
    assert found.malformed == []
    assert rows.column_names[:6] == [c.name for c in table.columns]
    assert [rows[name].to_pylist() for name in rows.column_names[:3]] == [["0012"], ["202611"], ["1"]]


def test_every_example_is_a_value_that_the_contract_permits():
    with FORMATS.open(encoding="utf-8", newline="") as lines:
        formats = [(row["meaning"], row["pattern"]) for row in csv.DictReader(lines) if row["holds"] == "true"]
    wrong = []
    for table in (t for tables in load_contracts().values() for t in tables.values()):
        for column in table.columns:
            value = example(table, column)
            patterns = [p.replace("\\u4e00", "一").replace("\\u9fff", "鿿") for m, p in formats if m == column.meaning]
            length = re.fullmatch(r"(?:var)?char\((\d+)\)", column.physical_type)
            if (
                (column.allowed and value not in column.allowed)
                or (patterns and not any(re.search(p, value) for p in patterns))
                or (length and len(value) > int(length[1]))
            ):
                wrong.append((table.name, column.name, value, column.physical_type))
    assert wrong == []


def changed(path: Path, *edits: tuple[str, str]) -> dict:
    text = CONTRACT.read_text(encoding="utf-8")
    for before, after in edits:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text, encoding="utf-8")
    return read_contract(path)[1]


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("validValues: [24, 96]", "validValues: [96]", ("con_trade_curve.slot_cnt", "not allowed any more: 24", True)),
        ("validValues: [24, 96]", "validValues: [24, 48, 96]", ("con_trade_curve.slot_cnt", "also allowed: 48", False)),
        ("numeric(18,6)", "numeric(20,6)", ("type numeric(18,6) -> numeric(20,6)", False)),
        ("numeric(18,6)", "numeric(18,4)", ("type numeric(18,6) -> numeric(18,4)", True)),
        (
            "plausible, value: [1, 96]",
            "plausible, value: [0, 96]",
            ("con_trade_curve.slot", "plausible 1 to 96 -> 0 to 96", False),
        ),
        (
            "plausible, value: [1, 96]",
            "plausible, value: [1, 48]",
            ("con_trade_curve.slot", "plausible 1 to 96 -> 1 to 48", True),
        ),
    ],
)
def test_a_difference_is_breaking_where_a_right_delivery_may_be_wrong(tmp_path: Path, before, after, difference):
    old = load_contracts()["contract"]
    found = differences(old, changed(tmp_path / "new.yaml", (before, after)))
    assert len(found) == 1
    assert (found[0].where, found[0].what, found[0].is_breaking)[-len(difference) :] == difference


def test_tables_and_columns_that_come_or_go_are_breaking(tmp_path: Path):
    old = load_contracts()["contract"]
    stated = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    curves = next(t for t in stated["schema"] if t["name"] == "con_trade_curve")
    curves["properties"] = [p for p in curves["properties"] if p["name"] != "mwh"]
    stated["schema"] = [t for t in stated["schema"] if t["name"] != "con_amendment"]
    path = tmp_path / "new.yaml"
    path.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    new = read_contract(path)[1]
    gone = [d for d in differences(old, new) if d.where in ("con_amendment", "con_trade_curve.mwh")]
    assert gone == [
        Difference("con_amendment", "is not in the contract any more", True),
        Difference("con_trade_curve.mwh", "is not read any more", True),
    ]
    come = [d for d in differences(new, old) if d.where in ("con_amendment", "con_trade_curve.mwh")]
    assert come == [
        Difference("con_amendment", "is new: it must be delivered", True),
        Difference("con_trade_curve.mwh", "is new: its heading must be delivered", True),
    ]


def test_the_command_ends_with_one_where_a_difference_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    changed(tmp_path / "new.yaml", ("validValues: [24, 96]", "validValues: [96]"))
    assert cli.main(["contract", "diff", str(CONTRACT), str(CONTRACT)]) == 0
    assert "0 differences" in capsys.readouterr().out
    assert cli.main(["contract", "diff", str(CONTRACT), str(tmp_path / "new.yaml"), "--json"]) == 1
    assert '"breaking": 1' in capsys.readouterr().out
    assert cli.main(["contract", "diff", str(CONTRACT), str(FORMATS)]) == 2
    assert cli.main(["contract"]) == 2
    assert "--for metering, marketing, contract" in capsys.readouterr().err


def test_rules_say_what_becomes_of_a_row():
    rules = applied_rules([load_contracts()["contract"]["con_contract"]], DAY)
    assert {rule.rule_id: rule.effect for rule in rules}["CON-03"] == "is reported"
    assert len(column_rows([load_contracts()["contract"]["con_contract"]])[0]) == 11
