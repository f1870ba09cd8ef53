"""`check-sources` connects, compares columns, counts rows, and writes nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import psycopg
import pytest

from include.contracts import Table, load_contracts
from include.lab.simulator.deliver import write_deliveries
from include.lab.utility import generate
from include.landing.check import check_sources
from include.landing.databases import Source, SourceFailed
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
    assert (len(checks), problems(checks)) == (52, {})
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


@pytest.fixture
def simulated(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    """The clean simulated utility as files of all three sources."""
    utility = new_utility(database, tmp_path, monkeypatch)
    write_deliveries(generate(DAY, accounts=20, days=3, seed=1), tmp_path, full=True)
    return utility


def test_the_command_ends_with_0_where_all_is_well(simulated, capsys):
    assert cli.main(["check-sources", "--all", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told) == 52
    assert [table["values"] for table in told if table["values"]] == []


def spoil(utility: Utility, source: str, table: str, line: int, **values: str) -> str:
    """Other values in one line of a table's only file, counted from 1 with the header; returns the file's name."""
    (path,) = (utility.folder.parent / source / table).glob("*.csv")
    (path.parent / "_manifest.json").unlink(missing_ok=True)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    rows[line - 2] |= values
    path.write_text(csv_text(table, rows), encoding="utf-8")
    return f"{table}/{path.name}"


def test_values_that_would_not_pass_are_told_in_the_words_of_landing_and_rules(simulated, capsys):
    bills = spoil(simulated, "marketing", "mkt_bill", 3, issued_on="30.10.2026", cons_no="0310000999")
    customers = spoil(
        simulated, "marketing", "mkt_customer", 4, cons_class="LARGE", cons_name="", cons_no="31 000 0003"
    )
    contracts = spoil(simulated, "contract", "con_contract", 2, version="1.5")
    assert cli.main(["check-sources", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    values = {(v["table"], v["column"], v["problem"]): v for table in told for v in table["values"]}
    first = {key: (v["rows"], v["file"], v["line"], v["value"]) for key, v in values.items()}
    assert first["mkt_bill", "issued_on", "is not a date YYYY-MM-DD"] == (1, bills, 3, "30.10.2026")
    assert first["mkt_bill", "cons_no", "is no row of mkt_customer with this cons_no"][1] == bills
    assert first["mkt_customer", "cons_name", "is empty, the contract requires a value"] == (1, customers, 4, None)
    assert first["mkt_customer", "cons_no", "is not 10, 13 or 16 digits"] == (1, customers, 4, "31 000 0003")
    assert first["con_contract", "version", "is no whole number of integer"] == (1, contracts, 2, "1.5")
    (code,) = [key for key in first if key[:2] == ("mkt_customer", "cons_class")]
    assert code[2].startswith("is not one of LARGE_IND, ")
    assert first[code] == (1, customers, 4, "LARGE")


def test_a_bad_value_of_a_form_is_told_of_the_forms_where_its_system_cannot_be_reached(simulated, monkeypatch):
    form = Utility(simulated.url, simulated.folder.parent / "forms")
    form.write("mkt_contact", "unit.csv", [{"cons_no": "0310000001", "contact_role": "NOBODY"}])
    monkeypatch.setenv("KAW_SOURCE_MARKETING", str(simulated.folder / "nowhere"))
    (check,) = [c for c in check_sources(nights.addresses_to_check(), DAY) if c.values]
    assert (check.source, check.table) == ("forms", "mkt_contact")
    assert ("contact_role", 1, "mkt_contact/unit.csv:2") in [(bad.column, bad.rows, bad.place) for bad in check.values]


def test_a_source_that_breaks_off_is_one_entry_whatever_was_seen_of_it(sources, monkeypatch):
    """Its customers lack all but their number; the connection ends at its payments."""
    with psycopg.connect(sources.address) as connection:
        connection.execute("insert into mkt_payment (pay_no) values ('P1')")
    newest = Source.newest

    def break_off(source: Source, table: Table, limit: int | None):
        if table.name == "mkt_payment":
            raise SourceFailed("The source stopped answering.", where="mkt_payment", next_step="repeat.")
        return newest(source, table, limit)

    monkeypatch.setenv("KAW_SOURCE_TRIES", "1")
    monkeypatch.setattr(Source, "newest", break_off)
    (check,) = [c for c in check_sources(nights.addresses_to_check(), DAY) if c.source == "marketing"]
    assert (check.table, check.values) == ("*", [])
    assert "stopped answering" in check.problem


def test_a_sample_looks_at_the_first_rows_of_a_file_and_the_newest_of_a_table(simulated, empty_database, monkeypatch):
    spoil(simulated, "metering", "met_feeder", 3, org_no="")
    assert [c.values for c in check_sources(nights.addresses_to_check(), DAY, sample=1) if c.values] == []
    (check,) = [c for c in check_sources(nights.addresses_to_check(), DAY, sample=2) if c.values]
    assert [(bad.column, bad.rows, bad.place) for bad in check.values] == [
        ("org_no", 1, "met_feeder/met_feeder_20260115.csv:3")
    ]
    source_tables(empty_database, *load_contracts()["marketing"])
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "insert into mkt_org (org_no, src_updated_at) values ('31', '2026-01-02 00:00+08'), (null, '2026-01-01 00:00+08')"
        )
    monkeypatch.setenv("KAW_SOURCE_MARKETING", empty_database)
    for sample, rows in ((1, 0), (None, 1)):
        checks = check_sources(nights.addresses_to_check(), DAY, sample)
        of_org = [bad for c in checks if c.table == "mkt_org" for bad in c.values if bad.column == "org_no"]
        assert sum(bad.rows for bad in of_org) == rows


def test_a_table_whose_rows_are_empty_ends_with_1(sources, capsys):
    assert cli.main(["check-sources"]) == 1
    assert "is empty, the contract requires a value" in capsys.readouterr().out


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
