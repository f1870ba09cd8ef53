"""What the simulated utility delivers, as files, forms and databases: repeatable, announced, complete."""

from __future__ import annotations

import json
from datetime import date, timedelta

import openpyxl
import pandas as pd
import psycopg
import pyarrow as pa
import pytest

from include.contracts import all_tables, load_contracts
from include.errors import UsageError
from include.lab.simulate import main
from include.lab.simulator.deliver import form_rows, write_deliveries, write_forms
from include.lab.simulator.load import load_databases
from include.lab.simulator.simulation import Simulation
from include.lab.utility import generate
from include.landing.check import check_sources
from include.local.cli.nights import addresses_to_check
from tests.landing import land_source
from tests.simulated import DAY, frame, simulated


@pytest.fixture(scope="module")
def utility() -> Simulation:
    return simulated(DAY, accounts=20, days=12, seed=3)


@pytest.fixture(scope="module")
def next_day() -> Simulation:
    return simulated(DAY + timedelta(days=1), accounts=20, days=12, seed=3)


def test_deliveries_are_byte_for_byte_repeatable_and_announced(utility, tmp_path):
    files = write_deliveries(utility, tmp_path)
    content = [path.read_bytes() for path in files]
    assert [path.read_bytes() for path in write_deliveries(utility, tmp_path)] == content
    manifest = json.loads((tmp_path / "marketing/mkt_bill/_manifest.json").read_text())
    (entry,) = manifest["files"]
    assert manifest["synthetic"] is True
    assert entry["rows"] == len(frame(utility, "mkt_bill")) >= 20 * 25
    assert entry["sums"]["total_charge"] == str(frame(utility, "mkt_bill").total_charge.sum())
    assert "complete_from" not in json.loads((tmp_path / "marketing/mkt_org/_manifest.json").read_text())["files"][0]


def test_a_later_delivery_holds_what_is_new(utility, next_day, tmp_path):
    write_deliveries(utility, tmp_path, sources=("metering",))
    write_deliveries(next_day, tmp_path, sources=("metering",))
    folder = tmp_path / "metering/met_interval_96"
    later = pa.parquet.read_table(folder / "met_interval_96_20250716.parquet")
    assert set(later["data_date"].to_pylist()) == {date(2025, 7, 16)}
    assert len(json.loads((folder / "_manifest.json").read_text())["files"]) == 2
    whole = (tmp_path / "metering/met_meter/met_meter_20250716.csv").read_text().splitlines()
    assert len(whole) == 1 + next_day.tables["metering", "met_meter"].num_rows


def test_two_deliveries_one_after_the_other_lose_no_row(utility, next_day, tmp_path):
    for simulation in (utility, next_day):
        write_deliveries(simulation, tmp_path, sources=("marketing",))
    for name in ("mkt_payment", "mkt_survey", "mkt_manager_visit", "mkt_bill"):
        key = list(all_tables()[name].key)
        delivered = pd.concat(pd.read_csv(p, dtype=str) for p in (tmp_path / "marketing" / name).glob("*.csv"))
        wanted = set(frame(next_day, name)[key].astype(str).itertuples(index=False, name=None))
        assert wanted <= set(delivered[key].itertuples(index=False, name=None)), name


def test_forms_hold_text_and_the_databases_do_not_hold_the_forms(utility, tmp_path):
    files = write_forms(utility, tmp_path)
    assert sorted(path.suffix for path in files) == [".csv", ".csv", ".xlsx", ".xlsx"]
    book = next(path for path in files if path.suffix == ".xlsx" and "inspection" in str(path))
    assert book.read_bytes() == next(p for p in write_forms(utility, tmp_path) if p == book).read_bytes()
    rows = list(openpyxl.load_workbook(book).active.iter_rows(values_only=True))
    assert list(rows[0]) == [c.name for c in all_tables()["mkt_inspection"].columns]
    assert len(rows) > 1
    assert all(isinstance(value, str) or value is None for row in rows for value in row)


def test_a_unit_that_writes_its_forms_on_fridays_hands_in_the_same_one_all_week(tmp_path):
    """11 July 2025 is a Friday."""
    contents = {}
    for day in (date(2025, 7, 11), date(2025, 7, 17), date(2025, 7, 25)):
        files = write_forms(generate(day, accounts=60, days=1), tmp_path / f"{day}")
        contents[day.day] = {path.name: path.read_bytes() for path in files if path.parent.name == "mkt_manager_visit"}
    nightly, weekly = "U310102MAR_202507{}.csv", "U310103MAR_202507{}.xlsx"
    assert [list(found) for found in contents.values()] == [
        [nightly.format(11), weekly.format(11)],
        [nightly.format(17), weekly.format(11)],
        [nightly.format(25), weekly.format(25)],
    ]
    assert contents[11][weekly.format(11)] == contents[17][weekly.format(11)] != contents[25][weekly.format(25)]
    assert contents[11][nightly.format(11)] != contents[17][nightly.format(17)]


def test_the_command_writes_the_folder_and_names_the_planted_classes(tmp_path, capsys):
    assert (
        main([str(tmp_path), "--accounts", "20", "--days", "4", "--defects", "7", "--business-date", "2025-07-15"]) == 0
    )
    assert "X1 " in capsys.readouterr().out
    truth = pd.read_csv(tmp_path / "truth.csv", dtype=str)
    columns = "defect_class source_name table_name record_key column_name right_value rule_ids"
    assert " ".join(truth.columns) == columns
    assert (tmp_path / "contract/con_contract/_manifest.json").exists()


def test_the_folder_of_the_command_is_the_whole_utility(database, tmp_path, capsys, monkeypatch):
    """Landed from the addresses that the command prints, every table has its rows, those of two units by form."""
    day = date(2025, 7, 15)
    assert main([str(tmp_path), "--accounts", "20", "--days", "4", "--business-date", f"{day}"]) == 0
    addresses = dict(line.strip().split("=") for line in capsys.readouterr().out.splitlines() if "KAW_SOURCE_" in line)
    assert set(addresses) == {f"KAW_SOURCE_{source}" for source in ("METERING", "MARKETING", "CONTRACT", "FORMS")}
    for name, value in (addresses | {"KAW_HOME": f"{tmp_path}/home", "KAW_WAREHOUSE": database}).items():
        monkeypatch.setenv(name, value)
    checks = {(check.source, check.table): check for check in check_sources(addresses_to_check(), day)}
    assert [check.problem for check in checks.values() if check.problem] == []
    assert {name for source, name in checks if source == "forms"} == {"mkt_inspection", "mkt_manager_visit"}
    for source in load_contracts():
        assert [receipt for receipt in land_source(database, source, day) if receipt.state != "landed"] == []
    whole = generate(day, accounts=20, days=4)
    with psycopg.connect(database) as connection:
        for (source, name), table in whole.tables.items():
            counted = connection.execute(
                f"select _channel, count(*) from raw_{source}.{name} where not _is_tombstone group by 1 order by 1"
            ).fetchall()
            by_form = sum(
                form_rows(whole, name, accounts).num_rows
                for accounts in whole.form_units.values()
                if (source, name) in whole.form_tables
            )
            expected = [("auto", table.num_rows - by_form), ("form", by_form)]
            assert counted == [(channel, rows) for channel, rows in expected if rows], name
            assert (by_form > 0) == ((source, name) in whole.form_tables), name


def test_a_wrong_argument_is_refused_with_exit_code_two(tmp_path):
    with pytest.raises(UsageError, match="at least 20 accounts") as refused:
        main([str(tmp_path), "--accounts", "5"])
    assert refused.value.exit_code == 2


def test_the_databases_hold_the_contract_tables_without_the_forms(utility, empty_database):
    load_databases(utility, {"marketing": empty_database, "contract": empty_database})
    load_databases(utility, {"contract": empty_database})
    with psycopg.connect(empty_database) as connection:
        counts = {
            name: connection.execute(f"select count(*) from public.{name}").fetchone()[0]
            for source in ("marketing", "contract")
            for name in load_contracts()[source]
        }
        total = connection.execute("select sum(total_charge), max(src_updated_at) from public.mkt_bill").fetchone()
    bills = frame(utility, "mkt_bill")
    assert total == (bills.total_charge.sum(), bills.src_updated_at.max())
    by_form = {cons for members in utility.form_units.values() for cons in members}
    for name, count in counts.items():
        rows = frame(utility, name)
        if ("marketing", name) in utility.form_tables:
            rows = rows[~rows.cons_no.isin(by_form)]
        assert count == len(rows), name
