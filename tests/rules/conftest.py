"""A small clean utility, staged once, in which a test plants one fault and asks which rules break.

The world is the simulated utility (synthetic): 20 accounts, 8 days. It is landed and staged by dbt once a session; each
test works in a transaction that is rolled back, and re-stages what it touched with the SQL that dbt compiled.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from include.records.database import connect
from include.records.warehouse import Warehouse
from include.settings import SOURCE_NAMES
from tests.databases import copied, made_once
from tests.rules.staged import Staged

BUSINESS_DATE = date(2026, 11, 5)
DAYS = 8
ACCOUNTS = 20
TEMPLATE = "kaw_rules_template"
KEY = base64.b64encode(b"of tests: the same pseudonyms in each session").decode()


@pytest.fixture(scope="session")
def staged_template(server, session_home: Path, template: str) -> str:
    """Name of a database that holds the staged clean utility; made once a session."""
    with made_once(server, session_home, TEMPLATE, template) as unfinished:
        if unfinished:
            folder = session_home / "rules"
            land_and_stage(server.url(unfinished), folder)
    return TEMPLATE


@pytest.fixture(scope="session")
def staged_database(server, staged_template: str) -> Iterator[str]:
    """Address of this worker's own copy of the staged utility."""
    with copied(server, staged_template, "rules") as name:
        yield server.url(name)


@pytest.fixture
def own_copy(server, staged_template: str) -> Iterator[str]:
    """Address of a copy of this test alone, which may commit."""
    with copied(server, staged_template, "rules") as name:
        yield server.url(name)


@pytest.fixture(scope="session")
def staged_connection(staged_database: str) -> Iterator[psycopg.Connection]:
    """One session for all tests of this worker: the server knows its hundreds of relations and plans then."""
    with connect(staged_database) as connection:
        connection.prepared_max = None  # as many as there are rules
        connection.execute("set plan_cache_mode = force_generic_plan")
        # a plan stays for all tests: one for tables that no test has filled yet may loop over them for seconds (MET-63)
        connection.execute("set enable_nestloop = off")
        connection.commit()
        yield connection
        connection.rollback()


@pytest.fixture
def staged(staged_connection: psycopg.Connection, session_home: Path) -> Iterator[Staged]:
    yield Staged(staged_connection, BUSINESS_DATE, session_home / "rules" / "models.json")
    staged_connection.rollback()


def land_and_stage(
    url: str,
    folder: Path,
    *,
    day: date = BUSINESS_DATE,
    accounts: int = ACCOUNTS,
    days: int = DAYS,
    models: tuple[str, ...] = ("tag:seeds", "tag:staging"),
) -> None:
    """Lands the simulated utility of `days` to `day` and builds these models; their SQL is kept in models.json of `folder`."""
    from include.lab.simulator.deliver import write_deliveries
    from include.lab.utility import generate
    from include.transform.dbt import run_dbt
    from tests.compiled import compiled_models
    from tests.landing import land_source

    folder.mkdir(parents=True, exist_ok=True)
    write_deliveries(generate(day, accounts=accounts, days=days, seed=1), folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KAW_WAREHOUSE", url)
        environment.setenv("KAW_VAULT_KEY", KEY)
        for source in SOURCE_NAMES:
            environment.setenv(f"KAW_SOURCE_{source.upper()}", str(folder / source))
        for source in SOURCE_NAMES:
            assert {receipt.state for receipt in land_source(url, source, day)} == {"landed"}
    with connect(url, autocommit=True) as connection:
        connection.execute("insert into quality.runs (business_date) values (%s)", (day,))
        connection.execute(
            "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
            " select run_id, business_date, 'gate', 0, %s from quality.runs",
            (day - timedelta(days=days - 1),),
        )
    selected = ["--select", *models, "--resource-type", "seed", "--resource-type", "model"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KAW_HOME", str(folder))  # dbt's target is then no other test's
        run_dbt(["build", *selected], Warehouse(url))
        with connect(url, autocommit=True) as connection:
            connection.execute("analyze")
            database = connection.execute("select current_database()").fetchone()[0]
        models = compiled_models(database)
    compiled = [
        {"name": node["name"], "sql": node["sql"], "needs": node["depends_on"]["nodes"]}
        for node in models
        if node["schema"] == "staging"
    ]
    (folder / "models.json").write_text(json.dumps(compiled))
