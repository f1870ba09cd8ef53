"""What the bench of histories makes of the costs that it counted."""

from __future__ import annotations

import argparse

import pytest

from include.lab.bench.history import Cost, Outcome
from include.local.cli.options import days


def test_the_ratio_is_that_of_blocks_beside_the_longest_and_the_shortest_history():
    outcome = Outcome(
        10,
        [
            Cost(31, "land", 100, 5, 1.0),
            Cost(31, "build_staging", 300, 7, 2.0),
            Cost(366, "land", 110, 5, 1.5),
            Cost(366, "build_staging", 690, 9, 4.0),
        ],
    )
    assert outcome.days == [31, 366]
    assert outcome.ratio("land") == 1.1
    assert outcome.ratio("build_staging") == 2.3
    assert outcome.ratio("all") == 2.0
    assert outcome.total(366) == Cost(366, "all", 800, 14, 5.5)


def test_days_are_whole_numbers_above_nought():
    assert days("31,366") == [31, 366]
    for wrong in ("", "31,", "0", "-1", "a", "1.5"):
        with pytest.raises(argparse.ArgumentTypeError):
            days(wrong)
