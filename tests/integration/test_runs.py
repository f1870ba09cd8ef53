"""Where a run begins: what landed since the last passed gate is what its gate tests."""

from __future__ import annotations

from datetime import date

import pytest

from include.records import runs
from include.records.database import connect

FIRST, SECOND, THIRD = date(2026, 7, 9), date(2026, 7, 10), date(2026, 7, 11)


def land(url: str, day: date) -> None:
    """A receipt of one table; loads are numbered from 1."""
    with connect(url) as connection:
        connection.execute(
            "insert into quality.receipts (source_name, table_name, channel, business_date, state)"
            " values ('marketing', 'mkt_bill', 'auto', %s, 'landed')",
            [day],
        )


def begin(url: str, day: date, *, becomes: str) -> int:
    """Begins a run of the day and ends it in a state; returns the number of the last load that its gate need not test."""
    with runs.alone(url) as holder:
        run = runs.begin(holder, day)
    with connect(url) as connection:
        connection.execute("update quality.runs set state = %s where run_id = %s", [becomes, run.run_id])
        return connection.execute("select last_passed_load_id from quality.current_run").fetchone()[0]


def test_what_landed_since_the_last_published_night_is_tested(database: str):
    land(database, FIRST)
    assert begin(database, FIRST, becomes="published") == 0
    land(database, SECOND)
    assert begin(database, SECOND, becomes="blocked") == 1
    land(database, THIRD)
    assert begin(database, THIRD, becomes="published") == 1
    assert begin(database, THIRD, becomes="published") == 3


@pytest.mark.parametrize("is_early", [False, True], ids=["in order", "the next day landed first"])
def test_a_night_that_landed_before_its_day_before_was_published_is_tested(database: str, is_early: bool):
    land(database, FIRST)
    begin(database, FIRST, becomes="published")
    if is_early:
        land(database, THIRD)
    land(database, SECOND)
    assert begin(database, SECOND, becomes="published") == 1
    if not is_early:
        land(database, THIRD)
    # where the third day landed first, its load is number 2: no gate has seen it, although load 3 was published
    assert begin(database, THIRD, becomes="published") == (1 if is_early else 2)
    assert begin(database, THIRD, becomes="published") == 3


def test_what_landed_between_two_nights_of_which_the_older_came_last_is_tested(database: str):
    land(database, FIRST)
    land(database, SECOND)
    assert begin(database, SECOND, becomes="published") == 0
    land(database, SECOND)  # load 3 comes late, and no run of its date follows
    land(database, FIRST)
    assert begin(database, FIRST, becomes="published") == 0  # a later night speaks for no earlier one
    assert begin(database, SECOND, becomes="published") == 2
    assert begin(database, SECOND, becomes="published") == 4
