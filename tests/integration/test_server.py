"""The embedded server: private, one per home, and there again after whatever was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from include.errors import InfrastructureError, UsageError
from include.local import postgres
from include.local import server as embedded
from include.local.postgres import Cluster
from include.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def remember(address: str, value: int) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("create table if not exists remembered (value int)")
        connection.execute("insert into remembered values (%s)", (value,))


def remembered(address: str) -> list[int]:
    with psycopg.connect(address) as connection:
        return [row[0] for row in connection.execute("select value from remembered order by 1")]


def start_python(code: str, home: Path, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KAW_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


PRINT_PORT = "from include.local import server; print(server.ensure().port)"


# -- private


def test_server_listens_on_loopback_only_and_asks_for_the_password(server):
    port = server.port
    listening = [c for c in psutil.net_connections("inet") if c.status == "LISTEN" and c.laddr.port == port]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
    with psycopg.connect(server.admin_url()) as connection:
        assert connection.execute("show unix_socket_directories").fetchone() == ("",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url("warehouse").replace(server.password, "guess"))


def test_login_of_the_warehouse_is_no_superuser_and_owns_its_databases(server):
    with psycopg.connect(server.url("warehouse")) as connection:
        rights = (
            "select rolsuper, rolcreatedb, rolcreaterole, rolreplication from pg_roles where rolname = current_user"
        )
        assert connection.execute(rights).fetchone() == (False, True, True, False)
        owned = "select datname from pg_database where datdba = 'kaw'::regrole and datname = any(%s)"
        found = {row[0] for row in connection.execute(owned, (list(embedded.DATABASES),))}
        timeout = connection.execute("show statement_timeout").fetchone()[0]
    assert (
        {"warehouse"} <= found <= set(embedded.DATABASES)
    )  # Airflow's and the simulated ones are handed over to their own logins
    assert timeout == "20min"


def test_passwords_are_in_a_file_that_only_its_owner_reads_and_in_no_repr(server):
    state = Path(os.environ["KAW_HOME"]) / "server.json"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert server.password in state.read_text()
    assert server.password not in repr(server)
    assert server.admin_password not in repr(server)


def test_server_does_not_run_as_root_and_hides_its_data(server):
    cluster = Cluster(Path(os.environ["KAW_HOME"]))
    assert cluster.postmaster().uids().effective != 0
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


def test_time_zone_and_text_are_those_of_the_utility(server):
    with psycopg.connect(server.url("warehouse")) as connection:
        assert connection.execute("show timezone").fetchone() == ("Asia/Shanghai",)
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)


# -- one per home


def test_asking_twice_gives_the_same_server(fresh_home):
    first = embedded.ensure(fresh_home)
    main = Cluster(fresh_home.home).postmaster()
    assert embedded.ensure(fresh_home) == first
    assert Cluster(fresh_home.home).postmaster() == main


def test_two_processes_that_ask_at_once_get_one_server(fresh_home):
    asking = [start_python(PRINT_PORT, fresh_home.home) for _ in range(3)]
    answers = {process.communicate(timeout=120)[0] for process in asking}
    assert [process.returncode for process in asking] == [0, 0, 0]
    assert answers == {f"{embedded.ensure(fresh_home).port}\n"}
    mains = []
    for process in Cluster(fresh_home.home).processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # workers come and go
            mains += [process] if "-D" in process.cmdline() else []
    assert len(mains) == 1


def test_a_port_that_was_taken_meanwhile_is_given_up(fresh_home):
    first = embedded.ensure(fresh_home)
    remember(first.url("warehouse"), 1)
    embedded.stop(fresh_home)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", first.port))
        stranger.listen()
        second = embedded.ensure(fresh_home)
    assert second.port != first.port
    assert remembered(second.url("warehouse")) == [1]


# -- after a kill


def test_data_are_there_after_the_whole_server_was_killed(fresh_home):
    remember(embedded.url("warehouse", fresh_home), 7)
    kill(Cluster(fresh_home.home).processes())
    assert remembered(embedded.url("warehouse", fresh_home)) == [7]


def test_server_starts_although_a_busy_worker_outlived_the_killed_main_process(fresh_home):
    address = embedded.url("warehouse", fresh_home)
    remember(address, 7)
    busy = threading.Thread(target=run_until_cut, args=(address, "select count(*) from generate_series(1, 1e10)"))
    busy.start()
    wait_until(lambda: is_active(address, "generate_series"))
    Cluster(fresh_home.home).postmaster().kill()
    assert remembered(embedded.url("warehouse", fresh_home)) == [7]
    busy.join(timeout=60)
    assert not busy.is_alive()


def test_a_process_number_that_was_given_to_somebody_else_is_not_believed(fresh_home):
    remember(embedded.url("warehouse", fresh_home), 7)
    cluster = Cluster(fresh_home.home)
    pid_file = cluster.data / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    kill(cluster.processes())
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert not embedded.is_running(fresh_home)
    assert remembered(embedded.url("warehouse", fresh_home)) == [7]


def test_server_outlives_the_process_group_that_started_it(fresh_home):
    starter = start_python(PRINT_PORT + "; import sys, time; sys.stdout.flush(); time.sleep(600)", fresh_home.home)
    port = int(starter.stdout.readline())
    main = Cluster(fresh_home.home).postmaster()
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate()
    assert embedded.ensure(fresh_home).port == port
    assert Cluster(fresh_home.home).postmaster() == main


@pytest.mark.parametrize("after_s", [0.4, 0.8, 1.2])
def test_a_first_start_that_was_killed_is_made_good_by_the_next(fresh_home, after_s):
    starter = start_python(PRINT_PORT, fresh_home.home)
    time.sleep(after_s)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate()
    server = embedded.ensure(fresh_home)
    with psycopg.connect(server.url("sim_contract")) as connection:
        assert connection.execute("select current_user").fetchone() == ("kaw",)


# -- stop and purge


def test_stop_leaves_no_process_even_of_a_frozen_server(fresh_home, monkeypatch):
    monkeypatch.setattr(postgres, "FAST_STOP_TIMEOUT_S", 0.5)
    monkeypatch.setattr(postgres, "IMMEDIATE_STOP_TIMEOUT_S", 0.5)
    embedded.ensure(fresh_home)
    cluster = Cluster(fresh_home.home)
    for process in cluster.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    embedded.stop(fresh_home)
    assert cluster.processes() == []
    assert not embedded.is_running(fresh_home)


def test_stop_ends_a_running_statement_and_can_be_repeated(fresh_home):
    address = embedded.url("warehouse", fresh_home)
    busy = threading.Thread(target=run_until_cut, args=(address, "select pg_sleep(600)"))
    busy.start()
    wait_until(lambda: is_active(address, "pg_sleep"))
    began = time.monotonic()
    embedded.stop(fresh_home)
    embedded.stop(fresh_home)
    busy.join(timeout=30)
    assert time.monotonic() - began < 15
    assert Cluster(fresh_home.home).processes() == []


def test_purge_leaves_nothing_behind(fresh_home):
    embedded.ensure(fresh_home)
    cluster = Cluster(fresh_home.home)
    embedded.purge(fresh_home)
    assert cluster.processes() == []
    assert not cluster.base.exists()
    assert not fresh_home.home.exists()


def test_purge_finds_the_data_of_a_home_that_was_deleted_by_hand(fresh_home):
    embedded.ensure(fresh_home)
    cluster = Cluster(fresh_home.home)
    shutil.rmtree(fresh_home.home)
    embedded.purge(fresh_home)
    assert cluster.processes() == []
    assert not cluster.base.exists()


@pytest.mark.parametrize("home", [ROOT, ROOT.parent, Path.home()])
def test_purge_never_deletes_the_code_or_somebodys_home(home):
    with pytest.raises(UsageError, match="holds more than the state of the warehouse"):
        embedded.purge(Settings(home=home))
    assert (ROOT / "kaw").exists()


@pytest.mark.parametrize("foreign", ["somebody", "notes.txt"])
def test_purge_deletes_nothing_where_something_else_lies_in_the_folder(tmp_path, foreign):
    (tmp_path / foreign).mkdir() if foreign == "somebody" else (tmp_path / foreign).write_text("kept")
    (tmp_path / "server.lock").touch()
    with pytest.raises(UsageError, match="holds more than the state of the warehouse") as raised:
        embedded.purge(Settings(home=tmp_path))
    assert foreign in str(raised.value)
    assert {entry.name for entry in tmp_path.iterdir()} == {foreign, "server.lock"}


def test_who_waits_for_a_home_that_is_purged_meanwhile_gets_a_new_one(fresh_home):
    before = embedded.ensure(fresh_home)
    with embedded._locked(fresh_home.home):
        asking = start_python(PRINT_PORT, fresh_home.home)
        time.sleep(2)
        Cluster(fresh_home.home).remove()
        shutil.rmtree(fresh_home.home)
    asking.communicate(timeout=120)
    assert asking.returncode == 0
    assert embedded.ensure(fresh_home).password != before.password


def test_data_of_another_major_version_are_not_touched(fresh_home):
    embedded.ensure(fresh_home)
    embedded.stop(fresh_home)
    version = Cluster(fresh_home.home).data / "PG_VERSION"
    own = version.read_text()
    version.write_text("14\n")
    with pytest.raises(InfrastructureError, match="created by PostgreSQL 14"):
        embedded.ensure(fresh_home)
    version.write_text(own)


def test_a_home_that_cannot_be_written_is_told_in_one_message():
    with pytest.raises(InfrastructureError, match="Next: make the folder writable, or set KAW_HOME"):
        embedded.ensure(Settings(home=Path("/proc/kaw-home")))


# -- a server of one's own


def test_the_warehouse_may_be_in_a_server_of_ones_own(empty_database):
    given = Settings(home=Path("/nonexistent"), warehouse=empty_database)
    assert embedded.warehouse_url(given) == empty_database


def test_a_wrong_password_is_told_without_the_password(server):
    address = server.url("warehouse").replace(server.password, "not-it")
    with pytest.raises(InfrastructureError, match="password authentication failed") as caught:
        embedded.warehouse_url(Settings(home=Path("/nonexistent"), warehouse=address))
    assert caught.value.exit_code == 3
    assert "not-it" not in str(caught.value)
    assert "Next: check host, port, user and password" in str(caught.value)


def test_a_server_that_is_too_old_is_refused(server, monkeypatch):
    monkeypatch.setattr(embedded, "OLDEST_VERSION", 99)
    with pytest.raises(InfrastructureError, match="needs PostgreSQL 99 or newer"):
        embedded.warehouse_url(Settings(home=Path("/nonexistent"), warehouse=server.url("warehouse")))


# -- help


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # the others leave by themselves once the main one is gone
            process.kill()


def run_until_cut(address: str, statement: str) -> None:
    try:
        with psycopg.connect(address) as connection:
            connection.execute(statement)
    except psycopg.Error:
        pass  # the server is killed under it: that is the trial


def is_active(address: str, text: str) -> bool:
    with psycopg.connect(address) as connection:
        active = "select 1 from pg_stat_activity where state = 'active' and query like %s and pid <> pg_backend_pid()"
        return connection.execute(active, (f"%{text}%",)).fetchone() is not None


def wait_until(is_true, patience_s: float = 30) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)
