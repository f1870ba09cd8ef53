"""kill -9 of the whole process group, with the database server left running or killed as well; then the same command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from include.local import server
from include.settings import Settings
from tests.nights import DAY, Utility

ROOT = Path(__file__).resolve().parents[2]


class Home:
    """A home of its own whose nights run as a user's would, in a process group that can be killed."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.settings = Settings(home=folder)
        self.environment = os.environ | environment | {"KAW_HOME": str(folder), "PYTHONPATH": str(ROOT)}
        for name in [name for name in self.environment if name == "KAW_WAREHOUSE" or name.startswith("KAW_LOGIN_")]:
            del self.environment[name]  # of the utility's warehouse

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "include.local.cli", "run", "--date", DAY.isoformat(), *arguments]
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=1200)
        assert process.returncode == 0, output
        return output

    def kill(self, process: subprocess.Popen, *, with_server: bool) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if with_server:
            for found in psutil.process_iter(["cmdline"]):
                if str(self.data_folder()) in " ".join(found.info["cmdline"] or []):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        for child in [*found.children(recursive=True), found]:
                            child.kill()

    def data_folder(self) -> Path:
        from include.local.postgres import Cluster

        return Cluster(self.settings.home).data

    def connection(self) -> psycopg.Connection:
        return psycopg.connect(server.url("warehouse", self.settings), autocommit=True)

    def hashes(self) -> dict[str, str]:
        found = subprocess.run(
            [sys.executable, "-m", "include.local.cli", "status", "--json"],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return {name: mart["hash"] for name, mart in json.loads(found.stdout)["marts"].items()}

    @contextlib.contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Holds a lock on a table, so that a writer stops there."""
        connection = psycopg.connect(server.url("warehouse", self.settings))
        connection.execute(f"lock table {table} in share mode")
        yield
        with contextlib.suppress(psycopg.OperationalError):  # the server may have been killed meanwhile
            connection.close()

    def wait_for_a_waiter(self, process: subprocess.Popen, seconds: float = 300) -> None:
        until = time.monotonic() + seconds
        with self.connection() as connection:
            while time.monotonic() < until:
                assert process.poll() is None, process.communicate()[0]
                if connection.execute("select count(*) from pg_locks where not granted").fetchone()[0]:
                    return
                time.sleep(0.2)
        raise AssertionError("nobody came to the lock")


@pytest.mark.timeout(900)
def test_a_night_killed_in_mid_landing_and_in_mid_publish_ends_as_an_undisturbed_one(
    clean_night: Utility, tmp_path: Path
):
    undisturbed = clean_night.hashes()

    home = Home(tmp_path / "killed", clean_night.environment)
    try:
        from include.records.migrations import migrate
        from include.records.warehouse import Warehouse

        migrate(Warehouse(server.url("warehouse", home.settings)))

        with home.held("raw_marketing.mkt_bill"):
            process = home.start()
            home.wait_for_a_waiter(process)
            home.kill(process, with_server=True)
        with home.connection() as connection:
            assert connection.execute("select count(*) from raw_marketing.mkt_bill").fetchone()[0] == 0
            assert connection.execute("select count(*) from raw_metering.met_interval_96").fetchone()[0] > 0

        with home.held("publish.pointer"):
            process = home.start()
            home.wait_for_a_waiter(process)
            home.kill(process, with_server=False)
        assert home.hashes() == {}

        output = home.run()
        assert "Published as of" in output
        assert home.hashes() == undisturbed
    finally:
        server.purge(home.settings)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_ten_kills_of_the_default_utility_each_end_as_the_undisturbed_night(tmp_path: Path):
    reference = Home(tmp_path / "undisturbed", {})
    try:
        reference.run("--fresh")
        started = time.monotonic()
        reference.run("--fresh")
        seconds = time.monotonic() - started
        undisturbed = reference.hashes()
    finally:
        server.purge(reference.settings)
    for moment in range(1, 11):
        home = Home(tmp_path / f"killed-{moment}", {})
        try:
            process = home.start()
            time.sleep(seconds * moment / 11)
            home.kill(process, with_server=moment % 2 == 0)
            home.run()
            assert home.hashes() == undisturbed
            print(
                f"killed after {seconds * moment / 11:.0f} of {seconds:.0f} s, server {'killed' if moment % 2 == 0 else 'left'}: same hashes"
            )
        finally:
            server.purge(home.settings)
