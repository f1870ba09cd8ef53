"""Three days of managers and contacts: landed in order, at once, or the middle one last, what is built of them is the same."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from psycopg import sql

from include import night
from include.transform.dbt import load_seeds, run_dbt
from tests import databases
from tests.nights import DAY, Utility

LAST = None  # in force on the business date, the 22nd
# By hand: the file of the 21st alone gives M0000 six more hours of training, lacks M0001 and holds one M0009.
MANAGERS = [
    ("L0002", 20, LAST, "38.00"),
    ("M0000", 20, 21, "24.00"),
    ("M0000", 21, 22, "30.00"),
    ("M0000", 22, LAST, "24.00"),
    ("M0001", 20, 21, "31.00"),
    ("M0001", 22, LAST, "31.00"),
    ("M0002", 20, LAST, "38.00"),
    ("M0009", 21, 22, "38.00"),
]
ORDERS = {"in order": ((20,), (21,), (22,)), "the middle one last": ((20,), (22,), (21,)), "at once": ((20, 21, 22),)}


def of_three_days(folder: Path) -> dict[int, list[Path]]:
    """The simulated files of the 22nd as they are, the same ones of the 20th, and other ones of the 21st."""
    found: dict[int, list[Path]] = {20: [], 21: [], 22: []}
    for table in ("mkt_manager", "mkt_contact"):
        newest = folder / table / f"{table}_20261122.csv"
        found[22].append(newest)
        found[20].append(Path(shutil.copy(newest, newest.with_name(f"{table}_20261120.csv"))))
        with newest.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        by_number = {row[0]: row for row in rows}
        if table == "mkt_manager":
            by_number["M0000"][header.index("training_hours_12m")] = "30.00"
            rows = [row for row in rows if row[0] != "M0001"] + [["M0009", *by_number["M0002"][1:]]]
        else:
            rows = [[*rows[0][:-1], "2026-11-21 09:00:00+08:00"], *rows[2:]]
        other = newest.with_name(f"{table}_20261121.csv")
        with other.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        found[21].append(other)
    return found


def land(utility: Utility, order: tuple[tuple[int, ...], ...]) -> None:
    """The deliveries of the 22nd, and managers and contacts of three days that come in that order."""
    utility.deliver()
    files = of_three_days(utility.deliveries / "marketing")
    aside = utility.deliveries.parent / "aside"
    aside.mkdir()
    for path in (path for paths in files.values() for path in paths):
        shutil.move(path, aside / path.name)
    until = 0
    for days in order:
        for path in (path for day in days for path in files[day]):
            shutil.move(aside / path.name, path)
        until = max(until, *days)
        utility.land(date(2026, 11, until))
    assert utility.rows("select file_name, problem from quality.receipts where state = 'refused'") == []


def managers(utility: Utility) -> list[tuple]:
    return utility.rows(
        "select manager_no, extract(day from valid_from)::integer, extract(day from valid_to)::integer,"
        ' training_hours_12m::text from warehouse.dim_managers order by manager_no collate "C", valid_from'
    )


def staged(utility: Utility) -> dict[str, str]:
    """A digest of each staged table that was built, without what says which row of raw it is."""
    digest = (
        "select md5(string_agg(line, ',' order by line)) from"
        " (select (to_jsonb(rows) - '{{_raw_id,_load_id}}'::text[])::text as line from {} as rows) as lines"
    )
    built = utility.rows(
        "select relname from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r' and starts_with(relname, 'stg_')"
    )
    return {
        name: utility.rows(sql.SQL(digest).format(sql.Identifier("staging", name)).as_string())[0][0]
        for (name,) in built
    }


@pytest.fixture
def in_each_order(server, template, tmp_path, monkeypatch):
    """A warehouse for each order of landing, after it."""

    def utilities():
        for number, (name, order) in enumerate(ORDERS.items()):
            folder = tmp_path / str(number)
            with databases.copied(server, template) as database:
                utility = Utility(server.url(database), folder, monkeypatch)
                land(utility, order)
                yield name, utility

    return utilities


@pytest.mark.timeout(600)
def test_files_of_three_days_are_staged_the_same_in_whatever_order_they_land(in_each_order):
    found = {}
    for name, utility in in_each_order():
        run = night.begin_run(utility.warehouse, DAY)
        own = utility.warehouse.fenced(run["fence"])
        load_seeds(own)
        run_dbt(["run", "--select", "+dim_managers", "stg_marketing__managers", "stg_marketing__contacts"], own)
        assert managers(utility) == MANAGERS, name
        found[name] = staged(utility)
        assert {"stg_marketing__managers", "stg_marketing__contacts"} <= found[name].keys()
    assert found["the middle one last"] == found["in order"]
    assert found["at once"] == found["in order"]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_files_of_three_days_give_the_same_marts_in_whatever_order_they_land(in_each_order):
    found = {}
    for name, utility in in_each_order():
        utility.run()
        assert managers(utility) == MANAGERS, name
        assert utility.rows("select rule_id from quality.open_findings where severity = 'block'") == []
        assert utility.rows(
            "select count(*) filter (where tested_rows > 0), sum(failed_rows) from quality.rule_results"
            " where rule_id = 'PIP-04'"
        ) == [(1, 0)]
        found[name] = utility.hashes()
    assert found["the middle one last"] == found["in order"]
    assert found["at once"] == found["in order"]
