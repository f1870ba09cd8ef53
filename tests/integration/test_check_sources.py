"""`check-sources` connects, compares columns, counts rows, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from include.contracts import load_contracts
from include.landing.check import check_sources
from include.local import cli
from include.local.cli import nights
from tests.landing import DAY, Utility, csv_text, new_utility, source_tables


@pytest.fixture
def sources(database: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    """Every table of every source there and good: metering and contract as files, marketing as a database."""
    utility = new_utility(database, tmp_path, monkeypatch)
    monkeypatch.setenv("KAW_SOURCE_MARKETING", empty_database)
    source_tables(empty_database, *load_contracts()["marketing"])
    with psycopg.connect(empty_database) as connection:
        connection.execute("insert into mkt_customer (cons_no) values ('0017'), ('0018')")
    for source in ("metering", "contract"):
        for name in load_contracts()[source]:
            Utility(database, tmp_path / source).write(name, f"{name}_20260115.csv", [{}])
    utility.address = empty_database
    return utility


def problems(checks: list) -> dict:
    return {check.table: check.problem for check in checks if check.problem}


def state_of(utility: Utility) -> tuple:
    """Everything a check could have changed: files, and row counts of warehouse and source."""
    files = sorted((str(path), path.stat().st_mtime_ns) for path in utility.folder.parent.rglob("*"))
    counts = utility.query("select count(*) from quality.receipts") + utility.query(
        "select count(*) from quality.fences"
    )
    with psycopg.connect(utility.address) as connection:
        relations = connection.execute("select relname, relpages from pg_class order by 1").fetchall()
    return files, counts, relations


def test_good_sources_have_51_tables_without_a_problem_and_stay_untouched(sources):
    before = state_of(sources)
    checks = check_sources(nights.addresses_to_check(), DAY)
    assert state_of(sources) == before
    assert (len(checks), problems(checks)) == (51, {})
    assert {check.table: check.rows for check in checks if check.rows}["mkt_customer"] == 2


def test_each_problem_is_told_beside_its_table(sources):
    with psycopg.connect(sources.address) as connection:
        connection.execute("alter table mkt_bill drop column total_charge")
        connection.execute("alter table mkt_payment add colour text")
    (sources.folder / "met_feeder" / "met_feeder_20260115.csv").unlink()
    sources.write("met_meter", "met_meter_20260115.csv", csv_text("met_meter", [{}], without="maker"))
    sources.announce("met_it", {"name": "met_it_20260115.csv", "rows": 7})
    checks = check_sources(nights.addresses_to_check(), DAY)
    assert problems(checks) == {
        "mkt_bill": "column total_charge of the contract is missing",
        "met_feeder": "no file in met_feeder/ for 2026-01-15 or earlier",
        "met_meter": "met_meter/met_meter_20260115.csv: column maker of the contract is missing",
        "met_it": "met_it/met_it_20260115.csv: 7 rows were announced, 1 came",
    }
    assert [check.unknown_columns for check in checks if check.unknown_columns] == [["colour"]]


def test_forms_are_checked_too(sources):
    Utility(sources.url, sources.folder.parent / "forms").write("mkt_customer", "unit.csv", "cons_no\n1\n")
    (found,) = [check for check in check_sources(nights.addresses_to_check(), DAY) if check.source == "forms"]
    assert found.problem.startswith("mkt_customer/unit.csv: column ")


def test_the_command_ends_with_0_where_all_is_well(sources, capsys):
    assert cli.main(["check-sources", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 51


def test_the_command_ends_with_3_where_a_source_cannot_be_reached(sources, capsys, monkeypatch):
    monkeypatch.setenv("KAW_SOURCE_MARKETING", sources.address.replace("@", "-wrong@"))
    monkeypatch.setenv("KAW_SOURCE_CONTRACT", str(sources.folder / "nowhere"))
    assert cli.main(["check-sources"]) == 3
    told = " ".join(capsys.readouterr().out.split())
    assert "2 with a problem; nothing was written" in told
    assert "-wrong" not in told


def test_a_simulated_source_that_never_delivered_is_no_problem(sources, monkeypatch):
    for source in ("METERING", "MARKETING", "CONTRACT", "FORMS"):
        monkeypatch.delenv(f"KAW_SOURCE_{source}")
    checks = check_sources(nights.addresses_to_check(), DAY)
    assert [check.source for check in checks] == ["metering", "marketing", "contract"]
    assert problems(checks) == {}
    assert not list((sources.folder.parent / "home").iterdir())
