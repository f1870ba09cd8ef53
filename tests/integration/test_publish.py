"""Publishing by pointer, on two small synthetic marts: one content for all readers, whatever happens in between."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.errors import InfrastructureError
from include.publish import release, rollback, status
from include.publish.marts import read_marts
from include.records.database import connect
from include.records.fence import take_fence
from tests import databases
from tests.synthetic_marts import ENERGY, HEALTH, JULY, JUNE, Night, model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def night(database: str, tmp_path: Path) -> Night:
    return Night(database, tmp_path)


def test_the_first_publish_shows_every_mart_of_every_month(night: Night) -> None:
    result = night.publish()
    assert result.versions == {JUNE: 1, JULY: 1}
    assert result.rows == 3 * 2 + 3
    assert night.seen() == {(JUNE, 1), (JULY, 1)}
    assert night.execute("select distinct published_month from marts.mart_health") == [(JULY,)]
    assert night.execute("select published_month, version, business_date, state from marts.publication order by 1") == [
        (JUNE, 1, date(2026, 7, 10), "published"),
        (JULY, 1, date(2026, 7, 10), "published"),
    ]


def test_of_a_dimension_readers_see_the_newest_month_alone(night: Night) -> None:
    """It has one row a key, or every join on it counts a mart's rows once a month; what it was is seen as of each close."""
    dimension = copy.deepcopy(HEALTH)
    dimension["config"]["meta"] |= {"published_as": "dim_health", "shows": "newest"}
    night.describe(ENERGY, dimension)
    night.publish(date(2026, 6, 30))
    night.execute("update candidate.mart_health set score = 9")
    night.publish(date(2026, 7, 10))
    assert night.execute("select distinct published_month, score from marts.dim_health") == [(JULY, 9)]
    assert night.execute("select count(*), count(distinct account_no) from marts.dim_health") == [(3, 3)]
    assert night.execute("select distinct published_month, score from marts.dim_health_at_close") == [(JUNE, 1)]
    # a plan for August is published in July: no dimension has a row of that month, and readers keep that of July
    night.execute(
        "insert into publish.pointer select '2026-08-01', 1, business_date, run_id, published_at, 0, 0, 0, 0"
        " from publish.pointer where published_month = '2026-07-01'"
    )
    assert night.execute("select distinct published_month from marts.dim_health") == [(JULY,)]
    # rolled back before its first version, July shows nothing, and readers see June
    night.execute("update publish.pointer set version = 0 where published_month = '2026-07-01'")
    night.execute("delete from publish.pointer where published_month = '2026-08-01'")
    assert night.execute("select distinct published_month, score from marts.dim_health") == [(JUNE, 1)]


def test_a_table_that_becomes_a_dimension_shows_the_newest_month_from_its_next_publish_on(night: Night) -> None:
    night.publish(date(2026, 6, 30))
    night.publish(date(2026, 7, 10))
    assert len(night.execute("select distinct published_month from marts.mart_health")) == 2
    dimension = copy.deepcopy(HEALTH)
    dimension["config"]["meta"] |= {"shows": "newest"}
    night.describe(ENERGY, dimension)
    night.publish(date(2026, 7, 11))
    assert night.execute("select distinct published_month from marts.mart_health") == [(JULY,)]


def test_the_same_content_again_moves_only_the_date(night: Night) -> None:
    night.publish()
    before = night.hashes()
    night.execute("update candidate.mart_energy set load_id = load_id + 1, load_factor = 0.50001")
    result = night.publish(date(2026, 7, 11))
    assert result.versions == {}
    assert result.unchanged_months == [JUNE, JULY]
    assert result.rows == 0
    assert night.hashes() == before
    assert set(night.execute("select version, business_date from marts.publication")) == {(1, date(2026, 7, 11))}


def test_only_a_changed_month_gets_a_new_version(night: Night) -> None:
    night.publish()
    before = night.hashes()
    night.execute("update candidate.mart_energy set energy_kwh = 2 where month = %s", [JUNE])
    result = night.publish()
    assert result.versions == {JUNE: 2}
    assert result.unchanged_months == [JULY]
    assert night.seen() == {(JUNE, 2), (JULY, 1)}
    after = night.hashes()
    assert after["mart_energy"] != before["mart_energy"]
    assert after["mart_health"] == before["mart_health"]


def test_the_hash_tells_content_and_not_history(night: Night) -> None:
    night.publish()
    first = night.hashes()
    night.fill(2, [JUNE, JULY])
    night.publish()
    assert night.hashes() != first
    night.fill(1, [JUNE, JULY])
    night.publish()
    assert night.hashes() == first
    assert status(night.url)["marts"]["mart_energy"]["versions"] == {"2026-06": 3, "2026-07": 3}


@pytest.mark.parametrize(
    "change",
    [
        "update candidate.mart_energy set energy_kwh = null where account_no = 'A1'",
        "update candidate.mart_energy set account_no = '~' where account_no = 'A1'",
        "update candidate.mart_energy set load_factor = 0.501 where account_no = 'A1'",
        "delete from candidate.mart_energy where account_no = 'A1'",
    ],
)
def test_every_change_of_a_business_column_changes_the_hash(night: Night, change: str) -> None:
    night.publish()
    before = night.hashes()["mart_energy"]
    night.execute(change)
    night.publish()
    assert night.hashes()["mart_energy"] != before


def test_months_that_are_no_longer_built_stay_as_they_are(night: Night) -> None:
    night.publish()
    night.fill(2, [JULY])
    result = night.publish()
    assert result.versions == {JULY: 2}
    assert night.seen() == {(JUNE, 1), (JULY, 2)}


def test_a_month_that_was_published_by_mistake_disappears_with_its_rows(night: Night) -> None:
    night.publish()
    before = night.hashes()
    night.execute("insert into candidate.mart_energy values ('A1', '2099-01-01', 1, 1, 1)")
    assert night.publish().versions == {date(2099, 1, 1): 1}
    assert night.hashes() != before
    night.execute("delete from candidate.mart_energy where month = '2099-01-01'")
    assert night.publish().versions == {date(2099, 1, 1): 2}
    assert night.hashes() == before
    assert night.publish().versions == {}


def test_a_mart_that_builds_fewer_months_back_keeps_its_older_ones(night: Night) -> None:
    monthly = model(
        "mart_health",
        {"account_no": "text", "score": "integer", "month": "date"},
        {"grain": ["account_no", "month"], "published_month": "month"},
    )
    night.describe(ENERGY, monthly)
    night.execute("alter table candidate.mart_health add column month date")
    night.execute("update candidate.mart_health set month = '2026-06-01'")
    night.execute("insert into candidate.mart_health values ('A1', 1, '2026-07-01')")
    night.publish()
    night.fill(2, [JUNE, JULY])
    night.execute("delete from candidate.mart_energy where month = '2026-06-01'")
    night.execute("update candidate.mart_health set month = '2026-06-01'")
    assert night.publish().versions == {JUNE: 2, JULY: 2}
    assert night.seen() == {(JUNE, 1), (JULY, 2)}
    assert set(night.execute("select month, score from marts.mart_health")) == {(JUNE, 2)}


def test_readers_of_two_marts_never_see_two_versions(night: Night) -> None:
    night.fill(1, [JULY], accounts=200)
    night.publish()
    seen, errors, stop = [], [], threading.Event()

    def read() -> None:
        try:
            with psycopg.connect(night.url, autocommit=True) as conn:
                while not stop.is_set():
                    seen.append(
                        conn.execute(
                            "select array_agg(distinct e.energy_kwh::integer || '/' || h.score), count(*)"
                            " from marts.mart_energy as e full join marts.mart_health as h on e.account_no = h.account_no"
                        ).fetchone()
                    )
        except Exception as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    flips = []
    for value in range(2, 14):
        night.fill(value, [JULY], accounts=200)
        flips.append(night.publish().flip_seconds)
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert {count for _, count in seen} == {200}
    mixed = [values for values, _ in seen if len(values) != 1 or len(set(values[0].split("/"))) != 1]
    assert mixed == []
    assert len({values[0] for values, _ in seen}) > 3
    assert sorted(flips)[len(flips) // 2] < 0.5


def test_a_publish_killed_while_it_copies_leaves_readers_alone_and_can_be_repeated(
    night: Night, session_home: Path, tmp_path: Path
) -> None:
    night.publish()
    before = night.hashes()
    night.fill(2, [JUNE, JULY])
    night.execute("""
        alter table candidate.mart_health rename to mart_health_built;
        create view candidate.mart_health as
        select account_no, score from candidate.mart_health_built
        where exists (select 1 from publish.mart_energy where version = 1)
            and (not exists (select 1 from publish.mart_energy where version = 2) or pg_sleep(1) is not null);
    """)
    databases.give_ledger(session_home, tmp_path / "home")
    code = "import sys; from datetime import date; from include.publish import publish; "
    code += "from include.records.warehouse import Warehouse; "
    code += "publish(Warehouse(sys.argv[1]), int(sys.argv[3]), date(2026, 7, 10), sys.argv[2])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, night.url, str(night.manifest), str(night.judge())],
        cwd=ROOT,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KAW_HOME": str(tmp_path / "home")},
    )
    deadline = time.monotonic() + 30
    while not night.execute("select 1 from publish.mart_energy where version = 2 limit 1"):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert night.hashes() == before
    assert night.seen() == {(JUNE, 1), (JULY, 1)}
    night.execute("drop view candidate.mart_health; alter table candidate.mart_health_built rename to mart_health")
    result = night.publish()
    assert result.versions == {JUNE: 2, JULY: 2}
    assert night.seen() == {(JUNE, 2), (JULY, 2)}
    assert night.execute("select count(*) from publish.mart_energy") == [(12,)]


def test_a_row_is_stored_once_while_it_stays_what_it_is(night: Night) -> None:
    night.publish()
    night.execute("update candidate.mart_energy set energy_kwh = 9 where account_no = 'A1' and month = %s", [JULY])
    result = night.publish(date(2026, 7, 11))
    assert (result.versions, result.rows) == ({JULY: 2}, 1)
    stored = (
        "select account_no, version, until_version from publish.mart_energy where published_month = %s order by 1, 2"
    )
    assert night.execute(stored, [JULY]) == [("A1", 1, 2), ("A1", 2, None), ("A2", 1, None), ("A3", 1, None)]
    shown = (
        "select account_no, version, energy_kwh from marts.mart_energy where published_month = '2026-07-01' order by 1"
    )
    assert night.execute(shown) == [("A1", 2, 9), ("A2", 2, 1), ("A3", 2, 1)]

    rollback(night.warehouse, approver="Approver (test)", reason="wrong")
    assert night.execute(shown) == [("A1", 1, 1), ("A2", 1, 1), ("A3", 1, 1)]
    release(night.warehouse, approver="Approver (test)", reason="right after all")
    assert night.publish(date(2026, 7, 12)).rows == 0  # the rows of version 2 are there
    assert night.execute(shown) == [("A1", 3, 9), ("A2", 3, 1), ("A3", 3, 1)]
    night.execute("delete from candidate.mart_energy where account_no = 'A2'")
    assert night.publish(date(2026, 7, 13)).rows == 0
    assert night.execute(shown) == [("A1", 4, 9), ("A3", 4, 1)]
    assert night.execute("select count(*) from marts.mart_energy where published_month = '2026-06-01'") == [(2,)]


def test_an_old_fence_publishes_nothing(night: Night) -> None:
    old = take_fence(night.url, "nightly")
    night.publish(fence=old)
    night.fill(2, [JUNE, JULY])
    new = take_fence(night.url, "nightly")
    with pytest.raises(InfrastructureError, match="fenced off"):
        night.publish(fence=old)
    assert night.seen() == {(JUNE, 1), (JULY, 1)}
    night.publish(fence=new)
    assert night.seen() == {(JUNE, 2), (JULY, 2)}


def test_a_published_fact_is_shown_like_a_mart_from_the_first_published_month_to_that_of_d(night: Night) -> None:
    fact = model(
        "fct_calls",
        {"call_no": "text", "called_date": "date"},
        {"grain": ["call_no"], "published_month": "called_date"},
    )
    fact |= {"schema": "warehouse", "original_file_path": "models/warehouse/service/fct_calls.sql"}
    unpublished = fact | {"name": "fct_other", "config": {"meta": {"grain": ["call_no"]}}}
    night.describe(ENERGY, HEALTH, fact, unpublished)
    night.execute("""
        create table warehouse.dim_months as select date '2026-06-01' as month_start_date;
        create table warehouse.fct_calls (call_no text, called_date date);
        insert into warehouse.fct_calls values
            ('C0', '2019-01-01'), ('C1', '2026-06-05'), ('C2', '2026-07-05'), ('C3', '2026-08-05');
    """)
    assert night.publish().versions == {JUNE: 1, JULY: 1}
    calls = "select call_no, version from marts.fct_calls order by 1"
    assert night.execute(calls) == [("C1", 1), ("C2", 1)]
    night.execute("truncate warehouse.fct_calls")  # a table that is being built
    assert night.execute(calls) == [("C1", 1), ("C2", 1)]


def test_readers_see_the_pointed_and_the_closing_versions_and_no_other(night: Night) -> None:
    for value, day in enumerate([date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 2)], start=1):
        night.fill(value, [JUNE])
        night.publish(day)
    night.execute("grant usage on schema marts, publish to kaw_bi_reader")  # as each login of the door has it
    with connect(night.url, role="kaw_bi_reader") as reader:
        seen = reader.execute("select distinct version from publish.mart_energy order by 1").fetchall()
        assert seen == [(1,), (3,)]
        assert reader.execute("select distinct version from marts.mart_energy_at_close").fetchall() == [(1,)]
        assert reader.execute("select distinct version from marts.mart_energy").fetchall() == [(3,)]


def test_an_added_column_appears_and_a_removed_or_retyped_one_is_refused(night: Night) -> None:
    night.publish()
    wider = {**ENERGY, "columns": {**ENERGY["columns"], "note": {"name": "note", "description": "A note."}}}
    night.describe(wider, HEALTH)
    with pytest.raises(InfrastructureError, match="has no column note"):
        night.publish()
    night.execute("alter table candidate.mart_energy add column note text default 'new'")
    night.publish()
    assert night.execute("select distinct note from marts.mart_energy") == [("new",)]
    assert night.execute(
        "select col_description('marts.mart_energy'::regclass, attnum) from pg_attribute"
        " where attrelid = 'marts.mart_energy'::regclass and attname = 'note'"
    ) == [("A note.",)]
    night.describe(ENERGY, HEALTH)
    with pytest.raises(InfrastructureError, match="removes note"):
        night.publish()
    night.describe(wider, HEALTH)
    night.execute("alter table candidate.mart_energy drop column note, add column note integer")
    with pytest.raises(InfrastructureError, match="changes note from text to integer"):
        night.publish()


def test_a_mart_without_a_scale_for_a_float_is_refused(night: Night) -> None:
    careless = {
        **ENERGY,
        "config": {"meta": {"published": True, "grain": ["account_no", "month"], "published_month": "month"}},
    }
    night.describe(careless, HEALTH)
    with pytest.raises(InfrastructureError, match="load_factor is double precision without a scale"):
        night.publish()


def test_the_views_are_the_same_objects_after_every_publish(night: Night) -> None:
    night.publish()
    identity = (
        "select oid, xmin from pg_class where oid in ('marts.mart_energy'::regclass, 'publish.mart_energy'::regclass)"
    )
    before = night.execute(identity)
    night.fill(2, [JUNE, JULY])
    night.publish()
    assert night.execute(identity) == before
    assert night.execute("select obj_description('marts.mart_energy'::regclass)") == [("Synthetic mart_energy.",)]
    assert night.execute("select reloptions from pg_class where oid = 'marts.mart_energy'::regclass") == [
        (["security_invoker=true"],)
    ]


def test_what_was_withheld_is_published_with_the_month(night: Night) -> None:
    run_id = night.judge()
    night.execute("""
        insert into quality.conservation values (1, 'mkt_bill', 9, 7, 0, 1, 1, 0, 0, 0);
        insert into quality.quarantined_rows values
            ('marketing', 'mkt_bill', 1, 'quarantined', '{MKT-21}', '{}', 'A1', 100, 60, 1, null),
            ('marketing', 'mkt_bill_line', 2, 'blocked_by_parent', '{MKT-21}', '{}', 'A1', null, 40, 1, null),
            ('marketing', 'mkt_bill', 3, 'quarantined', '{MKT-21}', '{}', 'A1', 999, 999, 1, 1);
    """)
    night.publish_run(run_id)
    held = night.execute(
        "select withheld_rows, withheld_share, withheld_kwh, withheld_cny from marts.publication limit 1"
    )
    assert [float(value) for value in held[0]] == [2, 0.22222222, 100, 100]


def test_a_renamed_column_is_shown_by_both_names_and_enters_the_hash_once(night: Night) -> None:
    night.publish()
    before = night.hashes()
    renamed = copy.deepcopy(ENERGY)
    renamed["columns"]["energy_kwh"]["config"] = {"meta": {"renamed_from": "usage_kwh"}}
    night.describe(renamed, HEALTH)
    night.publish(date(2026, 7, 11))
    assert night.hashes() == before
    assert night.execute("select sum(energy_kwh), sum(usage_kwh) from marts.mart_energy") == [(6, 6)]
    assert night.execute("select count(usage_kwh) from marts.mart_energy_at_close") == [(3,)]
    with pytest.raises(psycopg.errors.UndefinedColumn):
        night.execute("select usage_kwh from publish.mart_energy")
    comment = "select col_description('marts.mart_energy'::regclass, 8)"
    assert night.execute(comment) == [("Former name of energy_kwh, until the next release.",)]

    renamed["columns"]["score"] = {"name": "score", "description": "", "data_type": "integer"}
    night.describe(renamed, HEALTH)
    night.execute("alter table candidate.mart_energy add column score integer")
    night.publish(date(2026, 7, 12))
    columns = night.execute(
        "select column_name from information_schema.columns where table_schema = 'marts'"
        " and table_name = 'mart_energy' order by ordinal_position"
    )
    assert columns[-2:] == [("usage_kwh",), ("score",)]


def test_a_name_to_come_is_shown_beside_the_present_one(night: Night) -> None:
    night.publish()
    before = night.hashes()
    announced = copy.deepcopy(ENERGY)
    announced["columns"]["energy_kwh"]["config"] = {"meta": {"renamed_to": "measured_kwh"}}
    night.describe(announced, HEALTH)
    night.publish(date(2026, 7, 11))
    assert night.hashes() == before
    assert night.execute("select sum(energy_kwh), sum(measured_kwh) from marts.mart_energy") == [(6, 6)]
    comment = "select col_description('marts.mart_energy'::regclass, 8)"
    assert night.execute(comment) == [("Name of energy_kwh from the next release on.",)]

    announced["columns"]["energy_kwh"]["config"] = {"meta": {"renamed_to": "load_factor"}}
    night.describe(announced, HEALTH)
    with pytest.raises(InfrastructureError, match="has a column load_factor already, a name to come"):
        read_marts(night.manifest)


def test_a_former_name_that_is_still_a_column_is_refused(night: Night) -> None:
    both = copy.deepcopy(ENERGY)
    both["columns"]["energy_kwh"]["config"] = {"meta": {"renamed_from": "load_factor"}}
    night.describe(both, HEALTH)
    with pytest.raises(InfrastructureError, match="still has a column load_factor, a former name"):
        read_marts(night.manifest)
