"""The auditors' report of a passed, a blocked and a huge synthetic run: complete, readable offline, safe to open."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synthetic_marts import enter_verdicts

from include.errors import NotReproduced, UsageError
from include.local.run import compare
from include.publish import pointers_as_of, publish, release, rollback
from include.quality.waivers import end_waiver, waive
from include.records import ledger
from include.records.database import connect
from include.report import write_report
from include.report.findings import COLUMNS, safe_cell

DAY = date(2026, 7, 10)
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, the visible text, and whether every tag is closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.html = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag, line {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def _node(name: str, columns: list[str], grain: list[str], **meta: str) -> dict:
    """A mart of dbt's manifest."""
    return {
        "resource_type": "model",
        "name": name,
        "schema": "candidate",
        "columns": {column: {"description": ""} for column in columns},
        "original_file_path": f"models/marts/{name}.sql",
        "config": {"meta": {"published": True, "grain": grain, **meta}},
    }


class Warehouse:
    """Result tables of one synthetic run, filled by hand."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.head_file = url, folder, folder / "ledger.head"
        ledger.write_head(url, self.head_file)
        self.execute("""
            insert into quality.runs (business_date, state, last_load_id, code_version, started_at, finished_at) values
                ('2026-07-10', 'published', 3, '0123456789abcdef', '2026-07-11 02:00+08', '2026-07-11 02:04+08');
            insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start) values
                (1, '2026-07-10', 'admit', 0, '2026-06-01');
            insert into quality.receipts (source_name, table_name, channel, business_date, announced_rows, delivered_rows,
                inserted_rows, duplicate_rows, rejected_rows, content_sha256, file_name, state, problem, landed_at) values
                ('metering', 'met_interval_96', 'auto', '2026-07-10', 960, 960, 950, 8, 2, repeat('ab', 32),
                    'met_interval_96/2026-07-10.csv', 'landed', null, '2026-07-11 01:00+08'),
                ('marketing', 'mkt_bill', 'auto', '2026-07-10', 200, 200, 200, 0, 0, repeat('cd', 32), null, 'landed', null,
                    '2026-07-11 01:05+08'),
                ('marketing', 'mkt_inspection', 'form', '2026-07-10', null, 0, 0, 0, 0, null, 'mkt_inspection/unit-3.csv',
                    'refused', 'The file is GBK, not UTF-8.', '2026-07-11 01:06+08');
            insert into quality.rejected_rows (load_id, source_name, table_name, file_name, file_line, column_name,
                value_text, reason, record_key, row_text) values
                (1, 'metering', 'met_interval_96', 'met_interval_96/2026-07-10.csv', 17, 'v4', '13800001111',
                    'is not a number (numeric(18,4))', '{}', '{"name": "a personal name"}'),
                (1, 'metering', 'met_interval_96', 'met_interval_96/2026-07-10.csv', 18, 'v4', '13800002222',
                    'is not a number (numeric(18,4))', '{}', '{}');
            insert into quality.conservation values
                (1, 1, 'met_interval_96', 960, 945, 0, 3, 2, 0, 8, 2),
                (1, 2, 'mkt_bill', 200, 190, 4, 6, 0, 0, 0, 0);
            insert into quality.quarantine_events values
                (1, 'metering', 'met_interval_96', 1, 'quarantined', '{MET-02}', '{"mp_no": "0001", "data_date": "2026-07-10"}',
                    'A1', 120.5, 80.25, 1),
                (1, 'metering', 'met_interval_96', 2, 'blocked_by_parent', '{MET-27}', '{"mp_no": "0002"}', 'A2', null, null, 1),
                (1, 'metering', 'met_interval_96', 3, 'superseded', '{MET-02}', '{"mp_no": "0003"}', 'A3', 9, 9, 1);
        """)
        self.result("MET-01", tested=960)
        self.result("MET-02", tested=960, failed=3, verdict="failed", severity="quarantine")
        self.result("MET-31", tested=0, verdict="not tested", reason="Nothing in its population was delivered.")
        for number in range(1, 4):
            self.finding("MET-02", key={"mp_no": f"000{number}"}, observed=f"{number} slots")
        for number in range(1, 6):
            with connect(url) as conn:
                ledger.append(conn, "load", {"load_id": number}, "tester")
        with connect(url) as conn:
            ledger.append(conn, "verdict", {"run_id": 1, "gate": 2}, "tester")
        ledger.write_head(url, self.head_file)

    def execute(self, statement: str, parameters=None) -> list[tuple]:
        with connect(self.url) as conn:
            cursor = conn.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def result(self, rule_id, tested=1, failed=0, verdict="passed", severity="block", reason=None) -> None:
        self.execute(
            "insert into quality.rule_results (run_id, rule_id, tested_rows, failed_rows, severity, not_tested_reason, seconds,"
            " verdict) values (1, %s, %s, %s, %s, %s, 0.1, %s)",
            [rule_id, tested, failed, severity, reason, verdict],
        )

    def finding(self, rule_id, key, observed="x", expected="y", event="opened", severity="quarantine", count=1) -> None:
        self.execute(
            "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name,"
            " table_name, record_key, column_name, account_no, business_date, observed, expected, energy_at_stake_kwh,"
            " source_reference) select nextval('quality.finding_ids'), 1, %s, '2026-07-11 02:02+08', %s, 'missing', %s,"
            " 'metering', 'met_interval_96', %s::jsonb || jsonb_build_object('n', n), 'v', 'A1', '2026-07-10', %s, %s, 1.5,"
            " 'met_interval_96/2026-07-10.csv:17' from generate_series(1, %s) as n",
            [event, rule_id, severity, json.dumps(key), observed, expected, count],
        )

    def block(self) -> None:
        """Turn the run into one that gate 1 stopped."""
        self.execute("delete from quality.conservation")
        self.execute(
            "update quality.runs set state = 'blocked', verdict = %s",
            [json.dumps({"gate_1": {"rules": 3, "blocking": {"ARR-mkt_inspection": 1}}})],
        )
        self.result("ARR-mkt_inspection", failed=1, verdict="failed")
        self.finding("ARR-mkt_inspection", {"table": "mkt_inspection"}, severity="block")

    def fail_three_thousand_rules(self, run_id: int) -> None:
        """Each with 10 findings whose texts are long."""
        self.execute(
            """
            insert into quality.rule_results (run_id, rule_id, tested_rows, failed_rows, severity, seconds, verdict)
            select %(run)s, 'MET-' || n, 1000, 50, 'quarantine', 0, 'failed' from generate_series(1000, 3999) as n
            on conflict (run_id, rule_id) do update set severity = excluded.severity;
            """,
            {"run": run_id},
        )
        self.execute(
            """
            insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
                record_key, column_name, account_no, business_date, observed, expected, source_reference)
            select nextval('quality.finding_ids'), %(run)s, 'opened', '2026-07-11', 'MET-' || n, 'missing', 'quarantine',
                'metering', 'met_interval_96', jsonb_build_object('mp_no', repeat('0', 22), 'data_date', '2026-07-10', 'n', k),
                'v', 'A1', '2026-07-10', repeat('observed ', 40), repeat('expected ', 40), 'met_interval_96/2026-07-10.csv:17'
            from generate_series(1000, 3999) as n, generate_series(1, 10) as k
            """,
            {"run": run_id},
        )

    def add_a_year(self, rules: int) -> None:
        """364 nights after the first, of MET-01 and rules that are not in the book."""
        self.execute(
            """
            insert into quality.runs (business_date, state, last_load_id, finished_at)
            select date '2026-07-10' + n, 'published', 3, '2027-07-10' from generate_series(1, 364) as n
            """
        )
        self.execute(
            """
            insert into quality.rule_results (run_id, rule_id, tested_rows, failed_rows, severity, seconds, verdict)
            select run, rule_id, 1000, 2, 'warn', 0, 'failed' from generate_series(2, 365) as run, (
                select 'MET-01' as rule_id union all select 'MET-' || n from generate_series(1000, 998 + %s) as n
            ) as rules
            """,
            [rules],
        )

    def publish(self, **beside: list[str]) -> None:
        """Publishes one mart, and the candidates `beside` it that a test has made, by name with their grain."""
        self.execute(
            "create table if not exists candidate.mart_energy as select 'A1' as account_no, date '2026-07-01' as month, 5 as kwh"
        )
        nodes = {
            "mart_energy": _node(
                "mart_energy", ["account_no", "month", "kwh"], ["account_no", "month"], published_month="month"
            )
        }
        for name, grain in beside.items():
            columns = [
                c
                for (c,) in self.execute(
                    "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum",
                    [f"candidate.{name}"],
                )
            ]
            nodes[name] = _node(name, columns, grain)
        manifest = self.folder / "manifest.json"
        manifest.write_text(json.dumps({"nodes": nodes}))
        self.publish_again(1, DAY)
        ledger.write_head(self.url, self.head_file)

    def publish_again(self, run_id: int, day: date) -> None:
        """The candidates as they are now, as a run that both gates let pass."""
        manifest = self.folder / "manifest.json"
        enter_verdicts(self.url, manifest, run_id, day, "", {1: "passed", 2: "passed"})
        publish(self.url, run_id, day, "", manifest)

    def report(self, run_id: int | None = None) -> Page:
        self.written = write_report(self.url, run_id, self.folder / "reports", self.head_file)
        self.path = self.written.path
        return Page(self.path)


@pytest.fixture
def warehouse(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))  # the evidence of other tests is none of its runs
    return Warehouse(database, tmp_path)


def test_the_report_of_a_published_run_tells_everything(warehouse: Warehouse) -> None:
    warehouse.publish()
    page = warehouse.report()
    assert page.open == []
    assert "Passed with findings: the night of 2026-07-10 passed its gates and is published" in page.text
    assert "with 2 withheld rows and 1 rule with findings." in page.text
    for heading in (
        "Arrivals",
        "Conservation",
        "Rules",
        "Findings",
        "Waivers and sign-off",
        "What readers see",
        "Ledger",
    ):
        assert heading in page.text
    assert "all 2 tables balance" in page.text
    assert "The file is GBK, not UTF-8." in page.text
    assert "1,160" in page.text  # delivered
    assert "3 open, 0 waived, 0 fixed" in page.text
    assert page.text.count("intact") == 1
    hash_ = warehouse.execute("select hash from publish.versions")[0][0]
    assert f'title="1 rows, hash {hash_}"' in page.html
    assert "./kaw run --date 2026-07-10" in page.text
    of_mart = hashlib.sha256(f"2026-07 {hash_}\n".encode()).hexdigest()
    everything = hashlib.sha256(f"mart_energy {of_mart}\n".encode()).hexdigest()
    assert f"--expect {everything}" in page.text
    assert "for this report nothing was reproduced" in page.text
    assert "can be reproduced" not in page.text


def test_a_run_that_only_warns_holds_nothing_back(warehouse: Warehouse) -> None:
    warehouse.execute("update quality.quarantine_events set state = 'released'")
    page = warehouse.report()
    assert ("section", "verdict good") in [(tag, attributes.get("class")) for tag, attributes in page.tags]
    assert "No row is withheld" in page.text


def test_a_clean_run_says_so(warehouse: Warehouse) -> None:
    warehouse.execute("update quality.quarantine_events set state = 'released'")
    warehouse.execute("update quality.rule_results set verdict = 'passed', failed_rows = 0 where verdict = 'failed'")
    warehouse.execute("delete from quality.finding_events")
    page = warehouse.report()
    assert "Passed: the night of 2026-07-10 passed its gates without a finding, and is published." in page.text
    assert "No rule has an open finding." in page.text
    assert "No row is withheld." in page.text
    assert "No score of offices and clerks was published yet." in page.text


def test_offices_and_clerks_are_told_with_sample_test_and_level_as_they_were_published(warehouse: Warehouse) -> None:
    warehouse.execute(
        """
        create table candidate.fct_arbitrary_fill_scores as
        select date '2026-07-10' as as_of_date, 0.001 as level_of_the_night, * from (values
            ('SAME_MINUTE', '31', 'H2', 'CLERK', 20, 1, 0.05, 0.362319, 0.2, 1.0, 100.0, 'OK'),
            ('SAME_MINUTE', '31', 'H3', 'CLERK', 20, 16, 0.8, 0.144928, 0.2, 0.000000664, 23.3898, 'LOOKS_FABRICATED'),
            ('SAME_MINUTE', '31', 'ALL', 'OFFICE', 69, 25, 0.362319, 0.05, 0.2, 0.0348835264, 67.1243, 'OK'),
            ('SAME_MINUTE', '31', 'H5', 'CLERK', 9, 9, 1, 0.2125, 0.2, null, null, 'NOT_ENOUGH_ROWS'),
            ('AT_THE_LIMIT', '31', 'D06', 'CLERK', 12, 5, 0.416667, null, 0.3, null, null, 'NO_OTHERS')
        ) as scores (test_code, org_no, clerk_no, level_code, rows_judged, rows_filled, fill_share, expected_share, share_allowed,
            corrected_p_value, score, verdict_code);
        """
    )
    warehouse.publish(fct_arbitrary_fill_scores=["test_code", "org_no", "clerk_no"])
    page = warehouse.report()
    assert "3 were tested as of 2026-07-10, 1 named; 1 had too few entries, 1 nobody to be compared with." in page.text
    assert "with a chance of 0.0010 at most" in page.text
    assert (
        "SAME_MINUTE 31 H3 20 16 80.00 % 14.49 % 20.00 % 6.6e-07 23.39 looks fabricated"
        " SAME_MINUTE 31 the office 69 25 36.23 % 5.00 % 20.00 % 0.035 67.12 ok"
        " SAME_MINUTE 31 H2 20 1 5.00 % 36.23 % 20.00 % 1 100.00 ok"
    ) in page.text
    published = warehouse.path.read_bytes()
    warehouse.execute("update candidate.fct_arbitrary_fill_scores set verdict_code = 'OK', score = 100")
    warehouse.report()
    assert warehouse.path.read_bytes() == published


def test_every_rule_of_the_book_is_listed_with_its_verdict(warehouse: Warehouse) -> None:
    from include.quality.base_rules import load_base_rules
    from include.quality.rules import load_rules

    page = warehouse.report()
    rows = [attributes for tag, attributes in page.tags if tag == "tr" and "data-verdict" in attributes]
    assert len(rows) == len({rule.id for rule in (*load_rules(), *load_base_rules())})
    verdicts = [row["data-verdict"] for row in rows]
    assert (verdicts.count("failed"), verdicts.count("passed"), verdicts.count("not tested")) == (1, 1, 1)
    assert verdicts.count("not evaluated") == len(rows) - 3
    assert "Nothing in its population was delivered." in page.text


def test_the_report_of_a_blocked_run_says_what_to_do(warehouse: Warehouse) -> None:
    warehouse.block()
    page = warehouse.report()
    assert "Blocked: the night of 2026-07-10 was stopped by ARR-mkt_inspection, and nothing was published." in page.text
    assert "Nothing has been published so far." in page.text
    assert (
        "./kaw waive ARR-mkt_inspection --scope table=met_interval_96 --approver NAME --reason TEXT --until 2026-07-10"
        in page.text
    )
    assert "./kaw run --date 2026-07-10" in page.text
    assert "Not counted: the run was stopped before rows were admitted." in page.text
    assert "gate 2 was not reached" in page.text


def test_the_page_loads_nothing_from_anywhere(warehouse: Warehouse) -> None:
    warehouse.publish()
    page = warehouse.report()
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            value = attributes.get(name, "")
            assert not re.match(r"(?i)\s*(https?:)?//", value), f"<{tag} {name}={value}>"
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
    assert not re.search(r"(?i)url\(|@import|fetch\(|XMLHttpRequest|import\(", page.html)


def test_the_page_can_be_used_with_a_keyboard_and_a_screen_reader(warehouse: Warehouse) -> None:
    warehouse.publish()
    page = warehouse.report()
    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert tags.count("table") == tags.count("caption")
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        for name in ("aria-labelledby", "for"):
            assert attributes.get(name) is None or attributes[name] in ids
        if tag == "a" and attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids
        if tag == "div" and "scroll" in attributes.get("class", ""):
            assert attributes.get("tabindex") == "0"
            assert attributes.get("aria-label")
    for tone in ("prefers-color-scheme: dark", "@media print", ":focus-visible"):
        assert tone in page.html


def test_the_lists_are_complete_and_carry_the_digests_on_the_page(warehouse: Warehouse) -> None:
    warehouse.finding("MET-02", {"mp_no": "0009"}, count=250)
    warehouse.finding("MET-02", {"mp_no": "0010"}, event="fixed")
    page = warehouse.report()
    for name in ("findings.csv", "findings.json"):
        content = (warehouse.path.parent / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() in page.text
    rows = list(csv.DictReader((warehouse.path.parent / "findings.csv").open(encoding="utf-8", newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 254
    assert len(json.loads((warehouse.path.parent / "findings.json").read_text(encoding="utf-8"))) == 254
    assert "The first 100 of 253 findings" in page.text
    assert "253 open, 0 waived, 1 fixed" in page.text


@pytest.mark.parametrize(
    "value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
)
def test_a_spreadsheet_does_not_execute_a_finding(warehouse: Warehouse, value: str) -> None:
    assert safe_cell(value) == f"'{value}"
    warehouse.finding("MET-02", {"mp_no": "0009"}, observed=value)
    warehouse.report()
    rows = list(csv.DictReader((warehouse.path.parent / "findings.csv").open(encoding="utf-8", newline="")))
    cells = [cell for row in rows for cell in row.values()]
    assert f"'{value}" in cells
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")]


def test_markup_in_the_data_stays_text(warehouse: Warehouse) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    warehouse.finding("MET-02", {"mp_no": evil}, observed=evil, expected=evil)
    warehouse.execute("update quality.receipts set problem = %s, file_name = %s where state = 'refused'", [evil, evil])
    warehouse.execute("update quality.quarantine_events set record_key = %s", [json.dumps({"mp_no": evil})])
    warehouse.execute(
        "insert into quality.waivers (rule_id, scope, approver, reason, valid_until, entered_by, entered_at)"
        " values ('MET-02', 'all', %s, %s, '2026-07-31', 'x', '2026-07-01')",
        [evil, evil],
    )
    page = warehouse.report()
    assert [attributes.get("type") for tag, attributes in page.tags if tag == "script"] == ["application/json", None]
    assert "img" not in [tag for tag, _ in page.tags]
    assert evil in page.text
    assert "without effect: not as the ledger has it" in page.text


def test_delivered_values_of_rejected_rows_are_not_shown(warehouse: Warehouse) -> None:
    page = warehouse.report()
    everything = page.html + (warehouse.path.parent / "findings.json").read_text(encoding="utf-8")
    assert "13800001111" not in everything
    assert "a personal name" not in everything
    assert "met_interval_96/2026-07-10.csv:17" in page.text


def test_every_kind_of_decision_on_record_is_told(warehouse: Warehouse) -> None:
    """A roll-back has no rule, a lost head no approver."""
    warehouse.publish()
    warehouse.execute("update candidate.mart_energy set kwh = 6")
    warehouse.publish_again(1, date(2026, 7, 11))
    rollback(warehouse.url, approver="the approver", reason="the wrong file")
    release(warehouse.url, approver="the approver", reason="the right file")
    warehouse.head_file.unlink()
    ledger.write_head(warehouse.url, warehouse.head_file)
    with connect(warehouse.url) as conn:
        ledger.append(conn, "verdict", {"run_id": 1, "gate": 2}, "tester")
    ledger.write_head(warehouse.url, warehouse.head_file)
    page = warehouse.report()
    for told in ("roll-back", "the wrong file", "release", "the right file", "head-lost", "cannot be seen"):
        assert told in page.text


def test_a_waiver_that_was_ended_is_told_and_the_report_before_stays_the_same(warehouse: Warehouse) -> None:
    number = waive(warehouse.url, "MET-02", "all", "the approver", "a known fault", "2026-12-31")
    with connect(warehouse.url) as conn:
        ledger.append(conn, "verdict", {"run_id": 1, "gate": 2}, "tester")
    ledger.write_head(warehouse.url, warehouse.head_file)
    assert ">in force</span>" in warehouse.report().html
    end_waiver(warehouse.url, number, "the chief", "it was no fault")
    warehouse.report(1)
    assert warehouse.written.is_rebuilt
    warehouse.execute("""
        insert into quality.runs (business_date, state, last_load_id, finished_at) values ('2026-07-11', 'published', 3, now())
    """)
    ledger.write_head(warehouse.url, warehouse.head_file)
    page = warehouse.report(2)
    text = page.text
    for told in ("waiver-end 1, MET-02", "the chief", "it was no fault"):
        assert told in text
    assert "ended 0 2" in text  # of the waivers: its state, findings let through, and when it was entered
    assert ">in force</span>" not in page.html


def test_a_damaged_ledger_is_told(warehouse: Warehouse) -> None:
    warehouse.execute("update quality.ledger set actor = 'somebody' where entry_no = 2")
    page = warehouse.report()
    assert "entry 2 (load) was edited" in page.text
    assert "intact" not in page.text


def test_an_unknown_run_is_a_usage_error(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="There is no run 99"):
        warehouse.report(99)


def test_three_thousand_failing_rules_stay_below_five_megabytes(warehouse: Warehouse) -> None:
    warehouse.fail_three_thousand_rules(1)
    page = warehouse.report()
    assert len(page.html.encode()) < 5_000_000
    assert "MET-3999" in page.text


def test_the_trend_counts_every_night_of_a_year(warehouse: Warehouse) -> None:
    """Of each later night MET-01 tested 1,000 and failed 2: 20 per 10,000. A rule that is not in the book has no axis."""
    warehouse.add_a_year(rules=2)
    page = warehouse.report()
    assert "2026-08 31 31,000 62 20.00 0" in page.text
    assert "2027-07 9 9,000 18 20.00 0" in page.text


# -- an old run's report, rebuilt


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _later_night(warehouse: Warehouse) -> None:
    """A second run of the next day: it fixes a finding, waives one, finds another, lets rows in, and publishes other marts."""
    warehouse.execute("""
        insert into quality.runs (business_date, state, last_load_id, finished_at) values ('2026-07-11', 'published', 4, now());
        insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
            record_key, column_name, account_no, observed)
        select finding_id, 2, case when record_key ->> 'mp_no' = '0001' then 'fixed' else 'waived' end, now(), rule_id, axis,
            severity, source_name, table_name, record_key, column_name, account_no, observed
        from quality.finding_events;
        insert into quality.quarantine_events
        select 2, source_name, table_name, raw_id, 'released', rule_ids, record_key, account_no, 1, 1, 1
        from quality.quarantine_events;
        insert into quality.receipts (source_name, table_name, channel, business_date, delivered_rows, state)
            values ('metering', 'met_interval_96', 'auto', '2026-07-10', 1, 'landed');
        update quality.rejected_rows set superseded_by = 4;
        update candidate.mart_energy set kwh = 6;
    """)
    waive(warehouse.url, "MET-02", "all", "A. Auditor", "known", "2026-12-31")
    warehouse.publish_again(2, date(2026, 7, 11))
    rollback(warehouse.url, approver="A. Auditor", reason="wrong")
    ledger.write_head(warehouse.url, warehouse.head_file)


def test_the_report_of_an_old_run_is_rebuilt_to_the_same_bytes(warehouse: Warehouse) -> None:
    warehouse.publish()
    first = warehouse.report()
    number, digest = warehouse.written.ledger_entry, warehouse.written.sha256
    assert warehouse.written.told() == f"noted in ledger entry {number}"
    noted = warehouse.execute("select event, detail from quality.ledger order by entry_no desc limit 1")[0]
    assert noted[0] == "report"
    assert sorted(noted[1]["sha256"]) == [
        "findings.csv",
        "findings.json",
        "findings.xlsx",
        "receipts.csv",
        "report.html",
    ]
    before = _bytes(warehouse.path.parent)
    _later_night(warehouse)
    later = warehouse.report().text
    assert "A. Auditor" in later
    assert "A. Auditor" not in first.text
    for path in (warehouse.folder / "reports" / "2026-07-10_run_1").iterdir():
        path.unlink()
    warehouse.report(1)
    assert _bytes(warehouse.path.parent) == before
    assert (warehouse.written.told(), warehouse.written.sha256) == (f"same bytes as ledger entry {number}", digest)
    assert sorted(path.name for path in (warehouse.folder / "reports").iterdir()) == [
        "2026-07-10_run_1",
        "2026-07-11_run_2",
    ]


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        (
            "update quality.finding_events set observed = '9 slots' where record_key ->> 'mp_no' = '0002'",
            "findings.csv, findings.json, findings.xlsx, report.html differ",
        ),
        (
            "update quality.receipts set content_sha256 = repeat('ef', 32) where load_id = 1",
            "receipts.csv, report.html differ",
        ),
        ("update quality.ledger set actor = 'somebody' where entry_no = 2", "report.html differs"),
        ("update quality.rule_results set tested_rows = 961 where rule_id = 'MET-01'", "report.html differs"),
        ("update publish.versions set hash = repeat('0', 32)", "report.html differs"),
    ],
    ids=("finding", "receipt", "ledger", "rule result", "version"),
)
def test_a_record_that_was_altered_is_seen_when_the_report_is_rebuilt(
    warehouse: Warehouse, change: str, differing: str
) -> None:
    warehouse.publish()
    warehouse.report()
    before = _bytes(warehouse.path.parent)
    warehouse.execute(change)
    with pytest.raises(NotReproduced) as error:
        warehouse.report(1)
    assert error.value.exit_code == 1
    assert differing in str(error.value)
    assert f"is not the one of ledger entry {warehouse.written.ledger_entry}" in str(error.value)
    assert "records of that run were changed since" in str(error.value)
    assert _bytes(warehouse.path.parent) == before
    assert (warehouse.folder / "reports" / "2026-07-10_run_1_rebuilt" / "report.html").exists()


def test_another_code_version_is_named_where_the_bytes_differ(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.report.code_version", lambda: "the code of then")
    warehouse.report()
    monkeypatch.setattr("include.report.code_version", lambda: "the code of now")
    warehouse.report(1)
    warehouse.execute("delete from quality.finding_events where record_key ->> 'mp_no' = '0003'")
    with pytest.raises(
        NotReproduced, match=r"the code of now; the ledger names code the code of then[\s\S]*check out the code"
    ):
        warehouse.report(1)


def test_a_run_that_has_not_ended_is_not_noted(warehouse: Warehouse) -> None:
    warehouse.execute("update quality.runs set state = 'running', finished_at = null")
    warehouse.report()
    assert warehouse.written.told() == "the ledger has no entry of it: the night that ends a run notes its report"
    assert warehouse.execute("select count(*) from quality.ledger where event = 'report'") == [(0,)]


def test_marts_that_are_not_the_expected_ones_are_told(warehouse: Warehouse) -> None:
    """What ./kaw run --expect does in the end; the page prints the command with the hash."""
    warehouse.publish()
    (expected,) = re.findall(r"./kaw run --date 2026-07-10 --expect ([0-9a-f]{64})", warehouse.report().text)
    assert compare(warehouse.url, None) is None
    assert compare(warehouse.url, expected) == f"Reproduced: the hash of all marts is the expected one, {expected}."
    warehouse.execute("update publish.versions set hash = repeat('0', 32)")
    with pytest.raises(NotReproduced, match=f"expected was {expected}") as error:
        compare(warehouse.url, expected)
    assert error.value.exit_code == 1


def test_what_the_ledger_tells_of_the_pointers_is_what_they_are(warehouse: Warehouse) -> None:
    """After a publish, one that changes nothing, one that changes a month, a roll-back and a release."""

    def agree() -> None:
        now = warehouse.execute(
            "select published_month, version, business_date, run_id, withheld_share, pinned_by, pinned_reason from publish.pointer"
        )
        with connect(warehouse.url) as conn:
            told = pointers_as_of(conn, 99)
        assert [
            (
                month,
                p["version"],
                p["business_date"],
                p["run_id"],
                p["withheld_share"],
                p["pinned_by"],
                p["pinned_reason"],
            )
            for month, p in told.items()
        ] == now

    warehouse.publish()
    agree()
    for day, kwh in ((date(2026, 7, 11), 5), (date(2026, 7, 12), 6)):
        warehouse.execute(f"update candidate.mart_energy set kwh = {kwh}")
        warehouse.publish_again(1, day)
        agree()
    rollback(warehouse.url, approver="A. Auditor", reason="wrong")
    agree()
    release(warehouse.url, approver="A. Auditor", reason="right")
    agree()
