"""The auditors' report of a whole night with planted defects: every section is filled, its lists are what it says."""

from __future__ import annotations

import hashlib
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from include.errors import NotReproduced
from include.publish import status
from include.quality.waivers import waive
from include.records.database import connect
from include.report import trend, workbook, write_report
from tests.nights import DAY, Utility
from tests.synthetic_run import Page


@pytest.mark.timeout(900)
def test_a_night_with_defects_fills_every_section_and_is_rebuilt_to_the_same_bytes_after_the_next(
    faulty_night: Utility,
) -> None:
    utility = faulty_night
    path = Path(utility.environment["KAW_HOME"]) / "reports" / f"{DAY}_run_1" / "report.html"
    _assert_every_section_is_filled(utility, path)
    _assert_ten_questions_are_answered(utility, path, 1)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}

    waive(utility.url, "XSR-03", "all", "A. Auditor", "the ratio is being measured", "2026-12-31")
    next_day = DAY + timedelta(days=1)
    utility.deliver(next_day)
    utility.run(next_day)
    _assert_the_next_day_is_published_and_every_row_accounted_for(utility, next_day)
    next_report = path.parents[1] / f"{next_day}_run_2" / "report.html"
    _assert_ten_questions_are_answered(utility, next_report, 2)
    assert utility.rows("select count(*) from quality.finding_events where run_id = 2 and event = 'fixed'")[0][0] > 0
    assert (
        utility.rows(
            "select count(*) from quality.quarantine_events where run_id = 2 and state in ('released', 'superseded')"
        )[0][0]
        > 0
    )
    shutil.rmtree(path.parent)
    written = write_report(utility.url, 1, path.parent.parent)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    assert written.told().startswith("same bytes as ledger entry ")

    with connect(utility.url) as connection:
        connection.execute(
            "update quality.finding_events set observed = observed || '.' where event_id = ("
            "select min(event_id) from quality.finding_events where run_id = 1 and rule_id = 'XSR-03')"
        )
    with pytest.raises(NotReproduced, match=r"findings\.csv, findings\.json, findings\.xlsx, report\.html differ"):
        write_report(utility.url, 1, path.parent.parent)
    assert path.read_bytes() == before["report.html"]


def _number(pattern: str, text: str) -> int:
    return int(re.search(pattern, text).group(1).replace(",", ""))


def _assert_ten_questions_are_answered(utility: Utility, path: Path, run: int) -> None:
    """An auditor's ten, answered by what a reader of the page sees; every figure is held to the records by SQL of its own."""

    def one(query: str):
        return utility.rows(query)[0][0]

    page = Page(path, "en")
    seen = page.sections
    open_now = f"""(
        select distinct on (finding_id) * from quality.finding_events where run_id <= {run} order by finding_id, event_id desc
    ) as latest"""
    # 1, 2. What was checked, on how many records?
    assert _number(r"All ([\d,]+) rules of the book", seen["rules"]) >= one(
        f"select count(*) from quality.rule_results where run_id = {run}"
    )
    tested = one(f"select sum(tested_rows) from quality.rule_results where run_id = {run}")
    assert f"tested {tested:,} checks of a record by a rule" in page.text
    # 3. What failed?
    failed = one(f"select count(*) from quality.rule_results where run_id = {run} and verdict = 'failed'")
    assert _number(r"([\d,]+) failed", seen["rules"]) == failed
    opened = one(f"select count(*) from {open_now} where event not in ('fixed', 'waived', 'dependant')")
    assert _number(r"([\d,]+) open", seen["findings"]) == opened
    # 4. With which money? Each record once.
    for name, column in (("Error", "amount_at_stake_cny"), ("Exposure", "exposure_cny")):
        total = one(f"""select coalesce(sum(most), 0) from (select max({column}) as most from {open_now}
            where event not in ('fixed', 'waived', 'dependant') group by source_name, table_name, record_key) as records""")
        assert f"{total:,.2f} yuan" in seen["money"] or not total, name
    # 5. Who waived?
    waived = one(f"select count(*) from quality.finding_events where run_id = {run} and event = 'waived'")
    assert ("A. Auditor" in seen["waivers"]) == (run == 2)
    assert waived == 0 or f"in force {waived} " in seen["waivers"]
    # 6. What was withheld, and which figures does it affect?
    withheld = one(f"""select count(*) from (select distinct on (table_name, raw_id) state from quality.quarantine_events
        where run_id <= {run} order by table_name, raw_id, run_id desc) as latest where state = 'quarantined'""")
    assert _number(r"because a rule names the row: ([\d,]+)", seen["withheld"]) == withheld
    partial = one("select count(*) from publish.mart_key_account_360 inner join publish.pointer using (published_month, version)"
        " where is_partial") if run == 2 else 0  # fmt: skip
    assert not partial or f"mart_key_account_360 {partial} " in seen["withheld"]
    # 7. What did not arrive?
    expected, arrived = utility.rows(
        f"select sum(expected), sum(arrived) from quality.expected_shares where run_id = {run}"
    )[0]
    assert f"{expected:,} expected, {arrived:,} arrived" in seen["expected"]
    assert "tables landed" in seen["arrivals"]
    # 8. What is new since last night?
    earlier = f"""(select distinct on (finding_id) finding_id, event from quality.finding_events where run_id < {run}
        order by finding_id, event_id desc)"""
    new, gone = utility.rows(f"""select
        count(*) filter (where latest.event not in ('fixed', 'waived', 'dependant')
            and coalesce(earlier.event, 'fixed') in ('fixed', 'dependant')),
        count(*) filter (where latest.event = 'fixed' and earlier.event not in ('fixed', 'dependant'))
        from {open_now} left join {earlier} as earlier using (finding_id)""")[0]
    assert (f"New {new:,} open findings" in seen["money"], f"Gone {gone:,} findings" in seen["money"]) == (True, True)
    assert ("There is no earlier night" in seen["money"]) == (run == 1)
    assert gone > 0 or run == 1
    # 9. What was published with which hash?
    hash_ = status(utility.url)["hash"]
    assert hash_ in seen["published"]
    assert f"run {run}, " in seen["published"]
    # 10. How is it reproduced? By these folders, dates, decisions and this hash.
    lines = re.search(r'<pre id="reproduce-lines".*?<code>(.*?)</code>', page.html, re.DOTALL).group(1).splitlines()
    folders = {
        f"KAW_SOURCE_{'FORMS' if channel == 'form' else source.upper()}": by
        for source, channel, by in utility.rows(f"""select distinct source_name, channel, delivered_by from quality.receipts
            where load_id <= (select last_load_id from quality.runs where run_id = {run})
                and load_id > coalesce((select max(last_load_id) from quality.runs where run_id < {run}), 0)""")
    }
    assert [f"{name.removeprefix('KAW_SOURCE_').lower()}" for name in folders] == [
        Path(by).name for by in folders.values()
    ]
    assert "KAW_SOURCE_FORMS" in folders
    deliveries = " ".join(f"{name}={by}" for name, by in sorted(folders.items()))
    night = f"{deliveries} ./kaw run --date {DAY + timedelta(days=run - 1)} --expect {hash_}"
    assert lines[-1] == night
    assert len(lines) == (2 if run == 1 else 4)  # between the nights the waiver
    # Conservation: the parts add up to what was delivered.
    parts = [int(text.replace(",", "")) for text in re.findall(r"<li><i class=[^>]*></i>.*?<b>([\d,]+)</b>", page.html)]
    delivered = one(f"select sum(delivered) from quality.conservation where run_id = {run}")
    assert (len(parts), sum(parts)) == (7, delivered)
    assert f"delivered {delivered:,} = the sum of the parts" in seen["conservation"]


def _assert_the_next_day_is_published_and_every_row_accounted_for(utility: Utility, day: date) -> None:
    assert utility.rows(
        "select distinct business_date from marts.publication where published_month = '2026-11-01'"
    ) == [(day,)]
    assert utility.rows("select distinct as_of_date from marts.mart_key_account_360") == [(day,)]
    assert utility.rows("select count(*) from marts.mart_key_account_ranking")[0][0] > 0
    assert utility.rows("select count(*) from marts.publication")[0][0] >= 13
    unbalanced = """
        select load_id from quality.receipt_states
        where delivered <> admitted + waived + quarantined + blocked_by_parent + superseded + duplicate + rejected
    """
    assert utility.rows("select count(*) from quality.conservation")[0][0] >= 102
    assert utility.rows(unbalanced) == []


def _assert_every_section_is_filled(utility: Utility, path: Path) -> None:
    page = Page(path, "en")
    assert page.open == []
    assert not re.search(r"https?:", page.html)
    sections = re.findall(r'<section id="([\w-]+)".*?</section>', page.html, re.DOTALL)
    assert len(sections) == len(set(sections)) == 20
    for text in re.findall(r"<section .*?</section>", page.html, re.DOTALL):
        if 'id="missing"' in text:  # no defect leaves out an unusual number of rows
            assert "No delivery left out an unusual number of rows." in page.sections["missing"]
            assert "Rows in force over all tables: " in page.sections["missing"]
            continue
        assert '<tr><th scope="row"' in text or "<table" in text or "<pre" in text
    assert page.text.count("./kaw trace mart_") >= 5
    assert "metering – marketing – contract" in page.text
    assert "great_expectations_run_1_" in page.text
    assert "This is the first night: a chart begins with the second." in page.text
    shown = set(re.findall(r"[0-9a-f]{64}", page.text))
    for name in ("absent.csv", "findings.csv", "findings.json", "findings.xlsx", "receipts.csv"):
        assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() in shown
    ratio = utility.rows("select count(*) from quality.findings where rule_id = 'XSR-03' and state = 'open'")[0][0]
    assert ratio > 0
    line = re.search(
        r'<tr><th scope="row"><a href="#r-XSR-03">XSR-03</a></th><td><bdi lang="en">The CT.*?</tr>', page.html
    )
    line = line.group()
    assert f'<td class="n">{ratio}</td>' in line
    assert DAY.isoformat() in page.text


def test_the_trend_counts_failures_per_ten_thousand_by_month() -> None:
    days = [date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 2)]
    rows = [
        {"business_date": day, "tested": tested, "failed": failed, "not_tested": 1}
        for day, tested, failed in zip(days, (20_000, 10_000, 10_000), (2, 4, 0), strict=True)
    ]
    axis = trend._axis("missing", rows, days)
    assert [(m["month"], m["runs"], m["tested"], m["share"]) for m in axis["months"]] == [
        ("2026-06", 1, 20_000, 1.0),
        ("2026-07", 2, 20_000, 2.0),
    ]
    assert (axis["highest"], axis["last"]) == (4.0, 0.0)
    assert axis["line"] == "8.0,78.5 200.0,8.0 392.0,102.0"


def test_a_workbook_splits_at_the_limit_and_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        book = workbook.Writer({"value": 10}, sheet_rows=3)
        for number in range(5):
            book.append([f"=1+{number}"])
        book.save(tmp_path / f"{name}.xlsx")
    sheets = load_workbook(tmp_path / "one.xlsx").worksheets
    assert [sheet.max_row for sheet in sheets] == [3, 3, 2]
    assert sheets[0]["A2"].data_type == "s"
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
