"""The page and the lists of the auditors' report: complete, readable offline, safe to open, small."""

from __future__ import annotations

import csv
import hashlib
import json
import re

from include.report.findings import COLUMNS, safe_cell
from tests.synthetic_run import DAY, SyntheticRun


def test_the_page_loads_nothing_from_anywhere(warehouse: SyntheticRun) -> None:
    warehouse.publish()
    page = warehouse.report()
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "data", "poster"):
            value = attributes.get(name, "")
            assert not re.match(r"(?i)\s*(https?:)?//", value), f"<{tag} {name}={value}>"
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
    assert not re.search(r"(?i)url\(|@import|fetch\(|XMLHttpRequest|import\(", page.html)


def test_the_page_can_be_used_with_a_keyboard_and_a_screen_reader(warehouse: SyntheticRun) -> None:
    warehouse.publish()
    page = warehouse.report()
    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en", "data-lang": "en"}) in page.tags
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
            assert attributes.get("aria-labelledby")
    for tone in ("prefers-color-scheme: dark", "@media print", ":focus-visible"):
        assert tone in page.html


def test_the_lists_are_complete_and_carry_the_digests_on_the_page(warehouse: SyntheticRun) -> None:
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
    assert "All findings, those with most yuan first" in page.text
    assert "253 open, 0 waived, 0 gone" in page.text  # what came and went in one night is only in the lists


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)")


def test_a_spreadsheet_does_not_execute_a_finding(warehouse: SyntheticRun) -> None:
    for value in FORMULAS:
        assert safe_cell(value) == f"'{value}"
        warehouse.finding("MET-02", {"mp_no": "0009"}, observed=value)
    warehouse.report()
    rows = list(csv.DictReader((warehouse.path.parent / "findings.csv").open(encoding="utf-8", newline="")))
    cells = [cell for row in rows for cell in row.values()]
    assert {f"'{value}" for value in FORMULAS} <= set(cells)
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")]


def test_markup_in_the_data_stays_text(warehouse: SyntheticRun) -> None:
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


def test_delivered_values_of_rejected_rows_are_not_shown(warehouse: SyntheticRun) -> None:
    page = warehouse.report()
    everything = page.html + (warehouse.path.parent / "findings.json").read_text(encoding="utf-8")
    assert "13800001111" not in everything
    assert "a personal name" not in everything
    assert "met_interval_96/2026-07-10.csv:17" in page.text


def test_three_thousand_failing_rules_stay_below_five_megabytes(warehouse: SyntheticRun) -> None:
    warehouse.fail_three_thousand_rules(1)
    page = warehouse.report()
    assert len(page.html.encode()) < 5_000_000
    assert "MET-3999" in page.text


def test_what_was_not_read_and_what_landed_otherwise_are_said(warehouse: SyntheticRun) -> None:
    warehouse.execute(
        "insert into quality.receipts (source_name, table_name, channel, business_date, state, file_name, problem, landed_at)"
        " values ('metering', 'met_metre', 'auto', %s, 'ignored', 'met_metre<b>', 'no table has its name', '2026-07-11 01:07+08')",
        [DAY],
    )
    warehouse.execute("update quality.runs set last_load_id = (select max(load_id) from quality.receipts)", [])
    warehouse.execute("update quality.receipts set notices = '{only the first sheet is read}' where load_id = 1", [])
    said = warehouse.report().sections["arrivals"]
    assert "Not read, with the reason: met_metre<b> no table has its name" in " ".join(said.split())
    assert "only the first sheet is read" in said
