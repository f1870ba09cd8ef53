"""Airflow on this machine: its environment, its metadata, a DAG run in this process, and the whole of it in the background."""
from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path

import psutil

from include import server
from include.errors import InfrastructureError, UsageError
from include.settings import ROOT, settings

EXTRACTS = ("extract_metering", "extract_marketing", "extract_contract")
BUILD = "build_warehouse"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_FAB = "airflow.providers.fab.auth_manager"


def home() -> Path:
    return settings().home / "airflow"


def environment() -> dict[str, str]:
    """Airflow's settings for this home, to be laid over the environment before Airflow is imported."""
    kept = _secrets()
    return {
        **server.airflow_environment(),
        "AIRFLOW_HOME": str(home()),
        "AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS": f"{_FAB}.models.db.FABDBManager",
        "AIRFLOW__CORE__AUTH_MANAGER": f"{_FAB}.fab_auth_manager.FabAuthManager",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__CORE__FERNET_KEY": kept["fernet_key"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{kept['port']}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(kept["port"]),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{kept['port']}",
        "AIRFLOW__API__SECRET_KEY": kept["secret_key"],
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": kept["jwt_secret"],
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(ROOT),
        "KAW_HOME": str(settings().home),
    }


def prepare() -> None:
    """Airflow's metadata, once per home and version of Airflow."""
    from importlib.metadata import version

    os.environ.update(environment())
    marker = home() / "migrated"
    if marker.exists() and marker.read_text() == version("apache-airflow"):
        return
    _airflow("db", "migrate", what="Airflow could not set up its metadata")
    marker.write_text(version("apache-airflow"))


def run_dag(dag_id: str, business_date: date) -> bool:
    """Runs a DAG of `dags/` in this process, the very one the scheduler runs; True where every task succeeded."""
    os.environ.update(environment())
    from airflow.dag_processing.dagbag import DagBag

    dag = _bag(DagBag).dags[dag_id]
    for task in dag.tasks:
        task.retries = 0  # nobody waits five minutes in front of a terminal: the error is shown and the command repeated
    run = dag.test(run_conf={"business_date": business_date.isoformat()})
    return run.state == "success"


_bags: dict[str, object] = {}


def _bag(factory):
    folder = str(ROOT / "dags")
    if folder not in _bags:
        bag = factory(folder)
        if bag.import_errors:
            raise InfrastructureError(f"A DAG cannot be read: {next(iter(bag.import_errors.items()))}")
        _bags[folder] = bag
    return _bags[folder]


def up() -> dict:
    """Starts Airflow in the background, on 127.0.0.1 only; returns address, user and password."""
    if _running():
        return _login()
    prepare()
    kept = _secrets()
    login = _login()
    _airflow("users", "create", "--username", login["user"], "--password", kept["password"], "--role", "Admin",
             "--firstname", "kaw", "--lastname", "admin", "--email", "admin@localhost", what="The log-in could not be made")  # fmt: skip
    logs = home() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    pids = {}
    for component in COMPONENTS:
        with (logs / f"{component}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", component], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, cwd=ROOT,
            )  # fmt: skip
        pids[component] = [process.pid, psutil.Process(process.pid).create_time()]
    (home() / "processes.json").write_text(json.dumps(pids))
    _wait_until_healthy(kept["port"])
    return login


def down() -> bool:
    """Stops every process that `up` started; True where there was one."""
    running = _running()
    family = [child for process in running for child in [*process.children(recursive=True), process]]
    for process in family:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=20)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)
    (home() / "processes.json").unlink(missing_ok=True)
    return bool(running)


def is_up() -> bool:
    return bool(_running())


def _login() -> dict:
    kept = _secrets()
    return {"address": f"http://127.0.0.1:{kept['port']}", "user": "admin", "password": kept["password"]}


def _running() -> list[psutil.Process]:
    path = home() / "processes.json"
    if not path.exists():
        return []
    processes = []
    for pid, created in json.loads(path.read_text()).values():
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                processes.append(process)
        except psutil.NoSuchProcess:
            continue
    return processes


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        pass


def _wait_until_healthy(port: int, patience_s: float = 180) -> None:
    address = f"http://127.0.0.1:{port}/api/v2/monitor/health"
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if len(_running()) < len(COMPONENTS):
            break
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                health = json.load(answer)
            if all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor")):
                return
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(1)
    down()
    raise InfrastructureError(
        "Airflow did not become healthy.", where=str(home() / "logs"), next_step="read the logs there and repeat ./kaw up."
    )


def _airflow(*arguments: str, what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments], capture_output=True, text=True, cwd=ROOT, check=False, timeout=300
    )
    if done.returncode:
        log = home() / "command.log"
        log.write_text(done.stdout + done.stderr)
        raise InfrastructureError(what + ".", where=str(log), next_step="see the last lines there and repeat the command.")


def _secrets() -> dict:
    """Keys and password of this home, generated once, readable by the owner alone."""
    path = home() / "secrets.json"
    if not path.exists():
        home().mkdir(parents=True, exist_ok=True)
        kept = {
            "fernet_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "secret_key": secrets.token_urlsafe(32),
            "jwt_secret": secrets.token_urlsafe(64),
            "password": secrets.token_urlsafe(12),
            "port": _free_port(),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
    return json.loads(path.read_text())


def _free_port() -> int:
    for port in (8080, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise UsageError("No free port on 127.0.0.1.")
