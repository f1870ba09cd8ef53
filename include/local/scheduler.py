"""Airflow on this machine: its environment, its metadata, a DAG run in this process, and the whole of it in the background."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path

from include.environment import set_variables
from include.errors import InfrastructureError, UsageError
from include.lab.source import default_addresses
from include.local import identities, server, task_log
from include.local.background import Background, ask, free_port
from include.records.logins import database_of
from include.settings import ROOT, Settings, mask_secrets, settings

PORT = 8080  # where one looks for Airflow
EXTRACTS = ("extract_metering", "extract_marketing", "extract_contract")
BUILD = "build_warehouse"
COMPONENTS = {
    "api-server": [],
    "dag-processor": [],
    "scheduler": ["--skip-serve-logs"],  # their log servers would listen on every address; the page reads the files
    "triggerer": ["--skip-serve-logs"],
}
_FAB = "airflow.providers.fab.auth_manager"


def home() -> Path:
    return settings().home / "airflow"


def environment() -> dict[str, str]:
    """Airflow's settings for this home, to be laid over the environment before Airflow is imported; no address of the owner."""
    kept, given = _secrets(), settings()
    addresses = _addresses(given)
    return {
        **identities.airflow_environment(given),
        **addresses,
        "AIRFLOW_HOME": str(home()),
        "AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS": f"{_FAB}.models.db.FABDBManager",
        "AIRFLOW__CORE__AUTH_MANAGER": f"{_FAB}.fab_auth_manager.FabAuthManager",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
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


def _addresses(given: Settings) -> dict[str, str]:
    """The warehouse and the sources that the DAGs work on: what is not set is the embedded server and the simulated utility."""
    found = default_addresses(given) | identities.environment_of(identities.opened(given))
    for source in ("marketing", "contract"):
        if f"KAW_SOURCE_{source.upper()}" in found:
            found["KAW_SIMULATION"] = identities.simulation_url(source, given).removesuffix(f"sim_{source}")
    return found


def prepare() -> None:
    """Airflow's metadata, once per home, database and version of Airflow."""
    told = environment()
    set_variables(told)
    marker, done = home() / "migrated", migrated(database_of(told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]))
    if marker.exists() and marker.read_text() == done:
        return
    _python("-m", "airflow", "db", "migrate", what="Airflow could not set up its metadata")
    marker.write_text(done)


def read_dags() -> None:
    """Imports Airflow and the DAGs, which takes seconds; once a process."""
    _dag_bag()


def migrated(database: str) -> str:
    """What the marker of a home says once Airflow's metadata are in this database."""
    return f"{version('apache-airflow')} {database}"


def run_dag(dag_id: str, business_date: date) -> bool:
    """Runs a DAG of `dags/` in this process, once prepared, the very one the scheduler runs; True where every task succeeded."""
    refuse_while_up()
    from include.orchestration import IN_PROCESS

    _serve_this_version_alone()
    dag = _dag_bag().dags[dag_id]
    dag.deadline = None
    for task in dag.tasks:
        task.retries = (
            0  # nobody waits five minutes in front of a terminal: the error is shown and the command repeated
        )
        task.outlets = []  # the caller runs the next DAG; an event would make the next scheduler build this night again
    run = dag.test(run_conf={"business_date": business_date.isoformat(), IN_PROCESS: True})
    return run.state == "success"


@cache
def _serve_this_version_alone() -> None:
    """Airflow's interface for tasks, in this process: its present version, and the one before, which it is made from.

    Its routes for the clients of all its versions take two seconds more to make, and none of them calls here.
    """
    from airflow.api_fastapi.execution_api.versions import bundle

    bundle.versions = bundle.versions[:2]


@cache
def _dag_bag():
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(ROOT / "dags"))
    if bag.import_errors:
        raise InfrastructureError(f"A DAG cannot be read: {next(iter(bag.import_errors.items()))}")
    for dag in bag.dags.values():
        for task in dag.tasks:
            if work := getattr(task, "python_callable", None):
                task.python_callable = task_log.kept(work)
    return bag


def refuse_while_up() -> None:
    """A scheduler at work in this home would take up the tasks of a run in this process, and run them a second time."""
    if is_up():
        raise UsageError(
            "Airflow is up in this home and runs the nights itself.",
            where=_login()["address"],
            next_step="trigger the DAGs there, or stop it with ./kaw down and repeat the command.",
        )


def up() -> dict:
    """Starts Airflow in the background, on 127.0.0.1 only; returns address, user and password.

    The schedule is at work from then on: the one night that is due is run, none before it. Raises InfrastructureError
    where a part does not become healthy; whatever was started is stopped then.
    """
    if len(_background().running()) == len(COMPONENTS):
        return _login()
    down()
    _keep_port_free()
    prepare()
    _make_login_and_pools()
    try:
        _start("api-server", "dag-processor")
        _wait_for("metadatabase", "dag_processor")
        _start("scheduler", "triggerer")  # a task that finds no interface yet would fail, and wait for its retry
        _wait_for("metadatabase", "dag_processor", "scheduler", "triggerer")
    except BaseException:
        down()
        raise
    return _login()


def down() -> bool:
    """Stops every process that `up` started; True where there was one. Every step can be repeated, so none is waited for."""
    return _background().stop()


def is_up() -> bool:
    return bool(_background().running())


def address() -> str:
    """Where its page is, or would be."""
    return _login()["address"]


def _login() -> dict:
    kept = _secrets()
    return {"address": f"http://127.0.0.1:{kept['port']}", "user": "admin", "password": kept["password"]}


def _background() -> Background:
    return Background(home())


def _start(*components: str) -> None:
    for component in components:
        _background().start(component, [sys.executable, "-m", "airflow", component, *COMPONENTS[component]])


def _wait_for(*parts: str, patience_s: float = 180) -> None:
    address = f"{_login()['address']}/api/v2/monitor/health"
    until = time.monotonic() + patience_s
    health: dict = {}
    while time.monotonic() < until and not _background().ended():
        try:
            with ask(address) as answer:
                health = json.load(answer)
            if all(health[part]["status"] == "healthy" for part in parts):
                return
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.5)
    ended = _background().ended()
    raise InfrastructureError(
        f"Airflow did not become healthy: {', '.join(ended) + ' ended' if ended else 'it took too long'}.",
        where=str(home() / "logs"),
        next_step="read the logs there and repeat ./kaw up.",
    )


def _make_login_and_pools() -> None:
    """Pools and the administrator of the page; the password of this home travels by the environment, on no command line."""
    code = (
        "import os; from include.compose.init_airflow import ensure_pools, ensure_user;"
        " ensure_pools(); ensure_user('admin', os.environ['KAW_PASSWORD'])"
    )
    _python("-c", code, what="Log-in and pools of Airflow could not be made", KAW_PASSWORD=_secrets()["password"])


def _python(*arguments: str, what: str, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=300,
        env=os.environ | variables,
    )
    if done.returncode:
        log = home() / "command.log"
        log.write_text(mask_secrets(done.stdout + done.stderr))
        raise InfrastructureError(
            what + ".", where=str(log), next_step="see the last lines there and repeat the command."
        )


def _keep_port_free() -> None:
    """Another program may have taken the page's port since it was chosen."""
    kept = _secrets()
    if not server.is_free(kept["port"]):
        _write_secrets(kept | {"port": free_port(PORT)})


def _secrets() -> dict:
    """Keys and password of this home, generated once, readable by the owner alone."""
    path = home() / "secrets.json"
    if not path.exists():
        home().mkdir(parents=True, exist_ok=True)
        _write_secrets(
            {
                "fernet_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
                "secret_key": secrets.token_urlsafe(32),
                "jwt_secret": secrets.token_urlsafe(64),
                "password": secrets.token_urlsafe(12),
                "port": free_port(PORT),
            }
        )
    return json.loads(path.read_text())


def _write_secrets(kept: dict) -> None:
    partial = home() / "secrets.json.partial"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(kept, file)
    partial.replace(home() / "secrets.json")
