"""What a night prints: the words of each step, whatever brackets a source wrote into its names."""

from __future__ import annotations

import io
from datetime import date

from rich.console import Console

from include.local.console import Progress
from include.publish import PublishResult
from include.records.receipts import Receipt


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
