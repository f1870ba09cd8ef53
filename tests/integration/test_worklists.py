"""Work lists per office: complete, harmless in a spreadsheet, without personal values, split where a sheet is full."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from include.local import cli
from include.records.database import connect
from include.report.worklists import COLUMNS, write_worklists
from tests import databases

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
    written = {path.name for path in tmp_path.iterdir()} - {"ledger.head"}  # of the database
    assert written == {path.name for w in made for path in w.files}
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


# -- what becomes of a finding: assigned, answered, returned with the list


def work_of(url: str, finding: int) -> tuple:
    with connect(url) as connection:
        return connection.execute(
            "select office, person, status, reason_code, comment from quality.finding_work where finding_id = %s",
            [finding],
        ).fetchone()


@pytest.fixture
def kaw(open_findings, fresh_home, session_home, monkeypatch, capsys):
    """A command on the database of the findings: its exit code and what it printed."""
    databases.use(monkeypatch, open_findings)
    databases.give_ledger(session_home, fresh_home.home)

    def run(*arguments: str) -> tuple[int, str]:
        code = cli.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_finding_is_assigned_answered_and_said_to_be_repaired(open_findings, kaw):
    by = ("--by", "the desk")
    assert kaw("findings", "assign", "1", "2", "--person", "the fitter", *by) == (
        0,
        "2 findings assigned to the fitter, metering office.\n",
    )
    assert work_of(open_findings, 1) == ("metering office", "the fitter", "in work", None, None)
    assert kaw("findings", "assign", "2", "--office", "contract office", *by)[0] == 0
    assert work_of(open_findings, 2) == ("contract office", None, "in work", None, None)
    answer = ("--status", "answered", "--reason", "FIELD_CHECK", "--comment", "the ladder is missing")
    assert kaw("findings", "comment", "1", *answer, *by) == (0, "Noted of 1 finding.\n")
    assert kaw("findings", "comment", "1", "--status", "repaired", *by)[0] == 0
    assert work_of(open_findings, 1)[2:] == ("repaired", "FIELD_CHECK", "the ladder is missing")
    listed = json.loads(kaw("findings", "--json", "--rule", "MET-01")[1])
    assert [(row["finding_id"], row["status"]) for row in listed][:3] == [(1, "repaired"), (2, "in work"), (3, "open")]
    with connect(open_findings) as connection:
        entries = connection.execute(
            "select detail from quality.ledger where event = 'finding_note' order by entry_no"
        ).fetchall()
        assert entries[0][0]["by"] == "the desk"
        assert entries[2][0]["notes"] == [
            {
                "finding_id": 1,
                "status": "answered",
                "reason_code": "FIELD_CHECK",
                "comment_sha256": hashlib.sha256(b"the ladder is missing").hexdigest(),
            }
        ]
        add_event = "insert into quality.runs (business_date) values ('2026-07-11') returning run_id"
        (run_id,) = connection.execute(add_event).fetchone()
        connection.execute(
            "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name,"
            " table_name, record_key) values (1, %s, 'seen', now(), 'MET-01', 'mismatch', 'quarantine', 'metering', 'met_measuring_point', '{}')",
            [run_id],
        )
    assert work_of(open_findings, 1)[2] == "in work"  # the night tested it again, and it is still so
    with connect(open_findings) as connection:
        rows = connection.execute("select * from quality.rule_repairs_of(%s)", [run_id]).fetchall()
        before = connection.execute("select answered_findings from quality.rule_repairs_of(4)").fetchall()
    # found, fixed, answered, days to the answer (from 7 to 10 July), days to the fix
    assert sorted(rows) == [("MET-01", 8, 0, 1, 3, None), ("MKT-05", 3, 1, 0, None, 3)]
    assert before == [(0,), (0,)]  # what is said later changes no earlier report


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("assign", "1"), "Nobody is named to whom the findings go."),
        (("assign", "1", "--office", "the office"), "there is no office 'the office'; allowed are contract office"),
        (("assign", "999", "--office", "metering office"), "there is no finding 999"),
        (("assign", "1", "--person", "x" * 81), "the person has more than 80 characters"),
        (("comment", "102", "--status", "open"), "finding 102 is fixed already"),
        (("comment", "1"), "Nothing is said of the findings."),
        (
            ("comment", "1", "--status", "done"),
            "there is no status 'done'; allowed are open, in work, answered, repaired",
        ),
        (("comment", "1", "--reason", "LAZY"), "there is no reason 'LAZY'; allowed are SOURCE_WRONG"),
        (("comment", "1", "--status", "answered"), "an answer needs a reason or a comment"),
        (("comment", "1", "--reason", "OTHER"), "the reason OTHER needs a comment"),
        (("comment", "1", "2", "--comment", "a\x00b"), "some that cannot be printed"),
    ],
)
def test_a_note_that_is_wrong_is_told_and_nothing_is_noted(open_findings, kaw, arguments, said):
    code, told = kaw("findings", *arguments, "--by", "the desk")
    assert code == 2
    assert said in told
    with connect(open_findings) as connection:
        assert connection.execute("select count(*) from quality.finding_notes").fetchone() == (0,)


def test_a_returned_list_is_taken_row_by_row_and_once(open_findings, kaw, tmp_path):
    assert kaw("worklists", str(tmp_path))[0] == 0
    as_xlsx, as_csv = tmp_path / "metering_office.xlsx", tmp_path / "marketing_office.csv"
    book = load_workbook(as_xlsx)
    sheet = book["findings"]
    place = {cell.value: cell.column for cell in sheet[1]}
    lines = {row[place["finding"] - 1].value: row[0].row for row in sheet.iter_rows(min_row=2)}

    def fill(finding: int, **said: str) -> None:
        for heading, value in said.items():
            sheet.cell(lines[finding], place[heading], value)

    fill(1, status="answered", reason="RIGHT_AS_IS", person="the fitter")
    fill(2, comment="-3 degrees, the lock is frozen")
    fill(3, status="finished")
    fill(4, office="contract office")
    fill(5, status="answered", comment="too late")
    book.save(as_xlsx)
    assert kaw("findings", "comment", "5", "--comment", "somebody was faster", "--by", "the desk")[0] == 0
    code, told = kaw("findings", "return", str(as_xlsx), "--by", "the office")
    assert code == 1, told
    assert f"{as_xlsx}: 3 noted, 3 as before, 2 not taken\n" in told
    assert f"line {lines[3]}: there is no status 'finished'; allowed are open" in told
    assert f"line {lines[5]}: finding 5 was noted otherwise after the list was written" in told
    assert work_of(open_findings, 1) == ("metering office", "the fitter", "answered", "RIGHT_AS_IS", None)
    assert work_of(open_findings, 2)[4] == "-3 degrees, the lock is frozen"
    assert work_of(open_findings, 4)[0] == "contract office"
    assert "0 noted, 6 as before, 2 not taken" in kaw("findings", "return", str(as_xlsx), "--by", "the office")[1]

    rows = read_csv(as_csv)
    rows[0] |= {"status": "repaired", "comment": "电话已更正"}
    with as_csv.open("w", encoding="gb18030", newline="") as file:  # as Excel saves it in Chinese
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert kaw("findings", "return", str(as_csv), "--by", "the office")[0] == 0
    assert work_of(open_findings, 100)[2:] == ("repaired", None, "电话已更正")
    assert kaw("worklists", str(tmp_path))[0] == 0
    again = {line["finding"]: line for line in read_csv(tmp_path / "metering_office.csv")}
    assert (again["1"]["person"], again["1"]["reason"]) == ("the fitter", "RIGHT_AS_IS")
    assert again["2"]["comment"] == "'-3 degrees, the lock is frozen"
    assert kaw("findings", "return", str(tmp_path / "metering_office.csv"), "--by", "the office")[0] == 0
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    code, told = kaw("findings", "return", str(tmp_path / "other.csv"), "--by", "the office")
    assert code == 2
    assert "is no work list: a heading of finding, office" in told


def test_a_second_sheet_is_read_where_it_has_headings_and_told_where_it_has_none(open_findings, kaw, tmp_path):
    assert kaw("worklists", str(tmp_path))[0] == 0
    path = tmp_path / "metering_office.xlsx"
    book = load_workbook(path)
    first = [list(row) for row in book["findings"].iter_rows(values_only=True)]
    heads = first[0]
    moved, lost = first[1], first[2]
    book["findings"].delete_rows(2, 2)
    second, third, _ = book.create_sheet("more"), book.create_sheet("without"), book.create_sheet("empty")
    moved[heads.index("comment")] = "seen on the second sheet"
    lost[heads.index("comment")] = "nobody reads this"
    for row in ([], heads, moved):  # an empty line above the headings is no other sheet
        second.append(row)
    third.append(lost)
    book.save(path)
    code, told = kaw("findings", "return", str(path), "--by", "the office")
    assert code == 1
    assert "sheet 3: it has not the headings of a work list, so none of its rows was taken" in told
    assert "sheet 4" not in told
    assert work_of(open_findings, moved[heads.index("finding")])[4] == "seen on the second sheet"
    assert not work_of(open_findings, lost[heads.index("finding")])


def test_the_lists_of_one_office_are_those_of_all_and_no_others(open_findings, tmp_path):
    write_worklists(open_findings, tmp_path / "all")
    (made,) = write_worklists(open_findings, tmp_path / "one", only="metering_office")
    assert made.office == "metering office"
    assert {path.stem.removesuffix("_absent") for path in (tmp_path / "one").iterdir()} == {"metering_office"}
    for path in (tmp_path / "one").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "all" / path.name).read_bytes()
    assert write_worklists(open_findings, tmp_path / "none", only="nobody") == []
