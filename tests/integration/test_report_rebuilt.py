"""An old run's report is rebuilt to the same bytes, and a record that was altered since is seen."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from include.errors import NotReproduced, UsageError
from include.local.run import compare
from include.publish import pointers_as_of, release, rollback
from include.quality.waivers import waive
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse
from tests.synthetic_run import SyntheticRun
from tests.tampering import tamper


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _later_night(warehouse: SyntheticRun) -> None:
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
    rollback(Warehouse(warehouse.url), approver="A. Auditor", reason="wrong")
    ledger.write_head(warehouse.url, warehouse.head_file)


def test_the_report_of_an_old_run_is_rebuilt_to_the_same_bytes(warehouse: SyntheticRun) -> None:
    warehouse.publish()
    first = warehouse.report()
    number, digest = warehouse.written.ledger_entry, warehouse.written.sha256
    assert warehouse.written.told() == f"noted in ledger entry {number}"
    noted = warehouse.execute("select event, detail from quality.ledger order by entry_no desc limit 1")[0]
    assert noted[0] == "report"
    assert sorted(noted[1]["sha256"]) == [
        "absent.csv",
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


def test_a_report_is_rebuilt_in_the_edition_and_language_that_the_ledger_notes(
    warehouse: SyntheticRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.publish()
    with monkeypatch.context() as then:
        then.setattr("include.report.EDITION", 1)
        warehouse.report()
    first = _bytes(warehouse.path.parent)
    assert b'id="money"' not in first["report.html"]
    _later_night(warehouse)
    monkeypatch.setenv("KAW_LANG", "zh")
    warehouse.report()  # of the night after
    second = _bytes(warehouse.path.parent)
    assert b'id="money"' in second["report.html"]
    assert b'data-lang="zh"' in second["report.html"]
    monkeypatch.delenv("KAW_LANG")
    for run_id, before in ((1, first), (2, second)):
        warehouse.report(run_id)
        assert warehouse.written.is_rebuilt
        assert _bytes(warehouse.path.parent) == before
    monkeypatch.setattr("include.report.TEMPLATES", {1: Path()})
    with pytest.raises(UsageError, match="is of edition 2, which this code does not know"):
        warehouse.report(2)


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
    warehouse: SyntheticRun, change: str, differing: str
) -> None:
    warehouse.publish()
    warehouse.report()
    before = _bytes(warehouse.path.parent)
    tamper(warehouse.url, change)
    with pytest.raises(NotReproduced) as error:
        warehouse.report(1)
    assert error.value.exit_code == 1
    assert differing in str(error.value)
    assert f"is not the one of ledger entry {warehouse.written.ledger_entry}" in str(error.value)
    assert "records of that run were changed since" in str(error.value)
    assert _bytes(warehouse.path.parent) == before
    assert (warehouse.folder / "reports" / "2026-07-10_run_1_rebuilt" / "report.html").exists()


def test_another_code_version_is_named_where_the_bytes_differ(
    warehouse: SyntheticRun, monkeypatch: pytest.MonkeyPatch
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


def test_a_run_that_has_not_ended_is_not_noted(warehouse: SyntheticRun) -> None:
    warehouse.execute("update quality.runs set state = 'running', finished_at = null")
    warehouse.report()
    assert warehouse.written.told() == "the ledger has no entry of it: the night that ends a run notes its report"
    assert warehouse.execute("select count(*) from quality.ledger where event = 'report'") == [(0,)]


def test_marts_that_are_not_the_expected_ones_are_told(warehouse: SyntheticRun) -> None:
    """What ./kaw run --expect does in the end; the page prints the command with the hash."""
    warehouse.publish()
    (expected,) = re.findall(r"./kaw run --date 2026-07-10 --expect ([0-9a-f]{64})", warehouse.report().text)
    assert compare(warehouse.url, None) is None
    assert compare(warehouse.url, expected) == f"Reproduced: the hash of all marts is the expected one, {expected}."
    warehouse.execute("update publish.versions set hash = repeat('0', 32)")
    with pytest.raises(NotReproduced, match=f"expected was {expected}") as error:
        compare(warehouse.url, expected)
    assert error.value.exit_code == 1


def test_what_the_ledger_tells_of_the_pointers_is_what_they_are(warehouse: SyntheticRun) -> None:
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
    rollback(Warehouse(warehouse.url), approver="A. Auditor", reason="wrong")
    agree()
    release(Warehouse(warehouse.url), approver="A. Auditor", reason="right")
    agree()
