"""Half of each table, a tenth, and all of one office left out of a folder delivery: what is withdrawn, held, said, and by what
it goes through. On a utility of 20 accounts, landing and the rule of missing rows alone; every table where `--soak` asks for it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from include.contracts import Table, all_tables
from include.lab.simulator.delivery_text import csv_bytes
from include.lab.utility import generate
from include.landing.extract import landed_of
from include.landing.folders import MANIFEST, read_folder
from include.landing.land import land
from include.landing.withdrawals import office_column
from include.quality.evaluate import evaluate
from include.quality.rules import load_rules
from include.records.database import connect
from tests import databases
from tests.landing import READER

DAY = date(2026, 11, 22)
RULE = next(rule for rule in load_rules() if rule.id == "PIP-06")
ARCHIVES = [name for name, table in all_tables().items() if table.is_full_compared]
EVENTS = [name for name, table in all_tables().items() if not table.is_full_compared]
SHRINKING = [name for name, table in all_tables().items() if table.shrinking.shrinks]
TOO_SMALL = {"mkt_violation", "con_amendment"}  # of one row at 20 accounts, which may be gone on any day
# a large archive, one with offices, one with a key of dates, a small one; a curve, a month's event, a row without a date
SAMPLE = ["mkt_contact", "mkt_customer", "met_it", "mkt_access_list", "met_interval_96", "mkt_bill", "mkt_bill_line"]


def every(names: list[str]) -> list:
    return [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.soak) for name in names]


@pytest.fixture(scope="module")
def utility():
    return generate(DAY, accounts=20, days=6, seed=1)


@pytest.fixture(scope="module")
def landed(
    server, template: str, session_home: Path, utility, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A warehouse in which every table has landed whole, once."""
    with databases.copied(server, template, "missing") as name:
        folder = tmp_path_factory.mktemp("whole")
        with connect(server.url(name), autocommit=True) as connection:
            for table in all_tables().values():
                write(folder, table, DAY, utility.tables[table.source, table.name])
                assert [r.state for r in land_table(connection, folder, table, DAY)] == ["landed"]
        yield server.url(name)


@pytest.fixture
def connection(landed: str) -> Iterator[psycopg.Connection]:
    """What a test lands is rolled back."""
    with connect(landed) as opened:
        yield opened
        opened.rollback()


def write(folder: Path, table: Table, day: date, rows: pa.Table, **announced) -> None:
    path = folder / table.name / f"{table.name}_{day:%Y%m%d}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(csv_bytes(rows))
    manifest = path.with_name(MANIFEST)
    manifest.unlink(missing_ok=True)
    if announced:
        manifest.write_text(json.dumps({"files": [{"name": path.name, **announced}]}, default=str))


def land_table(connection: psycopg.Connection, folder: Path, table: Table, day: date) -> list:
    landed = landed_of(connection, table, "auto")
    return [land(connection, delivery, day) for delivery in read_folder(READER, folder, table, day, landed)]


def in_force(connection: psycopg.Connection, table: Table) -> int:
    return connection.execute(
        f"select count(*) from (select distinct on (_key) _is_tombstone from {table.raw_name}"
        " order by _key, _business_date desc, _load_id desc) as newest where not _is_tombstone"
    ).fetchone()[0]


def said(connection: psycopg.Connection, table: Table, day: date) -> list[tuple[str, str, str]]:
    """Severity, observed and expected of what PIP-06 finds in the table."""
    run_id = connection.execute(
        "insert into quality.runs (business_date) values (%s) returning run_id", (day,)
    ).fetchone()[0]
    evaluate(connection, RULE, run_id, day)
    return connection.execute(
        "select severity, observed, expected from quality.violations where run_id = %s and table_name = %s",
        (run_id, table.name),
    ).fetchall()


def without(rows: pa.Table, table: Table, left_out: set[tuple]) -> pa.Table:
    keys = zip(*(rows[name].to_pylist() for name in table.key), strict=True)
    return rows.filter(pa.array([key not in left_out for key in keys]))


def keys_of(rows: pa.Table, table: Table) -> list[tuple]:
    """In an order that has nothing to do with what they are: every tenth is of no one office more than of others."""
    keys = set(zip(*(rows[name].to_pylist() for name in table.key), strict=True))
    return sorted(keys, key=lambda key: hashlib.md5(str(key).encode()).hexdigest())


def touched(rows: pa.Table, table: Table) -> pa.Table:
    """The same rows, one of which the source wrote again a day later."""
    at = rows.column_names.index(table.cursor_column)
    times = rows.column(at).to_pylist()
    times[0] += timedelta(days=1)
    return rows.set_column(at, rows.schema.field(at), pa.array(times, rows.schema.field(at).type))


@pytest.mark.parametrize("name", every(ARCHIVES))
def test_half_of_a_table_stays_in_force_until_a_manifest_announces_that_it_is_withdrawn(
    connection, utility, tmp_path: Path, name: str
):
    table = all_tables()[name]
    rows = utility.tables[table.source, name]
    keys = keys_of(rows, table)
    lost = len(keys[::2])
    if lost < 2:
        assert name in TOO_SMALL
        return
    rest = without(rows, table, set(keys[::2]))
    write(tmp_path, table, DAY + timedelta(days=1), rest)
    land_table(connection, tmp_path, table, DAY + timedelta(days=1))
    ((severity, observed, expected),) = said(connection, table, DAY + timedelta(days=1))
    assert severity == "block"
    assert observed.startswith(f"{lost} of {len(keys)} rows in force were not delivered")
    assert expected.endswith(f"./kaw pending list {name}")
    write(tmp_path, table, DAY + timedelta(days=2), touched(rest, table))
    land_table(connection, tmp_path, table, DAY + timedelta(days=2))
    assert [severity for severity, *_ in said(connection, table, DAY + timedelta(days=2))] == ["block"]
    assert in_force(connection, table) == len(keys)
    write(tmp_path, table, DAY + timedelta(days=3), touched(rest, table), withdrawn_rows=lost)
    land_table(connection, tmp_path, table, DAY + timedelta(days=3))
    assert said(connection, table, DAY + timedelta(days=3)) == []
    assert in_force(connection, table) == len(keys) - lost


@pytest.mark.parametrize("name", every(ARCHIVES))
def test_a_tenth_of_a_table_is_withdrawn_by_a_later_delivery(connection, utility, tmp_path: Path, name: str):
    table = all_tables()[name]
    rows = utility.tables[table.source, name]
    keys = keys_of(rows, table)
    lost = math.ceil(len(keys) / 10)
    rest = without(rows, table, set(keys[::10]))
    is_held = (
        len(keys) >= 40 and name not in SHRINKING
    )  # a tenth of fewer is less than a fifth: it is withdrawn at once
    if rest.num_rows == 0:
        assert name in TOO_SMALL
        return
    write(tmp_path, table, DAY + timedelta(days=1), rest)
    land_table(connection, tmp_path, table, DAY + timedelta(days=1))
    found = said(connection, table, DAY + timedelta(days=1))
    assert [severity for severity, *_ in found] == (["warn"] if is_held else [])
    assert in_force(connection, table) == (len(keys) if is_held else len(keys) - lost)
    write(tmp_path, table, DAY + timedelta(days=2), touched(rest, table))
    land_table(connection, tmp_path, table, DAY + timedelta(days=2))
    assert said(connection, table, DAY + timedelta(days=2)) == []
    assert in_force(connection, table) == len(keys) - lost


@pytest.mark.parametrize("name", every([name for name in ARCHIVES if office_column(all_tables()[name])]))
def test_all_of_one_office_stays_in_force(connection, utility, tmp_path: Path, name: str):
    table = all_tables()[name]
    rows = utility.tables[table.source, name]
    of_office: dict[str, set[tuple]] = {}
    for key, office in zip(
        zip(*(rows[k].to_pylist() for k in table.key), strict=True), rows[office_column(table)].to_pylist(), strict=True
    ):
        of_office.setdefault(office, set()).add(key)
    office, left_out = min(((o, k) for o, k in of_office.items() if o and len(k) >= 2), key=lambda item: len(item[1]))
    write(tmp_path, table, DAY + timedelta(days=1), without(rows, table, left_out))
    land_table(connection, tmp_path, table, DAY + timedelta(days=1))
    ((severity, observed, _),) = said(connection, table, DAY + timedelta(days=1))
    assert severity == "block"
    assert f"office {office}: {len(left_out)} of {len(left_out)}" in observed
    assert in_force(connection, table) == len(keys_of(rows, table))


@pytest.mark.parametrize("name", SHRINKING)
def test_a_table_that_may_shrink_shrinks(connection, utility, tmp_path: Path, name: str):
    table = all_tables()[name]
    rows = utility.tables[table.source, name]
    keys = keys_of(rows, table)
    write(tmp_path, table, DAY + timedelta(days=1), without(rows, table, set(keys[::4])))
    land_table(connection, tmp_path, table, DAY + timedelta(days=1))
    assert said(connection, table, DAY + timedelta(days=1)) == []
    assert in_force(connection, table) == len(keys) - len(keys[::4])


@pytest.mark.parametrize("name", every(EVENTS))
def test_events_are_withdrawn_by_no_file_that_does_not_say_what_it_is_complete_for(
    connection, utility, tmp_path: Path, name: str
):
    table = all_tables()[name]
    rows = utility.tables[table.source, name]
    keys = keys_of(rows, table)
    if len(keys) < 2:
        assert name in TOO_SMALL
        return
    rest = without(rows, table, set(keys[::2]))
    write(tmp_path, table, DAY + timedelta(days=1), rest)
    land_table(connection, tmp_path, table, DAY + timedelta(days=1))
    assert said(connection, table, DAY + timedelta(days=1)) == []
    assert in_force(connection, table) == len(keys)
    whole = {"complete_from": date(2020, 1, 1), "complete_to": DAY + timedelta(days=31)}
    write(tmp_path, table, DAY + timedelta(days=2), touched(rest, table), **whole)
    land_table(connection, tmp_path, table, DAY + timedelta(days=2))
    assert [severity for severity, *_ in said(connection, table, DAY + timedelta(days=2))] == ["block"]
    assert in_force(connection, table) == len(keys)
