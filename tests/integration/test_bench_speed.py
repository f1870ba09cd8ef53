"""The speed bench at its smallest: every way to do a part's work comes to the same rows. No time is asserted."""

from __future__ import annotations

import json

import pytest

from include.lab.bench import speed
from include.lab.bench.speed import Measure, Outcome
from include.local import cli

SMALL = ("bench", "speed", "--accounts", "20", "--days", "2", "--repeats", "1", "--json")


@pytest.fixture
def bench(database, fresh_home, monkeypatch, capsys):
    """Runs the bench on the server of the session; exit code, output and error."""
    monkeypatch.setenv("KAW_WAREHOUSE", database)

    def run(*more: str) -> tuple[int, str, str]:
        code = cli.main([*SMALL, *more])
        return code, *capsys.readouterr()

    return run


def test_a_ratio_is_that_of_times_for_one_row():
    limit = Measure("land", "pipe", "limit", 1000, 0.5)
    ours = Measure("land", "landing", "ours", 1000, 1.5)
    sampled = Measure("land", "row by row", "peer", 100, 2.0)
    outcome = Outcome(10, 1, [limit, ours, sampled, Measure("check", "pass", "limit", 1000, 0.1)])
    assert [outcome.ratio(m) for m in outcome.measures] == [1.0, 3.0, 40.0, 1.0]
    assert outcome.as_dict()["measures"][2]["rows_per_second"] == 50


@pytest.mark.timeout(600)
def test_each_part_has_its_limit_and_all_find_the_rows_that_were_spoiled(bench):
    code, out, _ = bench()
    assert code == 0
    measures = json.loads(out)["measures"]
    assert [(m["part"], m["kind"]) for m in measures] == [
        ("land", "limit"),
        ("land", "ours"),
        ("land", "ours"),
        ("land", "peer"),
        ("land", "peer"),
        ("check", "limit"),
        ("check", "ours"),
        ("check", "peer"),
        ("check", "peer"),
        ("publish", "limit"),
        ("publish", "ours"),
        ("publish", "ours"),
    ]
    rows = {part: {m["rows"] for m in measures if m["part"] == part} for part in ("land", "check")}
    assert len(rows["land"]) == 1
    assert rows["land"] == rows["check"]
    assert min(m["seconds"] for m in measures) > 0


def test_unlike_things_are_not_compared(bench, monkeypatch):
    monkeypatch.setattr(speed.Bench, "_relay", lambda self: 1)
    code, _, error = bench()
    assert code == 3
    assert "one way to land did not bring every row" in error


def test_a_utility_that_is_too_small_is_wrong_usage(bench):
    code, _, error = bench("--accounts", "5")
    assert code == 2
    assert "at least 20 accounts" in error
