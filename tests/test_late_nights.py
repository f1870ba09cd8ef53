"""Three days of managers and contacts: landed in order, at once, or the middle one last, the night publishes the same."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest

from tests import databases
from tests.nights import Utility

LAST = None  # in force on the business date, the 22nd
# By hand: the file of the 21st alone gives M0000 six more hours of training, lacks M0001 and holds one M0009.
MANAGERS = [
    ("M0000", 20, 21, "24.00"),
    ("M0000", 21, 22, "30.00"),
    ("M0000", 22, LAST, "24.00"),
    ("M0001", 20, 21, "31.00"),
    ("M0001", 22, LAST, "31.00"),
    ("M0002", 20, LAST, "38.00"),
    ("M0003", 20, LAST, "20.00"),
    ("M0009", 21, 22, "20.00"),
]
ORDERS = {"in order": ((20,), (21,), (22,)), "at once": ((20, 21, 22),), "the middle one last": ((20,), (22,), (21,))}


def of_three_days(folder: Path) -> dict[int, list[Path]]:
    """The simulated files of the 22nd as they are, the same ones of the 20th, and other ones of the 21st."""
    found: dict[int, list[Path]] = {20: [], 21: [], 22: []}
    for table in ("mkt_manager", "mkt_contact"):
        newest = folder / table / f"{table}_20261122.csv"
        found[22].append(newest)
        found[20].append(Path(shutil.copy(newest, newest.with_name(f"{table}_20261120.csv"))))
        with newest.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        if table == "mkt_manager":
            hours = header.index("training_hours_12m")
            rows[0][hours] = "30.00"
            rows = [rows[0], *rows[2:], ["M0009", *rows[3][1:]]]
        else:
            rows = [[*rows[0][:-1], "2026-11-21 09:00:00+08:00"], *rows[2:]]
        other = newest.with_name(f"{table}_20261121.csv")
        with other.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        found[21].append(other)
    return found


def ran(utility: Utility, order: tuple[tuple[int, ...], ...]) -> dict:
    """The night of the 22nd on files that came in that order, and what it says."""
    utility.deliver()
    files = of_three_days(utility.deliveries / "marketing")
    aside = utility.deliveries.parent / "aside"
    aside.mkdir()
    for path in (path for paths in files.values() for path in paths):
        shutil.move(path, aside / path.name)
    night = 0
    for days in order:
        for path in (path for day in days for path in files[day]):
            shutil.move(aside / path.name, path)
        night = max(night, *days)
        if days != order[-1]:
            utility.land(date(2026, 11, night))
    utility.run()
    return {
        "managers": utility.rows(
            "select manager_no, extract(day from valid_from)::integer, extract(day from valid_to)::integer,"
            " training_hours_12m::text from warehouse.dim_managers order by 1, 2"
        ),
        "refused": utility.rows("select file_name, problem from quality.receipts where state = 'refused'"),
        "blocks": utility.rows("select rule_id, record_key from quality.open_findings where severity = 'block'"),
        "lost": utility.rows(
            "select load_id from quality.conservation where delivered"
            " <> admitted + waived + quarantined + held + superseded + duplicate + rejected"
        ),
        "marts": utility.hashes(),
    }


@pytest.mark.timeout(900)
def test_files_of_three_days_give_the_same_marts_in_whatever_order_they_land(
    server, session_home, template, tmp_path, monkeypatch
):
    found = {}
    for number, (name, order) in enumerate(ORDERS.items()):
        with databases.copied(server, template) as database:
            folder = tmp_path / str(number)
            with databases.parsed(database, session_home, folder / "home"):
                found[name] = ran(Utility(server.url(database), folder, monkeypatch), order)
        assert found[name]["managers"] == MANAGERS, name
        assert (found[name]["refused"], found[name]["blocks"], found[name]["lost"]) == ([], [], []), name
    assert found["at once"]["marts"] == found["in order"]["marts"]
    assert found["the middle one last"]["marts"] == found["in order"]["marts"]
