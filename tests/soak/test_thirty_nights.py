"""Thirty nights of a utility, plain and rich, one after the other: nothing is blocked or quarantined, and a day brings one warning at most.

The first of November lies in them, when the tickets and messages of thirteen months ago leave their tables.
Run by `./kaw test --soak -k thirty`; each takes about 15 minutes on one core.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.nights import Utility

FIRST, NIGHTS = date(2026, 10, 10), 30


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("is_rich", [False, True], ids=["plain", "rich"])
def test_thirty_nights_are_clean(utility: Utility, is_rich: bool):
    for n in range(NIGHTS):
        day = FIRST + timedelta(days=n)
        utility.deliver(day, accounts=60, days=6, rich=is_rich)
        run = utility.run(day)
        opened = utility.rows(
            "select findings.rule_id, findings.severity from quality.finding_events as events"
            " inner join quality.findings using (finding_id) where events.run_id = %s and events.event = 'opened'",
            run["run_id"],
        )
        print(day, opened, flush=True)
        assert {severity for _, severity in opened} <= {"warn"}, (day, opened)
        assert len(opened) <= 1, (day, opened)
    published = utility.rows("select count(*) from quality.runs where state = 'published'")
    assert published == [(NIGHTS,)]
