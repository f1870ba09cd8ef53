"""The history of many months in one go: equal to a night for each of its days, and whole after two kills.

Run by `./kaw test --soak -k backfill`. On two cores ninety nights of 20 accounts take about an hour and a half, two years of 200 accounts
about an hour. `KAW_HOME` of the second one is a folder of its own: the command is run as a person runs it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from calendar import monthrange
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from include import night
from include.backfill import backfill, stages
from include.lab.simulator.deliver import write_deliveries
from include.lab.utility import generate
from include.publish.marts import read_marts
from include.settings import ROOT
from include.transform.dbt import manifest_path
from tests import databases
from tests.nights import FOLDERS, Utility

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3 * 3600)]

OF_NIGHTS = {
    "fct_rule_results",
    "fct_findings",
    "mart_dq_scorecard",
    "mart_catalog",
}  # rows of nights, not of the utility


def published(utility: Utility) -> dict[str, Counter]:
    """Mart -> its published rows, as text, without what tells of nights."""
    found = {}
    for mart in read_marts(manifest_path()):
        if mart.name not in OF_NIGHTS:
            told = ", ".join(name for name in mart.columns if name not in mart.technical)
            rows = utility.rows(f"select to_jsonb(told)::text from (select {told} from marts.{mart.name}) as told")
            found[mart.name] = Counter(row for (row,) in rows)
    return found


def differing(one: dict[str, Counter], other: dict[str, Counter]) -> dict[str, list[str]]:
    """Mart -> some rows of each that the other has not."""
    return {
        name: [*list((one[name] - other[name]).elements())[:2], *list((other[name] - one[name]).elements())[:2]]
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }


def deliver(folder: Path, day: date, accounts: int, days: int) -> None:
    """Writes what a day brings beside what the days before did: what is new since the last file."""
    write_deliveries(generate(day, accounts=accounts, days=days, seed=1), folder, by_form=True)


def land(utility: Utility, day: date) -> None:
    utility.land(day)


def build(utility: Utility, day: date) -> None:
    run = night.begin_run(utility.warehouse, day)
    for step in night.STEPS[:-1]:
        getattr(night, step)(utility.warehouse, run)


def compared(server, template: str, tmp_path: Path, monkeypatch, first: date, number: int) -> None:
    """The same deliveries, night by night and in one go. All are there from the start: a night takes what is dated up to its day.

    A form of a week is written anew with each later day, with what its unit still keeps then: delivered day by day, only nights see it.
    """
    days, hashes = [first + timedelta(days=n) for n in range(number)], {}
    for kind in ("nights", "backfill"):
        with databases.copied(server, template, kind) as name:
            utility = Utility(server.url(name), tmp_path / kind, monkeypatch)
            utility.enter()
            for day in days:
                deliver(utility.deliveries, day, 20, 6)
            if kind == "nights":
                for day in days:
                    land(utility, day)
                    build(utility, day)
            else:
                found = backfill(
                    utility.warehouse,
                    days[0],
                    days[-1],
                    land=lambda day, own=utility: land(own, day),
                    build=lambda day, own=utility: build(own, day),
                )
                assert found.built == stages(days[0], days[-1])
            hashes[kind] = published(utility)
            (tmp_path / f"{kind}.json").write_text(json.dumps(hashes[kind]))  # to look at with --basetemp
    assert differing(hashes["nights"], hashes["backfill"]) == {}


@pytest.mark.parametrize("number", [6, 90])
def test_days_are_equal_to_night_by_night(server, session_home, template, tmp_path, monkeypatch, number: int):
    compared(server, template, tmp_path, monkeypatch, date(2026, 8, 29), number)


def two_years(folder: Path, home: Path, accounts: int, months: int) -> None:
    """A file a month and table, as a utility exports its history; the command is killed twice and ends the third time."""
    last = date(2026, 10, 31)
    ends = [last]
    while len(ends) < months:
        ends.insert(0, ends[0].replace(day=1) - timedelta(days=1))
    for end in ends:
        deliver(folder, end, accounts, monthrange(end.year, end.month)[1])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KAW_", "AIRFLOW"))}
    environment |= {"KAW_HOME": str(home)} | {f"KAW_SOURCE_{name.upper()}": str(folder / name) for name in FOLDERS}
    command = [
        sys.executable,
        "-m",
        "include.local.cli",
        "backfill",
        "--from",
        str(ends[0].replace(day=1)),
        "--to",
        str(last),
    ]
    log = home.with_suffix(".log")

    def started():
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, start_new_session=True, stdout=log.open("ab"), stderr=subprocess.STDOUT
        )

    for built in (1, months // 2):  # killed in the month after the first, and half-way
        process = started()
        while log.read_bytes().count(b"publish marts") < built:
            assert process.poll() is None, log.read_text()[-3000:]
            time.sleep(1)
        time.sleep(20)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert started().wait() == 0, log.read_text()[-3000:]
    text = log.read_text()
    assert text.count("publish marts") >= months  # one that was killed after its publish was not built again
    print(text)


def test_two_years_of_two_hundred_accounts_are_killed_twice(tmp_path: Path):
    from include.local import server
    from include.settings import Settings

    home = tmp_path / "home"
    try:
        two_years(tmp_path / "deliveries", home, 200, 24)
    finally:
        server.purge(Settings(home=home))
