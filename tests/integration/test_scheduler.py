"""Airflow on this machine: a night in this process, and a night by the scheduler that `./kaw up` starts."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psutil
import psycopg
import pytest

from include.lab.source import FUNCTION
from include.local.scheduler import migrated
from include.local.server import Server
from include.night import STEPS
from include.settings import default_business_date, settings
from tests.airflow_trial import ask
from tests.airflow_up import Airflow, until, webhook_into
from tests.databases import drop

EXTRACTS = ("extract_metering", "extract_marketing", "extract_contract")
BY_HAND, BEFORE = "2026-03-29", "2026-03-28"
DEADLINES = ("pending", "past")


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
    assert trial["landing"] == {"succeeded": True, "calls": [["extract", "metering", FUNCTION, "2026-03-29"]]}


def test_a_task_that_fails_fails_its_dag_at_once(trial):
    assert trial["failed_landing"] == {"succeeded": False, "calls": [["extract", "metering", FUNCTION, "2026-03-30"]]}


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


def test_a_task_in_process_has_its_log_where_the_page_looks_for_it(trial):
    """That of a gate begins with where report and approvals are, and ends with the verdict; what broke has its traceback."""
    report, approvals, verdict = trial["logs"]["check_staged"]
    assert report["event"].endswith("/warehouse/runs/1/report")
    assert approvals["event"].endswith("/dags/approve_waiver")
    assert (verdict["level"], verdict["event"]) == ("error", "stopped by the gate")
    broken = trial["logs"]["land_tables"][-1]
    assert (broken["level"], "OSError: the source does not answer" in broken["event"]) == ("error", True)


def test_a_night_in_process_leaves_nothing_for_a_scheduler_to_do(trial, server):
    with psycopg.connect(server.url("airflow")) as connection:
        assert connection.execute("select count(*) from asset_partition_dag_run").fetchone() == (0,)
        assert connection.execute("select count(*) from deadline").fetchone() == (0,)


# -- in the background


@pytest.fixture(scope="module")
def up(metadata: Path, server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("up")
    home = folder / "home"
    (home / "airflow").mkdir(parents=True)
    (folder / "empty").mkdir()
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
        connection.execute(f"create database {name}_airflow template airflow")  # as `metadata` made it
    (home / "airflow" / "migrated").write_text(migrated(f"{name}_airflow"))
    alerts: list[dict] = []
    webhook = webhook_into(alerts)
    environment = {f"KAW_SOURCE_{source}": str(folder / "empty") for source in ("METERING", "MARKETING", "CONTRACT")}
    environment |= {
        "KAW_HOME": str(home),
        "KAW_WAREHOUSE": server.url(name),
        "KAW_ALERT_WEBHOOK": f"http://127.0.0.1:{webhook.server_port}/",
    }
    airflow = Airflow(home, environment, server.url(f"{name}_airflow"), alerts)
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


def test_the_page_wants_the_printed_password(up):
    assert up.call("/api/v2/dags")[0] == 401
    assert up.call("/auth/token", {"username": "admin", "password": "admin"})[0] == 401
    status, found = up.call("/api/v2/dags", token=up.token())
    assert status == 200
    names = (*EXTRACTS, "build_warehouse", "approve_waiver", "approve_rollback")
    assert {dag["dag_id"]: dag["is_paused"] for dag in found["dags"]} == dict.fromkeys(names, False)


PUBLIC = {
    "/api/v2/monitor/health": "whoever watches the service asks whether its parts live, and learns nothing else",
    "/api/v2/version": "the page shows it before one logs in",
    "/api/v2/auth/login": "leads to the log-in",
    "/api/v2/auth/logout": "leads to the log-in, and ends a session if there is one",
}
PAGES = ("/", "/runs/1", "/runs/1/report", "/expected", "/findings", "/worklists", "/approvals", "/overview")


def test_nobody_is_let_into_a_route_of_airflow_or_of_the_pages_without_a_login(up):
    status, listed = up.call("/openapi.json")
    assert status == 200
    routes = [(method.upper(), path) for path, methods in listed["paths"].items() for method in methods]
    assert len(routes) > 100
    assert set(PUBLIC) <= {path for _, path in routes}
    asked = {(method, path): up.status(method, re.sub(r"{[^}]*}", "1", path)) for method, path in routes}
    asked |= {("GET", f"/warehouse{path}"): up.status("GET", f"/warehouse{path}") for path in PAGES}
    let_in = {path for (_, path), status in asked.items() if status not in (401, 403)}
    assert let_in == set(PUBLIC)


def test_a_user_of_a_lesser_role_is_kept_from_the_pages_or_from_what_changes_something(up):
    """`Public` is Airflow's role without a right; a `Viewer` reads, starts nothing and approves nothing."""

    def token_of(role: str) -> str:
        name, password = role.lower(), uuid.uuid4().hex
        user = {"username": name, "email": f"{name}@localhost", "first_name": name, "last_name": role}
        made = up.call("/auth/fab/v1/users", user | {"password": password, "roles": [{"name": role}]}, up.token())
        assert made[0] in (200, 201), made
        return up.call("/auth/token", {"username": name, "password": password})[1]["access_token"]

    files = ("/reports/2026-03-29_run_1/findings.csv", "/worklists/metering_office.csv")
    public, viewer = token_of("Public"), token_of("Viewer")
    assert {path: up.page(path, public)[0] for path in (*PAGES, *files)} == dict.fromkeys((*PAGES, *files), 403)
    assert up.page("/", viewer)[0] == 200
    for dag in ("build_warehouse", "approve_waiver", "approve_rollback"):
        started = up.call(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": {}}, viewer)
        assert started[0] == 403, (dag, started)


def test_the_password_is_on_no_command_line_and_readable_by_its_owner_alone(up):
    assert (up.home / "airflow" / "secrets.json").stat().st_mode & 0o077 == 0
    assert all(up.password not in " ".join(process.cmdline()) for process in up.processes())


def test_everything_listens_on_127_0_0_1_only(up):
    listening = set()
    for process in up.processes():
        # a part that hides its files from all but root, or one that has ended meanwhile
        with contextlib.suppress(psutil.AccessDenied, psutil.NoSuchProcess, FileNotFoundError):
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
    found = until(lambda: len(rows := up.select(query)) >= len(EXTRACTS) and rows)
    assert [name for name, _ in found] == sorted(EXTRACTS)
    ages = [(default_business_date() - date.fromisoformat(key)).days for _, key in found]
    assert set(ages) <= {0, 1}  # before the hour of a source, its last due night is that of the day before


def test_three_sources_landed_by_hand_start_the_night_of_their_date(up):
    token = up.token()
    for name in EXTRACTS:
        body = {"logical_date": None, "conf": {"business_date": BY_HAND}}
        assert up.call(f"/api/v2/dags/{name}/dagRuns", body, token)[0] == 200
    until(
        lambda: up.select("select 1 from dag_run where dag_id = 'build_warehouse' and partition_key = %s", (BY_HAND,))
    )
    started_by = up.select(
        "select count(*) from asset_event where partition_key = %s and source_dag_id like 'extract_%%'", (BY_HAND,)
    )
    assert started_by == [(3,)]


@pytest.mark.timeout(900)
def test_a_waiver_is_entered_in_the_name_of_who_approves_it_on_the_page(up):
    token = up.token()
    asked = {"rule": "PIP-03", "scope": "all", "reason": "known fault", "until": default_business_date().isoformat()}
    status, run = up.call("/api/v2/dags/approve_waiver/dagRuns", {"logical_date": None, "conf": asked}, token)
    assert status == 200
    question = f"/api/v2/dags/approve_waiver/dagRuns/{run['dag_run_id']}/taskInstances/approve/-1/hitlDetails"
    put = until(lambda: (found := up.call(question, token=token))[0] == 200 and found[1])
    assert put["subject"] == f"Let PIP-03 pass until {asked['until']}?"
    status, page = up.page("/approvals", token)
    assert status == 200
    assert put["subject"] in page
    with psycopg.connect(up.environment["KAW_WAREHOUSE"]) as warehouse:
        assert warehouse.execute("select count(*) from quality.waivers").fetchone() == (0,)
    # Airflow 3.3 takes an answer that overtakes the scheduler's note of the pause for a task killed from outside
    paused = re.compile(r"Received executor event with state success .*dag_id='approve_waiver', task_id='approve'")
    until(lambda: paused.search((up.home / "airflow" / "logs" / "scheduler.log").read_text()))
    assert up.call(question, {"chosen_options": ["Approve"], "params_input": {}}, token, method="PATCH")[0] == 200
    ended = "select state from dag_run where run_id = %s and state in ('success', 'failed')"
    assert until(lambda: up.select(ended, (run["dag_run_id"],)), patience_s=400) == [("success",)], up.log(
        "approve_waiver"
    )
    with psycopg.connect(up.environment["KAW_WAREHOUSE"]) as warehouse:
        (waiver,) = warehouse.execute(
            "select rule_id, scope, approver, reason, entered_by from quality.waivers"
        ).fetchall()
        entries = warehouse.execute(
            "select entered_by, detail ->> 'approver' from quality.ledger where event = 'waiver'"
        ).fetchall()
    assert waiver[:4] == ("PIP-03", "all", "admin", "known fault")
    assert entries == [(waiver[4], "admin")]
    assert waiver[4].startswith("airflow:")


# -- cleared, marked and retried on the page, while the deadline is pending and when it is past


@pytest.fixture(scope="module")
def blocked(up) -> str:
    """The night that gate 1 blocks, for its sources are empty; no other run of the DAG is at work beside it."""
    ((run_id,),) = up.select(
        "select run_id from dag_run where dag_id = 'build_warehouse' and partition_key = %s", (BY_HAND,)
    )
    up.stop_builds(but=run_id)
    assert up.ended(run_id, patience_s=400) == "failed"
    assert up.tasks(run_id)["check_staged"] == ("failed", 1), up.log("build_warehouse")
    return run_id


def test_a_blocked_gate_leads_to_report_and_approvals_and_shows_no_traceback(up, blocked):
    token = up.token()
    gate = f"/api/v2/dags/build_warehouse/dagRuns/{blocked}/taskInstances/check_staged"
    status, links = up.call(f"{gate}/links", token=token)
    assert status == 200
    report = links["extra_links"]["Report of this run"]
    assert links["extra_links"]["Approve a waiver"] == f"{up.address}/dags/approve_waiver"
    assert up.page(report.removeprefix(f"{up.address}/warehouse"), "")[0] == 401
    status, page = up.page(report.removeprefix(f"{up.address}/warehouse"), token)
    assert (status, "report for auditors" in page) == (200, True)
    (log,) = (up.home / "airflow" / "logs").glob(f"dag_id=build_warehouse/run_id={blocked}/task_id=check_staged/*1.log")
    lines = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    ours = lines[lines.index("::endgroup::") + 1 :]
    assert report in ours[0]
    assert "/dags/approve_waiver" in ours[1]
    assert "error_detail" not in log.read_text()  # what the page shows as a traceback
    assert not [line for line in ours if "great_expectations" in line or "ephemeral" in line]  # no words of a library
    assert any(line.startswith("Gate 1 stopped the night") for line in ours)


def _failed(up: Airflow) -> str:
    """A run that was started by hand and marked failed at once; no other run of the DAG is at work beside it."""
    up.stop_builds()
    run_id = up.build("dagRuns", {"logical_date": None, "conf": {"business_date": BEFORE}})["dag_run_id"]
    # its last task first: a scheduler that looks at the run between the two would take skipped tasks for success
    up.build(f"dagRuns/{run_id}/taskInstances/write_report", {"new_state": "failed"}, "PATCH")
    up.build(f"dagRuns/{run_id}", {"state": "failed"}, "PATCH")
    assert up.ended(run_id) == "failed"
    return run_id


@pytest.mark.timeout(900)
def test_a_blocked_night_is_cleared_and_blocks_again(up, blocked):
    up.bring_deadline(blocked, "pending")
    up.build("clearTaskInstances", {"dag_run_id": blocked, "only_failed": True, "dry_run": False})
    assert up.ended(blocked, patience_s=400) == "failed"
    tasks = up.tasks(blocked)
    assert tasks["build_staging"] == ("success", 1)
    assert tasks["check_staged"] == ("failed", 2)
    assert tasks["publish_marts"] == ("upstream_failed", 0)
    told = [a for a in up.alerts if a["kind"] == "blocked" and a["detail"]["business_date"] == BY_HAND]
    assert len(told) == 1  # though it blocked twice
    assert "/warehouse/" in told[0]["message"]  # the report where a browser finds it
    up.bring_deadline(blocked, "pending")  # it was queued anew, and so was its deadline


def test_a_task_that_fails_for_good_is_one_alert_within_a_minute(up, blocked):
    """The gate is not retried, and cannot judge: nobody is let into the warehouse."""

    def told() -> list[dict]:
        return [a for a in up.alerts if a["kind"] == "task_failed"]

    gate = {"dag_run_id": blocked, "task_ids": ["check_staged"], "only_failed": False, "dry_run": False}
    before = len(told())
    up.warehouse_answers(False)
    try:
        for _ in ("the first time", "the second"):
            tries = up.tasks(blocked)["check_staged"][1]
            up.build("clearTaskInstances", gate)
            until(lambda tries=tries: up.tasks(blocked)["check_staged"] == ("failed", tries + 1), patience_s=60)
            assert up.ended(blocked) == "failed"  # a run that is cleared while the scheduler ends it is left lying
        until(lambda: len(told()) > before, patience_s=10)
    finally:
        up.warehouse_answers(True)
    assert up.ended(blocked) == "failed"
    (alert,) = told()[before:]
    assert alert["message"] == f"build_warehouse.check_staged of {BY_HAND} failed: OperationalError"
    assert alert["detail"]["next"].startswith(f"read its log, {up.address}/")


@pytest.mark.parametrize("deadline", DEADLINES)
def test_a_task_of_a_blocked_night_is_marked(up, blocked, deadline):
    up.bring_deadline(blocked, deadline)
    gate, after = f"dagRuns/{blocked}/taskInstances/check_staged", "build_warehouse_and_marts"
    up.build(gate, {"new_state": "success"}, "PATCH")
    until(lambda: up.tasks(blocked)[after][0] == "running")
    # what comes later first: skipped with the run, it would let it succeed at the end, and a success has no deadline
    up.build(f"dagRuns/{blocked}/taskInstances/check_marts", {"new_state": "failed"}, "PATCH")
    until(lambda: up.tasks(blocked)["write_report"][0] == "upstream_failed")
    up.build(f"dagRuns/{blocked}", {"state": "failed"}, "PATCH")
    assert (up.state(blocked), up.tasks(blocked)[after][0]) == ("failed", "failed")
    up.build(gate, {"new_state": "failed"}, "PATCH")
    until(lambda: up.tasks(blocked)[after][0] == "upstream_failed")
    assert up.ended(blocked) == "failed"
    assert up.tasks(blocked)["check_staged"][0] == "failed"


def test_a_missed_deadline_is_one_alert(up, blocked):
    (missed,) = up.missed(blocked)  # though the run was marked and went on since
    assert missed["detail"]["dag_id"] == "build_warehouse"
    assert missed["detail"]["business_date"] == BY_HAND
    assert missed["message"] == f"build_warehouse has not finished in time for {BY_HAND}."


@pytest.mark.parametrize("deadline", DEADLINES)
def test_a_failed_run_is_cleared_marked_and_retried(up, deadline):
    run_id = _failed(up)
    up.bring_deadline(run_id, deadline)
    first = {"dag_run_id": run_id, "task_ids": ["begin_run"], "only_failed": False, "dry_run": False}
    tries = up.tasks(run_id)["begin_run"][1]

    up.build("clearTaskInstances", first)
    assert up.ended(run_id) == "failed"
    assert up.tasks(run_id)["begin_run"] == ("success", tries + 1)

    up.bring_deadline(run_id, deadline)
    up.build(f"dagRuns/{run_id}/clear", {"only_failed": False, "dry_run": False})
    until(lambda: up.tasks(run_id)["begin_run"] == ("success", tries + 2))
    up.build(f"dagRuns/{run_id}", {"state": "failed"}, "PATCH")
    assert up.ended(run_id) == "failed"

    up.bring_deadline(run_id, deadline)
    up.warehouse_answers(False)
    up.build("clearTaskInstances", first)
    until(lambda: up.tasks(run_id)["begin_run"][0] == "up_for_retry")
    up.warehouse_answers(True)
    up.bring_deadline(run_id, deadline)
    up.build("clearTaskInstances", first)  # at once, not in five minutes
    assert up.ended(run_id) == "success"  # what comes after its first task was skipped when it was marked
    assert up.tasks(run_id)["begin_run"] == ("success", tries + 4)
    assert len(up.missed(run_id)) == (deadline == "past")  # once, however often it was cleared


def test_a_run_marked_done_before_its_deadline_sends_no_alert(up):
    run_id = _failed(up)
    up.build(f"dagRuns/{run_id}", {"state": "success"}, "PATCH")
    up.miss_deadline(run_id)
    assert up.missed(run_id) == []


def test_down_leaves_no_process(up):
    assert len(up.processes()) > 4
    assert up.kaw("down").stdout == "Stopped.\n"
    assert up.processes() == []
    assert up.kaw("down").stdout == "Nothing was running.\n"
