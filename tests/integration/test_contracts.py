"""The three contracts drive raw tables and dbt sources; nothing restates their columns and gets it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from include.contracts import all_tables, load_contracts
from include.landing.databases import compared_whole, event_condition
from include.landing.slots import TECHNICAL
from include.records.database import connect
from include.settings import SOURCE_NAMES

ROOT = Path(__file__).resolve().parents[2]
STAGING = ROOT / "dbt_project" / "models" / "staging"
LANDING_COLUMNS = {"_raw_id", "_load_id", "_business_date", "_channel", "_file_line", "_is_tombstone", "_key", "_hash"}


def test_the_contracts_hold_13_32_and_7_tables():
    counts = {source: len(tables) for source, tables in load_contracts().items()}
    assert counts == {"metering": 13, "marketing": 32, "contract": 7}
    assert len(all_tables()) == sum(counts.values())


def test_names_of_tables_are_unique_and_keys_and_cursors_are_columns():
    for source, tables in load_contracts().items():
        for name, table in tables.items():
            assert (table.name, table.source) == (name, source)
            names = [c.name for c in table.columns]
            assert len(set(names)) == len(names)
            assert {*table.key, table.cursor_column} <= set(names)
            assert table.key


def test_every_reference_leads_to_columns_that_exist():
    tables, seen = all_tables(), 0
    for table in tables.values():
        for reference in table.references:
            target = {c.name for c in tables[reference.target_table].columns}
            assert set(reference.target_columns) <= target
            assert set(reference.columns) <= {c.name for c in table.columns}
            seen += 1
    assert seen > 50


def test_a_curve_has_96_slots_in_order():
    assert all_tables()["met_interval_96"].curve_slots == [f"v{slot}" for slot in range(1, 97)]
    assert [table.name for table in all_tables().values() if table.curve_slots] == ["met_interval_96"]


@pytest.mark.parametrize("source", SOURCE_NAMES)
def test_the_dbt_sources_are_exactly_the_tables_of_the_contract(source):
    (path,) = STAGING.glob(f"{source}/_*__sources.yml")
    (declared,) = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    assert declared["name"] == declared.get("schema", declared["name"]) == f"raw_{source}"
    assert [table["name"] for table in declared["tables"]] == list(load_contracts()[source])


def test_the_raw_tables_are_those_of_the_contracts_with_their_columns_and_types(database):
    with connect(database) as connection:
        found = connection.execute(
            "select attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull"
            " from pg_attribute join pg_class on attrelid = pg_class.oid where relkind = 'r' and attnum > 0"
            " and relnamespace::regnamespace::text in ('raw_metering', 'raw_marketing', 'raw_contract') order by 1, attnum"
        ).fetchall()
    raw: dict[str, list] = {}
    for table, *column in found:
        raw.setdefault(table, []).append(column)
    assert set(raw) == {table.raw_name for table in all_tables().values()}
    spelled = {"timestamptz": "timestamp with time zone", "char": "character", "varchar": "character varying"}
    for table in all_tables().values():
        columns = raw[table.raw_name]
        assert {name for name, *_ in columns if name.startswith("_")} == LANDING_COLUMNS | (
            {*TECHNICAL} if table.curve_slots else set()
        )
        business = [column for column in columns if not column[0].startswith("_")]
        expected = []
        for column in table.scalar_columns:
            kind, bracket, size = column.physical_type.partition("(")
            expected.append([column.name, spelled.get(kind, kind) + bracket + size, False])
        expected += [["v", "double precision[]", False]] if table.curve_slots else []
        assert business == expected


def test_every_event_table_dates_its_events():
    """A table that is not compared whole needs a date for the comparison of the last 35 days, its own or its bill's."""
    for table in all_tables().values():
        if not compared_whole(table) and table.source != "metering":
            by_bill = "bill_no in (select bill_no from mkt_bill" in event_condition(table, *[_day(1), _day(2)])
            assert table.event_column or by_bill, table.name


def _day(number: int):
    from datetime import date

    return date(2026, 1, number)


def test_amounts_are_sums_of_energy_and_money():
    amounts = {(t.name, c.name) for t in all_tables().values() for c in t.columns if c.is_amount}
    assert {("mkt_bill", "total_charge"), ("mkt_payment", "amount"), ("met_register_freeze", "reading")} <= amounts
    assert not any("price" in name for _, name in amounts)
