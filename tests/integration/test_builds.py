"""What transform.due says of a model, and which units and days it then builds: worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from include.records.database import connect
from include.transform.dbt import run_dbt, target_folder
from tests.nights import Utility

BUILT, NOW = date(2026, 11, 20), date(2026, 11, 22)


@pytest.fixture
def state(database: str) -> Iterator[psycopg.Connection]:
    """A model `m` of points and days and its parent `p`, both built at stamp 10 for 20 November; the run is two days later."""
    with connect(database) as connection:
        connection.execute(
            "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
            " values (2, %s, 'gate', 5, '2026-11-01')",
            (NOW,),
        )
        for model, parents, unit, day in (("p", [], None, None), ("m", ["p"], "metering_point_no", "reading_date")):
            connection.execute(
                "insert into transform.models (model, kind, code, parents, sources, unit_column, day_column)"
                " values (%s, 'model', 'c', %s, '{}', %s, %s)",
                (model, parents, unit, day),
            )
            connection.execute(
                "insert into transform.builds (model, code, stamp, business_date, phase, last_passed_load_id, collection_start)"
                " values (%s, 'c', 10, %s, 'admit', 4, '2026-11-01')",
                (model, BUILT),
            )
        yield connection
        connection.rollback()


def changed(state: psycopg.Connection, *, stamp: int = 11, point: str | None = "P1", days: tuple = ("2026-11-18",) * 2):
    state.execute(
        "insert into transform.changes (model, stamp, metering_point_no, account_no, first_day, last_day)"
        " values ('p', %s, %s, 'A1', %s, %s)",
        (stamp, point, *days),
    )


def due(state: psycopg.Connection) -> str:
    return state.execute("select transform.due('m')").fetchone()[0]


def touched(state: psycopg.Connection) -> tuple[list, list, list]:
    """Whole units, days of all units, and pairs."""
    state.execute("select transform.note_touched('m')")
    return tuple(
        sorted(state.execute(f"select * from pg_temp.{name}").fetchall())
        for name in ("touched_units", "touched_dates", "touched_days")
    )


def test_a_model_is_built_only_where_something_changed_after_it(state):
    assert due(state) == "no"
    changed(state, stamp=10)
    assert due(state) == "no"
    changed(state)
    assert due(state) == "touched: units and days that changed"
    assert touched(state) == ([], [], [("P1", date(2026, 11, 18))])


def test_a_change_without_a_unit_and_a_day_touches_all(state):
    changed(state, point=None, days=(None, None))
    assert due(state) == "whole: p changed"


def test_a_change_of_all_units_touches_its_days_and_one_of_long_its_unit(state):
    changed(state, point=None, days=("2026-11-18", "2026-11-19"))
    changed(state, point="P2", days=("2026-01-01", "2026-11-19"))
    changed(state, point="P3", days=("2026-11-01", None))
    changed(state, point="P4", days=("2026-11-17", "2026-11-18"))
    changed(state, point="P2")
    assert due(state) == "touched: units and days that changed"
    assert touched(state) == (
        [("P2",), ("P3",)],
        [(date(2026, 11, 18),), (date(2026, 11, 19),)],
        [("P4", date(2026, 11, 17))],
    )


def test_a_row_that_needs_its_neighbours_or_its_month_reaches_them(state):
    state.execute("update transform.models set reach_days = 1 where model = 'm'")
    changed(state)
    assert touched(state)[2] == [("P1", date(2026, 11, day)) for day in (17, 18, 19)]
    state.execute("drop table touched_ranges, touched_units, touched_dates, touched_days")
    state.execute("update transform.models set reaches_month = true where model = 'm'")
    assert touched(state)[2] == [("P1", date(2026, 11, day)) for day in range(1, 31)]
    state.execute("drop table touched_ranges, touched_units, touched_dates, touched_days")
    state.execute("update transform.models set day_column = 'month_start_date' where model = 'm'")
    assert touched(state)[2] == [("P1", date(2026, 11, 1))]


def test_what_follows_the_days_is_touched_on_those_after_the_last_one_built(state):
    state.execute("update transform.models set sources = '{quality.current_run}' where model = 'm'")
    assert due(state) == "whole: the run is another"
    state.execute("update transform.models set follows_days = true where model = 'm'")
    assert due(state) == "touched: units and days that changed"
    assert touched(state) == ([], [(date(2026, 11, 21),), (date(2026, 11, 22),)], [])
    state.execute("update quality.current_run set collection_start = '2026-11-02'")
    assert due(state) == "whole: the run is another"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update transform.builds set code = 'd' where model = 'm'", "anew: its code, or what it rests on, is another"),
        ("delete from transform.builds where model = 'm'", "anew: it was never built"),
        ("update quality.current_run set business_date = '2026-11-19'", "whole: the business date goes back"),
        (
            "update transform.models set sources = '{quality.current_run,quality.findings}' where model = 'm'",
            "whole: no record tells what changed in quality.findings",
        ),
    ],
)
def test_what_forces_more_is_told(state, change: str, said: str):
    state.execute(change)
    assert due(state) == said


def test_a_parent_may_touch_all_whatever_it_tells(state):
    state.execute("update transform.models set whole_by = '{p}' where model = 'm'")
    assert due(state) == "no"
    changed(state)
    assert due(state) == "whole: p changed"


# -- rows that differ are exchanged

ROWS = "(values ('P1', '2026-11-01', '2026-11-02'), ('P2', '2026-11-03', null), ('P2', '2026-11-03', null), ('P3', '2026-11-05', '2026-11-04'))"


@pytest.fixture
def outages(state: psycopg.Connection) -> psycopg.Connection:
    """A table of outages whose rows speak of the days from one date to another."""
    state.execute("create table warehouse.o (metering_point_no text, started date, ended date)")
    state.execute(f"insert into warehouse.o select v.p, v.s::date, v.e::date from {ROWS} as v (p, s, e)")
    state.execute(
        "insert into transform.models (model, kind, code, parents, sources, changed_days)"
        " values ('o', 'model', 'c', '{}', '{}', '{started,ended}')"
    )
    state.execute("select transform.begin_build('o')")
    state.execute("create temporary table rows_now (like warehouse.o) on commit drop")
    return state


def exchanged(outages: psycopg.Connection) -> list[tuple]:
    """Brings the table to rows_now; what changed, by point and days."""
    outages.execute(
        "select transform.exchange_rows('o', 'warehouse.o', 'select built.ctid, built from warehouse.o as built', '', true)"
    )
    return outages.execute(
        "select metering_point_no, first_day, last_day, is_long from transform.changes where model = 'o' order by 1, 2"
    ).fetchall()


def test_rows_that_are_alike_stay_where_they_are(outages):
    before = outages.execute("select ctid, * from warehouse.o order by ctid").fetchall()
    outages.execute("insert into pg_temp.rows_now select * from warehouse.o order by started desc")
    assert exchanged(outages) == []
    assert outages.execute("select ctid, * from warehouse.o order by ctid").fetchall() == before


def test_a_table_that_loses_more_than_it_keeps_has_no_empty_blocks(outages):
    outages.execute("insert into warehouse.o select 'P9', '2026-11-01', '2026-11-01' from generate_series(1, 2000)")
    outages.execute("insert into pg_temp.rows_now select * from warehouse.o where metering_point_no = 'P1'")
    outages.execute("insert into pg_temp.rows_now values ('P4', '2026-11-09', '2026-11-09')")
    assert {point for point, *_ in exchanged(outages)} == {"P2", "P3", "P4", "P9"}
    assert outages.execute("select metering_point_no from warehouse.o order by 1").fetchall() == [("P1",), ("P4",)]
    assert outages.execute("select pg_relation_size('warehouse.o') / 8192").fetchone()[0] == 1


def test_what_went_and_what_came_is_told_by_unit_and_days(outages):
    outages.execute("insert into pg_temp.rows_now select * from warehouse.o where metering_point_no = 'P1'")
    outages.execute(
        "insert into pg_temp.rows_now values ('P2', '2026-11-03', null), ('P4', '2026-11-09', '2026-11-09')"
    )
    days = [date(2026, 11, day) for day in range(1, 10)]
    assert exchanged(outages) == [
        ("P2", days[2], None, True),  # one of two that were alike went; it speaks of every day from then on
        ("P3", days[4], days[4], False),  # an end before the begin speaks of the day of the begin
        ("P4", days[8], days[8], False),
    ]
    assert outages.execute("select * from warehouse.o order by 1").fetchall() == [
        ("P1", days[0], days[1]),
        ("P2", days[2], None),
        ("P4", days[8], days[8]),
    ]
    assert outages.execute("select current_setting('kaw.build_rows')").fetchone() == ("3",)


def test_a_model_of_which_nothing_is_due_is_not_even_compiled(clean_night: Utility):
    """dbt's own classes are made quicker (`include.transform.quicker`): a new version of dbt may pass that by."""
    clean_night.enter()
    compiled = target_folder() / "compiled/key_accounts/models/staging/metering/stg_metering__meters.sql"
    compiled.unlink()
    model = ["run", "--select", "stg_metering__meters"]

    built = run_dbt(model, clean_night.warehouse)
    assert [(one.name, one.status) for one in built] == [("stg_metering__meters", "UNCHANGED")]
    assert not compiled.exists()

    built = run_dbt([*model, "--full-refresh"], clean_night.warehouse)
    assert [one.status for one in built] != ["UNCHANGED"]
    assert compiled.exists()
