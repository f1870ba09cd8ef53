"""What the auditors' report says of a passed, a clean and a blocked synthetic run, of its waivers and of its ledger."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from include.errors import UsageError
from include.publish import release, rollback
from include.quality.waivers import end_waiver, waive
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse
from tests.synthetic_run import SyntheticRun
from tests.tampering import tamper


def test_the_report_of_a_published_run_tells_everything(warehouse: SyntheticRun) -> None:
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
        "What readers saw",
        "Ledger",
    ):
        assert heading in page.text
    assert "all 2 tables balance" in page.text
    assert "The file is GBK, not UTF-8." in page.text
    assert "1,160" in page.text  # delivered
    assert "3 open, 0 waived, 0 gone" in page.text
    assert page.text.count("intact") == 1
    hash_ = warehouse.execute("select hash from publish.versions")[0][0]
    assert f'title="1 row, hash {hash_}"' in page.html
    assert "./kaw run --date 2026-07-10" in page.text
    of_mart = hashlib.sha256(f"2026-07 {hash_}\n".encode()).hexdigest()
    everything = hashlib.sha256(f"mart_energy {of_mart}\n".encode()).hexdigest()
    assert f"--expect {everything}" in page.text
    assert "for this report nothing was reproduced" in page.text
    assert "can be reproduced" not in page.text


def test_a_run_that_only_warns_holds_nothing_back(warehouse: SyntheticRun) -> None:
    warehouse.execute("update quality.quarantine_events set state = 'released'")
    page = warehouse.report()
    assert ("section", "verdict good") in [(tag, attributes.get("class")) for tag, attributes in page.tags]
    assert "No row is withheld" in page.text


def test_a_clean_run_says_so(warehouse: SyntheticRun) -> None:
    warehouse.execute("update quality.quarantine_events set state = 'released'")
    warehouse.execute("update quality.rule_results set verdict = 'passed', failed_rows = 0 where verdict = 'failed'")
    warehouse.execute("delete from quality.finding_events")
    page = warehouse.report()
    assert "Passed: the night of 2026-07-10 passed its gates without a finding, and is published." in page.text
    assert "No rule has an open finding." in page.text
    assert "No row is withheld." in page.text
    assert "No score of offices and clerks was published yet." in page.text


def test_offices_and_clerks_are_told_with_sample_test_and_level_as_they_were_published(warehouse: SyntheticRun) -> None:
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
        "many entries in one minute 31 H3 20 16 80.00 % 14.49 % 20.00 % 6.6e-07 23.39 looks fabricated"
        " many entries in one minute 31 the office 69 25 36.23 % 5.00 % 20.00 % 0.035 67.12 in order"
        " many entries in one minute 31 H2 20 1 5.00 % 36.23 % 20.00 % 1 100.00 in order"
    ) in page.text
    published = warehouse.path.read_bytes()
    warehouse.execute("update candidate.fct_arbitrary_fill_scores set verdict_code = 'OK', score = 100")
    warehouse.report()
    assert warehouse.path.read_bytes() == published


def test_every_rule_of_the_book_is_listed_with_its_verdict(warehouse: SyntheticRun) -> None:
    from include.quality.base_rules import load_base_rules
    from include.quality.rules import load_rules

    page = warehouse.report()
    rows = [attributes for tag, attributes in page.tags if tag == "tr" and "data-verdict" in attributes]
    assert len(rows) == len({rule.id for rule in (*load_rules(), *load_base_rules())})
    verdicts = [row["data-verdict"] for row in rows]
    assert (verdicts.count("failed"), verdicts.count("passed"), verdicts.count("not tested")) == (1, 1, 1)
    assert verdicts.count("not evaluated") == len(rows) - 3
    assert "Nothing in its population was delivered." in page.text


def test_the_report_of_a_blocked_run_says_what_to_do(warehouse: SyntheticRun) -> None:
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


def test_every_kind_of_decision_on_record_is_told(warehouse: SyntheticRun) -> None:
    """A roll-back has no rule, a lost head no approver."""
    warehouse.publish()
    warehouse.execute("update candidate.mart_energy set kwh = 6")
    warehouse.publish_again(1, date(2026, 7, 11))
    rollback(Warehouse(warehouse.url), approver="the approver", reason="the wrong file")
    release(Warehouse(warehouse.url), approver="the approver", reason="the right file")
    warehouse.head_file.unlink()
    ledger.write_head(warehouse.url, warehouse.head_file)
    with connect(warehouse.url) as conn:
        ledger.append(conn, "verdict", {"run_id": 1, "gate": 2}, "tester")
    ledger.write_head(warehouse.url, warehouse.head_file)
    page = warehouse.report()
    for told in ("roll-back", "the wrong file", "release", "the right file", "head-lost", "cannot be seen"):
        assert told in page.text


def test_a_waiver_that_was_ended_is_told_and_the_report_before_stays_the_same(warehouse: SyntheticRun) -> None:
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


def test_a_damaged_ledger_is_told(warehouse: SyntheticRun) -> None:
    tamper(warehouse.url, "update quality.ledger set actor = 'somebody' where entry_no = 2")
    page = warehouse.report()
    assert "entry 2 (load) was edited" in page.text
    assert "intact" not in page.text


def test_an_unknown_run_is_a_usage_error(warehouse: SyntheticRun) -> None:
    with pytest.raises(UsageError, match="There is no run 99"):
        warehouse.report(99)


def test_the_trend_counts_every_night_of_a_year(warehouse: SyntheticRun) -> None:
    """Of each later night MET-01 tested 1,000 and failed 2: 20 per 10,000. A rule that is not in the book has no axis."""
    warehouse.add_a_year(rules=2)
    page = warehouse.report()
    assert "2026-08 31 31,000 62 20.00 0" in page.text
    assert "2027-07 9 9,000 18 20.00 0" in page.text
