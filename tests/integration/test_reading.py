"""Commands that read change nothing, wait for nobody, and nobody waits for them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from include import night
from include.local import cli
from include.local import server as embedded
from include.local.postgres import Cluster
from include.local.server import Server
from include.records.database import connect
from tests import databases
from tests.nights import DAY, Utility
from tests.synthetic_marts import JULY, JUNE, Night

READING = (
    ["status"],
    ["status", "--json"],
    ["findings", "--state", "all"],
    ["sql", "select * from marts.publication"],
    ["sql", "select count(*) from quality.rejected_rows"],
    ["trace", "two_rates", "KEY"],
    ["report"],
    ["worklists", "FOLDER"],
    ["docs"],
)
WRITES = re.compile(
    r"\b(create|alter|drop|grant|revoke|insert|update|delete|truncate|comment on|copy \S+ from|nextval|setval|for share"
    r"|for update|analyze|vacuum|grant_to|grant_later)\b",
    re.IGNORECASE,
)
POLLER = """
import os, sys, time
from include.local import cli
polls = failures = 0
while not os.path.exists(sys.argv[1]):
    polls += 1
    failures += cli.main(["status"]) != 0
    time.sleep(0.1)
print(f"polls {polls} failures {failures}", file=sys.stderr)
"""


@contextlib.contextmanager
def statements(server: Server, home: Path, url: str):
    """Every statement that the database is sent meanwhile, as the server logs it."""
    database = url.rpartition("/")[2]
    said: list[str] = []

    def log_statements(setting: str) -> None:
        with contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection:
            connection.execute(
                sql.SQL("alter database {} set log_statement = {}").format(sql.Identifier(database), setting)
            )

    log_statements("all")
    log = Cluster(home).log
    start = log.stat().st_size
    try:
        yield said
    finally:
        log_statements("none")
        text = log.read_bytes()[start:].decode(errors="replace")
        entries = re.split(r"\n(?=\d{4}-\d\d-\d\d )", text)
        said += [entry for entry in entries if f"@{database} " in entry]


def test_no_statement_of_a_reading_command_writes(
    clean_night: Utility, server: Server, session_home: Path, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    (row,) = clean_night.rows(
        "select entity_kind_code, entity_no, month_start_date, side_code from marts.mart_two_rates"
        " where account_no is not null limit 1"
    )
    names = ("entity_kind_code", "entity_no", "month_start_date", "side_code")
    given = {
        "KEY": ",".join(f"{name}={value}" for name, value in zip(names, row, strict=True)),
        "FOLDER": str(tmp_path),
    }
    entries = clean_night.rows("select count(*) from quality.ledger")
    with statements(server, session_home, clean_night.url) as said:
        for command in READING:
            arguments = [given.get(argument, argument) for argument in command]
            assert cli.main(arguments) == 0, (arguments, capsys.readouterr().err)
    assert len(said) > 3 * len(READING)
    assert [text for text in said if WRITES.search(text.partition("LOG: ")[2])] == []
    assert clean_night.rows("select count(*) from quality.ledger") == entries


@pytest.fixture
def published(database: str, fresh_home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A warehouse with two versions published, and a home of its own."""
    databases.use(monkeypatch, database)
    night = Night(database, tmp_path)
    night.publish()
    night.fill(2, [JUNE, JULY])
    night.publish()
    return night


def test_beside_an_idle_reader_a_status_keeps_no_other_reader_waiting(published: Night) -> None:
    """Seen once: the status waited for the idle reader with a lock that every later reader queued behind."""
    with connect(published.url) as idle:
        idle.execute("select * from marts.mart_energy").fetchall()
        idle.execute("select * from quality.findings").fetchall()
        idle.execute("select * from marts.publication").fetchall()
        status = subprocess.Popen(
            [sys.executable, "-m", "include.local.cli", "status"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until = time.monotonic() + 60
            while status.poll() is None and time.monotonic() < until:
                started = time.monotonic()
                with connect(published.url) as reader:
                    reader.execute("set lock_timeout = '1s'")
                    reader.execute("select * from marts.publication").fetchall()
                    reader.execute("select count(*) from quality.findings").fetchall()
                assert time.monotonic() - started < 5
            assert status.poll() == 0, "the status waited for the idle reader"
        finally:
            status.kill()
            output = status.communicate()[0]
    assert "Published as of 2026-07-10" in output


@pytest.mark.timeout(900)
def test_the_same_night_again_beside_a_status_again_and_again_changes_nothing(
    clean_night: Utility, tmp_path: Path
) -> None:
    utility, first = clean_night, clean_night.hashes()
    utility.land()
    duplicates = utility.rows("select count(*) from quality.receipts where duplicate_of is not null")
    assert duplicates == [(54,)]  # 52 tables, two forms
    stop = tmp_path / "stop"
    poller = subprocess.Popen(
        [sys.executable, "-c", POLLER, str(stop)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        run = night.begin_run(utility.warehouse, DAY)
        for step in night.STEPS:
            getattr(night, step)(utility.warehouse, run)
    finally:
        stop.touch()
        said = poller.communicate(timeout=60)[1]
    polls, failures = map(int, re.search(r"polls (\d+) failures (\d+)", said).groups())
    assert failures == 0, said
    assert polls > 20
    assert utility.rows("select state from quality.runs") == [("published",)] * 2
    assert utility.hashes() == first


@pytest.mark.parametrize(
    "statement",
    [
        "insert into quality.fences values ('x', 1)",
        "update publish.pointer set version = 1",
        "select quality.assert_fence(), nextval('quality.finding_ids')",
        "create table quality.mine (n integer)",
    ],
)
def test_the_reading_role_could_not_write_in_a_transaction_that_may(published: Night, statement: str) -> None:
    from include.records.warehouse import Warehouse

    with Warehouse(published.url).reader().connect(autocommit=True) as connection:
        assert connection.execute("select current_user").fetchone() == ("kaw_reader",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("create table quality.mine (n integer)")
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_where_the_server_lacks_the_role_reading_is_as_the_login_and_read_only(
    published: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    from include.records import warehouse

    monkeypatch.setattr(warehouse, "READER", "kaw_nobody")
    with warehouse.Warehouse(published.url).reader().connect() as connection:
        assert connection.execute("select current_user").fetchone() == ("kaw",)
        assert connection.execute("select count(*) from marts.mart_energy").fetchone() == (6,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("insert into quality.fences values ('x', 1)")


def test_the_address_and_its_password_are_not_printed() -> None:
    from include.records.warehouse import Warehouse

    assert "verysecret" not in repr(Warehouse("postgresql://kaw:verysecret@host/warehouse"))


@pytest.mark.parametrize("command", [*READING, ["replay", "--dry-run"]], ids=lambda value: value[0])
def test_a_warehouse_older_than_the_code_is_told_and_left_as_it_is(
    published: Night, command: list[str], capsys: pytest.CaptureFixture
) -> None:
    published.execute("delete from quality.migrations where name = '30_publish.sql'")
    assert cli.main(command) == 3
    said = capsys.readouterr().err
    assert (
        "The warehouse is older than this code: it lacks 30_publish.sql, 40_functions.sql, 45_builds.sql, 46_vault.sql,"
        " 50_roles.sql, personal views, grants.yml." in said
    )
    assert "\nNext: ./kaw run brings it up to date" in said
    assert published.execute("select count(*) from quality.migrations where name = '30_publish.sql'") == [(0,)]


def test_a_database_without_a_warehouse_is_told_and_left_empty(
    empty_database: str, fresh_home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("KAW_WAREHOUSE", empty_database)
    assert cli.main(["status"]) == 2
    assert "There is no warehouse in this database yet." in capsys.readouterr().err
    with connect(empty_database) as connection:
        assert connection.execute("select to_regnamespace('quality')").fetchone() == (None,)


def test_a_lock_that_is_not_had_is_one_message(
    published: Night, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("include.records.warehouse.LOCK_TIMEOUT", "200ms")
    with connect(published.url) as connection:
        connection.execute("lock table publish.pointer in access exclusive mode")
        assert cli.main(["status"]) == 3
    said = capsys.readouterr().err
    assert "Reading took too long: canceling statement due to lock timeout." in said
    assert "\nNext: let the run that is at work end" in said


def test_the_server_is_not_stopped_under_a_command_that_still_uses_it(fresh_home) -> None:
    from include.local.in_use import server_in_use

    def begin() -> Callable[[], None]:
        stack = contextlib.ExitStack()
        stack.enter_context(server_in_use())
        embedded.ensure(fresh_home)
        return stack.close

    end_first = begin()
    end_second = begin()
    end_first()
    assert embedded.is_running(fresh_home)
    end_second()
    assert not embedded.is_running(fresh_home)

    embedded.ensure(fresh_home)  # not by a command: it goes on
    begin()()
    assert embedded.is_running(fresh_home)
