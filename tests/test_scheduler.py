"""Airflow on this machine: a night in this process, and a night by the scheduler that `./kaw up` starts."""

from __future__ import annotations

import contextlib
import fcntl
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
import psycopg
import pytest

from include.local.server import Server
from include.night import STEPS
from include.settings import default_business_date, settings
from tests.airflow_trial import ROOT, ask
from tests.databases import drop

EXTRACTS = ("extract_metering", "extract_marketing", "extract_contract")
BY_HAND = "2026-03-29"


@pytest.fixture(scope="module")
def metadata(server: Server) -> Path:
    """Airflow's tables in the session's server, made once a session; the marker that says so."""
    with (settings().home / "metadata.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Path(ask("prepare")["marker"])


# -- in this process


@pytest.fixture(scope="module")
def trial(metadata: Path) -> dict:
    return ask("run")


def test_a_dag_runs_in_process_with_the_date_it_was_given(trial):
    assert trial["landing"] == {"succeeded": True, "calls": [["extract", "metering", "2026-03-29"]]}


def test_a_task_that_fails_fails_its_dag_at_once(trial):
    assert trial["failed_landing"] == {"succeeded": False, "calls": [["extract", "metering", "2026-03-30"]]}


def test_a_night_goes_step_by_step(trial):
    steps = [name for name, *_ in trial["night"]["calls"]]
    assert trial["night"]["succeeded"]
    assert steps == [
        "build_staging",
        "check_staged",
        "build_warehouse_and_marts",
        "check_marts",
        "publish_marts",
        "write_report",
    ]
    assert tuple(steps) == STEPS  # what a replay does, too
    assert all("'business_date': '2026-03-31'" in run for _, run in trial["night"]["calls"])


def test_nothing_runs_after_a_gate_that_blocks(trial):
    assert not trial["blocked_night"]["succeeded"]
    assert [name for name, *_ in trial["blocked_night"]["calls"]] == ["build_staging", "check_staged"]


def test_a_night_in_process_leaves_nothing_for_a_scheduler_to_do(trial, server):
    with psycopg.connect(server.url("airflow")) as connection:
        assert connection.execute("select count(*) from asset_partition_dag_run").fetchone() == (0,)
        assert connection.execute("select count(*) from deadline").fetchone() == (0,)


# -- in the background


@dataclass
class Airflow:
    """A home whose sources are empty folders, with Airflow up in it, and what its webhook was told."""

    home: Path
    environment: dict[str, str]
    metadata_url: str
    alerts: list[dict] = field(default_factory=list)
    address: str = ""
    password: str = ""
    sessions: set[int] = field(default_factory=set)

    def kaw(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "include.local.cli", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | self.environment, capture_output=True, text=True, check=False
        )

    def call(self, path: str, body: dict | None = None, token: str = "", method: str | None = None) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {}

    def token(self) -> str:
        return self.call("/auth/token", {"username": "admin", "password": self.password})[1]["access_token"]

    def select(self, query: str, values: tuple = ()) -> list[tuple]:
        with psycopg.connect(self.metadata_url) as connection:
            return connection.execute(query, values).fetchall()

    def log(self, dag_id: str) -> str:
        """What the tasks of a DAG wrote, the last of it."""
        files = sorted((self.home / "airflow" / "logs").glob(f"dag_id={dag_id}/**/*.log"))
        return "\n".join(f"{file.parent.name}\n{file.read_text()[-3000:]}" for file in files)

    def processes(self) -> list[psutil.Process]:
        """Every process that was started for this home: some overwrite their environment, so their session is read too."""
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = os.getsid(process.pid) in self.sessions or process.environ().get("KAW_HOME") == str(self.home)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, ProcessLookupError):
                continue
        return found


@pytest.fixture(scope="module")
def up(metadata: Path, server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("up")
    home = folder / "home"
    (home / "airflow").mkdir(parents=True)
    (home / "airflow" / "migrated").write_text(metadata.read_text())
    (folder / "empty").mkdir()
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    alerts: list[dict] = []
    webhook = _webhook(alerts)
    environment = {f"KAW_SOURCE_{source}": str(folder / "empty") for source in ("METERING", "MARKETING", "CONTRACT")}
    environment |= {
        "KAW_HOME": str(home),
        "KAW_WAREHOUSE": server.url(name),
        "KAW_ALERT_WEBHOOK": f"http://127.0.0.1:{webhook.server_port}/",
    }
    airflow = Airflow(home, environment, server.url("airflow"), alerts)
    try:
        done = airflow.kaw("up")
        assert done.returncode == 0, done.stdout + done.stderr
        airflow.address = re.search(r"^Airflow +(\S+)$", done.stdout, re.MULTILINE)[1]
        airflow.password = re.search(r"^Password +(\S+)$", done.stdout, re.MULTILINE)[1]
        airflow.sessions = {pid for pid, _ in json.loads((home / "airflow" / "processes.json").read_text()).values()}
        yield airflow
    finally:
        airflow.kaw("down")
        webhook.shutdown()
        drop(server, name)


def _webhook(alerts: list[dict]) -> http.server.HTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            alerts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    webhook = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    return webhook


def _until(condition, patience_s: float = 120):
    """The first true answer of the condition."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if answer := condition():
            return answer
        time.sleep(0.5)
    return pytest.fail(f"not in {patience_s} s")


def test_the_page_wants_the_printed_password(up):
    assert up.call("/api/v2/dags")[0] == 401
    assert up.call("/auth/token", {"username": "admin", "password": "admin"})[0] == 401
    status, found = up.call("/api/v2/dags", token=up.token())
    assert status == 200
    names = (*EXTRACTS, "build_warehouse", "approve_waiver", "approve_rollback")
    assert {dag["dag_id"]: dag["is_paused"] for dag in found["dags"]} == dict.fromkeys(names, False)


def test_the_password_is_on_no_command_line_and_readable_by_its_owner_alone(up):
    assert (up.home / "airflow" / "secrets.json").stat().st_mode & 0o077 == 0
    assert all(up.password not in " ".join(process.cmdline()) for process in up.processes())


def test_everything_listens_on_127_0_0_1_only(up):
    listening = set()
    for process in up.processes():
        with contextlib.suppress(psutil.AccessDenied):  # a part that hides its files from all but root
            found = process.net_connections("inet")
            listening |= {c.laddr.ip for c in found if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_up_twice_changes_nothing(up):
    before = (up.home / "airflow" / "processes.json").read_text()
    again = up.kaw("up")
    assert (again.returncode, up.address in again.stdout) == (0, True)
    assert (up.home / "airflow" / "processes.json").read_text() == before


def test_a_run_in_process_is_refused_while_the_scheduler_is_at_work(up):
    refused = up.kaw("run")
    assert refused.returncode == 2
    assert "./kaw down" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_first_up_runs_the_night_that_is_due_and_none_before_it(up):
    query = "select dag_id, partition_key from dag_run where run_type = 'scheduled' order by dag_id"
    found = _until(lambda: len(rows := up.select(query)) >= len(EXTRACTS) and rows)
    assert [name for name, _ in found] == sorted(EXTRACTS)
    ages = [(default_business_date() - date.fromisoformat(key)).days for _, key in found]
    assert set(ages) <= {0, 1}  # before the hour of a source, its last due night is that of the day before


@pytest.mark.timeout(900)
def test_a_waiver_is_entered_in_the_name_of_who_approves_it_on_the_page(up):
    token = up.token()
    asked = {"rule": "PIP-03", "scope": "all", "reason": "known fault", "until": default_business_date().isoformat()}
    status, run = up.call("/api/v2/dags/approve_waiver/dagRuns", {"logical_date": None, "conf": asked}, token)
    assert status == 200
    question = f"/api/v2/dags/approve_waiver/dagRuns/{run['dag_run_id']}/taskInstances/approve/-1/hitlDetails"
    put = _until(lambda: (found := up.call(question, token=token))[0] == 200 and found[1])
    assert put["subject"] == f"Let PIP-03 pass until {asked['until']}?"
    with psycopg.connect(up.environment["KAW_WAREHOUSE"]) as warehouse:
        assert warehouse.execute("select count(*) from quality.waivers").fetchone() == (0,)
    # Airflow 3.3 takes an answer that overtakes the scheduler's note of the pause for a task killed from outside
    paused = re.compile(r"Received executor event with state success .*dag_id='approve_waiver', task_id='approve'")
    _until(lambda: paused.search((up.home / "airflow" / "logs" / "scheduler.log").read_text()))
    assert up.call(question, {"chosen_options": ["Approve"], "params_input": {}}, token, method="PATCH")[0] == 200
    ended = "select state from dag_run where run_id = %s and state in ('success', 'failed')"
    assert _until(lambda: up.select(ended, (run["dag_run_id"],)), patience_s=400) == [("success",)], up.log(
        "approve_waiver"
    )
    with psycopg.connect(up.environment["KAW_WAREHOUSE"]) as warehouse:
        (waiver,) = warehouse.execute(
            "select rule_id, scope, approver, reason, entered_by from quality.waivers"
        ).fetchall()
        entries = warehouse.execute(
            "select actor, detail ->> 'approver' from quality.ledger where event = 'waiver'"
        ).fetchall()
    assert waiver[:4] == ("PIP-03", "all", "admin", "known fault")
    assert entries == [(waiver[4], "admin")]
    assert waiver[4].startswith("airflow:")


def test_three_sources_landed_by_hand_start_the_night_of_their_date(up):
    token = up.token()
    for name in EXTRACTS:
        body = {"logical_date": None, "conf": {"business_date": BY_HAND}}
        assert up.call(f"/api/v2/dags/{name}/dagRuns", body, token)[0] == 200
    _until(
        lambda: up.select("select 1 from dag_run where dag_id = 'build_warehouse' and partition_key = %s", (BY_HAND,))
    )
    started_by = up.select(
        "select count(*) from asset_event where partition_key = %s and source_dag_id like 'extract_%%'", (BY_HAND,)
    )
    assert started_by == [(3,)]


def test_a_missed_deadline_is_told_to_the_webhook(up):
    query = "select r.run_id from deadline d join dag_run r on r.id = d.dagrun_id where r.dag_id = 'build_warehouse' limit 1"
    run_id = _until(lambda: up.select(query))[0][0]
    with psycopg.connect(up.metadata_url) as connection:
        connection.execute(
            "update deadline set deadline_time = now() where dagrun_id = (select id from dag_run where run_id = %s)",
            (run_id,),
        )
    missed = _until(lambda: [alert for alert in up.alerts if alert["kind"] == "deadline_missed"])[0]
    assert missed["detail"]["dag_id"] == "build_warehouse"
    assert missed["detail"]["run_id"] == run_id
    assert missed["detail"]["business_date"] in missed["message"]


def test_down_leaves_no_process(up):
    assert len(up.processes()) > 4
    assert up.kaw("down").stdout == "Stopped.\n"
    assert up.processes() == []
    assert up.kaw("down").stdout == "Nothing was running.\n"
