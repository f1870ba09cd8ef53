"""docker-compose.yml and Dockerfile: what can be held without a container engine, and the engine's own checks where it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import psycopg
import pytest
import yaml

from include.local import server as embedded
from include.local.postgres import Cluster
from include.settings import LOGINS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
SCHEMA = ROOT / "tests" / "data" / "compose-spec.schema.json"
ONE_TIME = {"airflow-init"}
SECRET_NAME = re.compile(r"PASSWORD|SECRET|_KEY$|TOKEN")
AIRFLOW_PARTS = {"airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load(COMPOSE_FILE.read_text())


def filled_in_environment() -> dict[str, str]:
    """The example file with a value for everything that it leaves to the reader."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line.removesuffix("="): "filledin" for line in lines if re.fullmatch(r"[A-Z_]+=", line)}


def environments(compose: dict) -> list[tuple[str, str, str]]:
    return [
        (service, name, str(value))
        for service, definition in compose["services"].items()
        for name, value in definition.get("environment", {}).items()
    ]


def test_compose_file_follows_the_compose_specification(compose):
    schema = json.loads(SCHEMA.read_text())
    errors = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(compose)]
    assert errors == []
    compose["services"]["postgres"]["helthcheck"] = {}
    assert list(jsonschema.Draft7Validator(schema).iter_errors(compose)), "the schema would let a misspelled key pass"
    del compose["services"]["postgres"]["helthcheck"]


def test_compose_holds_all_parts_of_airflow_and_one_postgresql(compose):
    assert set(compose["services"]) == AIRFLOW_PARTS | ONE_TIME | {"postgres"}
    assert all(compose["services"][part]["command"][0] == "airflow" for part in AIRFLOW_PARTS)
    airflow_pin = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)[1]
    assert {compose["services"][part]["image"].split(":")[1] for part in AIRFLOW_PARTS} == {airflow_pin}


def test_ports_are_open_on_this_machine_only(compose):
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_secret_has_a_default(compose):
    text = COMPOSE_FILE.read_text()
    used = re.findall(r"\$\{(\w+)(:?[-?+]?)", text)
    secrets = {name for name, _ in used if SECRET_NAME.search(name)}
    assert secrets >= {"KAW_PASSWORD", "KAW_ADMIN_PASSWORD", "KAW_AIRFLOW_PASSWORD", "AIRFLOW_FERNET_KEY"}
    for name in secrets:
        operators = {operator for found, operator in used if found == name}
        assert ":?" in operators, f"{name} may be left empty"
        assert operators <= {":?", ""}, f"{name} has a default"
    for service, name, value in environments(compose):
        if SECRET_NAME.search(name):
            assert re.match(r"\$\{\w+:\?", value), f"{service}: {name} is written out"
        for password in re.findall(r"://[^:/@]*:([^@]*)@", value):
            assert password.startswith("${"), f"{service}: {name} holds a password"


def test_no_secret_stands_on_a_command_line(compose):
    for name, service in compose["services"].items():
        told = json.dumps([service.get("command"), service.get("entrypoint"), service.get("healthcheck")])
        assert not re.search(r"PASSWORD|SECRET|_KEY", told), name


def test_example_environment_names_every_variable_and_no_secret_value():
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE_FILE.read_text()))
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", "\n".join(lines), re.MULTILINE))
    assert used <= set(given)
    assert {name for name, value in given.items() if value and SECRET_NAME.search(name)} == set()


def test_nothing_runs_as_root_or_can_become_it(compose):
    for name, service in compose["services"].items():
        assert service["user"].split(":")[0] not in ("", "0", "root"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert not [volume for volume in service["volumes"] if "docker.sock" in volume], name
    users = re.findall(r"^USER (\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert users
    assert users[-1].split(":")[0] not in ("0", "root")


def test_every_lasting_service_has_a_health_check_and_comes_back(compose):
    for name, service in compose["services"].items():
        if name in ONE_TIME:
            assert service["restart"].startswith("on-failure")
        else:
            assert service["healthcheck"]["test"][0].startswith("CMD"), name
            assert service["restart"] == "unless-stopped", name


def test_services_wait_for_a_database_that_answers(compose):
    for name in AIRFLOW_PARTS | ONE_TIME:
        assert compose["services"][name]["depends_on"]["postgres"]["condition"] == "service_healthy", name
    for name in AIRFLOW_PARTS:
        after = compose["services"][name]["depends_on"]
        assert after["airflow-init"]["condition"] == "service_completed_successfully", name


def test_all_state_lies_in_named_volumes(compose):
    named = set(compose["volumes"])
    for name, service in compose["services"].items():
        for volume in service["volumes"]:
            source, _, mode = volume.partition(":")[0], None, volume.rsplit(":", 1)[-1]
            assert source in named or mode == "ro", f"{name}: {volume}"


def test_image_installs_the_lock_file_with_hashes_and_takes_no_state_of_this_machine():
    text = DOCKERFILE.read_text()
    assert re.search(r"pip install .*--require-hashes -r \S*requirements\.lock", text)
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".env", ".git/*", ".kaw", ".venv"} <= ignored
    assert {"!.git/HEAD", "!.git/refs", "!.git/packed-refs"} <= ignored  # they name the commit


def test_nothing_can_be_written_but_state_and_passing_files(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert {entry.split(":")[0] for entry in service["tmpfs"]} <= {"/tmp", "/opt/airflow", "/var/run/postgresql"}, (
            name
        )


def test_the_database_is_reached_on_a_network_that_leads_nowhere_else(compose):
    assert compose["networks"]["data"] == {"internal": True}
    assert all("data" in service["networks"] for service in compose["services"].values())
    with_way_out = {name for name, service in compose["services"].items() if "outside" in service["networks"]}
    assert with_way_out == {"postgres", "airflow-api-server", "airflow-scheduler", "airflow-triggerer"}


def test_airflow_has_a_login_of_its_own(compose):
    logins = {
        name: set(re.findall(r"://([^:]+):", value))
        for _, name, value in environments(compose)
        if "@postgres:" in value
    }
    assert logins.pop("KAW_WAREHOUSE") == {"warehouse_gatekeeper"}
    assert {name.removeprefix("AIRFLOW__DATABASE__"): of for name, of in logins.items()} == {
        "SQL_ALCHEMY_CONN": {"warehouse_airflow"},
        "SQL_ALCHEMY_CONN_ASYNC": {"warehouse_airflow"},
        "KAW_SIMULATION": {"warehouse_simulation"},
    } | {f"KAW_LOGIN_{role.upper()}": {f"warehouse_{role}"} for role in LOGINS}


def test_containers_get_the_databases_of_the_embedded_server(fresh_home):
    """The script of the PostgreSQL image, run by the real psql on a server that has nothing yet."""
    running = embedded.ensure(fresh_home)
    with psycopg.connect(running.admin_url(), autocommit=True) as connection:
        for database in embedded.DATABASES:
            connection.execute(f"drop database {database}")
        connection.execute("drop role kaw")
    script = ROOT / "include" / "compose" / "databases.sql"
    done = subprocess.run(
        [
            Cluster(fresh_home.home).program("psql"),
            "--no-psqlrc",
            "--no-password",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            running.host,
            "-p",
            str(running.port),
            "-U",
            embedded.ADMIN,
            "-d",
            "postgres",
            "-f",
            script,
        ],
        env={"PATH": os.environ["PATH"], "PGPASSWORD": running.admin_password, "KAW_PASSWORD": running.password},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for database in embedded.DATABASES:
        with psycopg.connect(running.url(database)) as connection:
            connection.execute("create schema probe")
            assert connection.execute("show statement_timeout").fetchone() == ("20min",)


def test_first_start_makes_the_tables_of_airflow_its_user_and_the_warehouse_and_can_be_repeated(
    empty_database, tmp_path
):
    rest = empty_database.removeprefix("postgresql://")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{rest}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg://{rest}",
        "KAW_WAREHOUSE": empty_database,
        "KAW_AIRFLOW_USER": "keeper",
        "KAW_AIRFLOW_PASSWORD": "first",
    }
    command = [sys.executable, "-m", "include.compose.init_airflow"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    find = "select password from ab_user where username = 'keeper'"
    with psycopg.connect(empty_database) as connection:
        first = connection.execute(find).fetchone()[0]
        assert connection.execute("select count(*) from quality.migrations where version = 1").fetchone() == (1,)
        pools = dict(connection.execute("select pool, slots from slot_pool where pool <> 'default_pool'").fetchall())
    assert pools == {"sources": 3, "warehouse": 1}
    assert "first" not in first
    done = subprocess.run(
        command, env={**environment, "KAW_AIRFLOW_PASSWORD": "second"}, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(empty_database) as connection:
        assert connection.execute(find).fetchone()[0] != first


def compose_command() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    pytest.skip("docker-compose")


def test_docker_compose_reads_the_file_and_refuses_an_empty_secret():
    command = [*compose_command(), "--file", str(COMPOSE_FILE), "--env-file", os.devnull, "config", "--quiet"]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    filled = subprocess.run(command, env={**environment, **filled_in_environment()}, capture_output=True, text=True)
    assert (filled.returncode, filled.stderr) == (0, "")
    for name in filled_in_environment():
        lacking = {**environment, **filled_in_environment(), name: ""}
        refused = subprocess.run(command, env=lacking, capture_output=True, text=True)
        assert f"set {name} in .env" in refused.stderr, f"starts although {name} is empty"


def test_hadolint_has_nothing_to_say_about_the_dockerfile():
    if not shutil.which("hadolint"):
        pytest.skip("hadolint")
    done = subprocess.run(["hadolint", str(DOCKERFILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
