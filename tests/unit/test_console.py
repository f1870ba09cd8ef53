"""What a night prints: the words of each step, whatever brackets a source wrote into its names."""

from __future__ import annotations

import io
import logging
from datetime import date

import pytest
from rich.console import Console

from include.errors import GateBlocked
from include.local.console import Progress
from include.progress import Trouble, say
from include.publish import PublishResult
from include.quality.evaluate import Result
from include.records.receipts import Receipt
from include.transform.dbt import Built


def told(what: object) -> str:
    hear = Progress(Console(file=io.StringIO(), width=130))
    with hear.step("a step"):
        hear(what)
    return hear.console.file.getvalue()


def test_a_name_with_brackets_is_printed_as_it_is() -> None:
    receipt = Receipt("met_meter", "landed", 1, 1, file_name="a[/b].csv", unknown_columns=("[/red]", "[bold]"))
    text = told(receipt)
    assert "a[/b].csv: unknown column [/red] is not in the contract" in text
    assert "unknown column [bold] is" in text


def test_a_step_is_one_line_of_a_log_however_much_it_tells() -> None:
    assert len(told("100,000 rows tested, 0 failed, " * 9).splitlines()) == 1


def test_what_is_spent_between_the_steps_is_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("include.local.console.time.monotonic", lambda: clock[0])
    hear = Progress(Console(file=io.StringIO(), width=130))
    with hear.around("around them"):
        clock[0] += 2
        with hear.step("a step"):
            clock[0] += 5
            hear(Receipt("met_meter", "landed", 1, 1))
        clock[0] += 1
    assert [line.split() for line in hear.console.file.getvalue().splitlines()] == [
        ["a", "step", "1", "loads,", "1", "rows", "delivered,", "1", "new", "5.0", "s"],
        ["around", "them", "3.0", "s"],
    ]


def test_months_that_a_publish_leaves_alone_are_told() -> None:
    june, july = date(2026, 6, 1), date(2026, 7, 1)
    quiet = PublishResult(months=[june], versions={june: 2}, unchanged_months=[], rows=1200, seconds=1.0)
    assert "1 months changed, 0 unchanged, 1,200 rows" in told(quiet)
    kept = PublishResult(
        months=[],
        versions={},
        unchanged_months=[],
        rows=0,
        seconds=1.0,
        pinned_months=[june],
        later_known_months=[july],
    )
    assert "0 unchanged, 1 pinned by a roll-back, 1 known by a later date, 0 rows" in told(kept)


def test_what_went_wrong_and_stops_nothing_is_a_line_of_its_own() -> None:
    trouble = Trouble("lineage: nobody answers")
    assert "    lineage: nobody answers" in told(trouble).splitlines()
    hear = Progress(Console(file=io.StringIO(), width=130))
    hear(trouble)  # between two steps
    assert hear.console.file.getvalue() == "    lineage: nobody answers\n"


def test_the_log_of_a_task_has_a_line_for_what_is_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kaw")
    say(Built("mart_two_rates", "SELECT 120", 1.25, 3, 160))
    say(Result("MET-01", tested_rows=500, failed_rows=0, seconds=0.1))
    say(Result("MET-02", tested_rows=1500, failed_rows=3, seconds=0.1))
    say(Receipt("mkt_bill", "landed", 1200, 7, 1193))
    say(Receipt("mkt_bill", "refused", problem="the file is empty", file_name="mkt_bill/a.csv"))
    say(GateBlocked("Gate 1 stopped the night."))
    lines = [(record.levelname, " ".join(record.getMessage().split())) for record in caplog.records]
    assert lines == [
        ("INFO", "3 of 160 mart_two_rates SELECT 120 1.25 s"),
        ("INFO", "MET-02 3 of 1,500 rows failed"),
        ("INFO", "mkt_bill landed 1,200 delivered, 7 new, 1,193 duplicate"),
        ("INFO", "mkt_bill/a.csv refused: the file is empty"),
        ("ERROR", "Gate 1 stopped the night."),
    ]
