"""A synthetic run whose result tables are filled by hand, for the tests of the auditors' report, and its page as they read it."""

from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

from include.publish import publish
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.report import write_report
from tests.synthetic_marts import enter_verdicts

DAY = date(2026, 7, 10)
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every tag is closed in order.

    With a language the text is what a reader of it sees: a span in the other language is left out. `sections` has it by id.
    """

    def __init__(self, path: Path, language: str | None = None) -> None:
        super().__init__()
        self._language, self._hidden = language, 0
        self._section = ""
        self._by_section: dict[str, list[str]] = {}
        self.html = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "section":
            self._section = attributes["id"]
        if tag == "span" and (self._hidden or self._language not in (None, attributes.get("lang", self._language))):
            self._hidden += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag, line {self.getpos()}"
        self._hidden -= tag == "span" and self._hidden > 0
        if tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        if not {"style", "script", "title"} & set(self.open) and not self._hidden:
            self.texts.append(data)
            self._by_section.setdefault(self._section, []).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def sections(self) -> dict[str, str]:
        return {name: " ".join(" ".join(texts).split()) for name, texts in self._by_section.items()}


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


class SyntheticRun:
    """The warehouse of the run of DAY."""

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
        publish(Warehouse(self.url), run_id, day, manifest)

    def report(self, run_id: int | None = None) -> Page:
        self.written = write_report(self.url, run_id, self.folder / "reports", self.head_file)
        self.path = self.written.path
        return Page(self.path, "en")
