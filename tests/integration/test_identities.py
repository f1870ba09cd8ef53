"""Who may do what: every role on every relation, as include/sql/grants.yml has it, tried from a login of that role."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from include import night
from include.errors import InfrastructureError
from include.landing.extract import LOADER
from include.local import identities as local
from include.local.server import Server
from include.records import grants, identities, locks, logins, runs
from include.records.database import SCHEMAS, connect
from include.records.fence import take_fence
from include.records.warehouse import Warehouse
from include.settings import Settings
from tests import databases
from tests.databases import with_logins
from tests.nights import SESSION_HOME
from tests.synthetic_marts import Night

FIRST, SECOND = date(2026, 7, 10), date(2026, 7, 11)
TRIED = {  # verb -> a statement that its right is asked for and that changes nothing where it is given
    "select": "select {column} from {relation} where false",
    "insert": "insert into {relation} default values",
    "update": "update {relation} set {column} = default where false",
    "delete": "delete from {relation} where false",
    "truncate": "truncate {relation}",
}


@pytest.fixture(scope="module")
def published_url(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("night")
    with databases.copied(server, template, "identities") as name:
        with pytest.MonkeyPatch.context() as environment:
            databases.give_ledger(SESSION_HOME, folder / "home")
            environment.setenv("KAW_HOME", str(folder / "home"))
            Night(server.url(name), folder).publish()
        yield server.url(name)


@pytest.fixture(scope="module")
def published(published_url: str) -> Warehouse:
    """A warehouse with published marts, by the logins of its roles; of all tests that are refused what they try."""
    return with_logins(published_url)


@pytest.fixture
def warehouse(database: str) -> Warehouse:
    """An empty warehouse by the logins of its roles."""
    return with_logins(database)


def relations(url: str) -> list[tuple[str, str, str, bool]]:
    """Schema, relation, a column and whether it is a published model's stored table, of all schemas of the warehouse."""
    with connect(url) as conn:
        return conn.execute(
            "select nspname, relname, (select quote_ident(attname) from pg_attribute where attrelid = pg_class.oid and attnum > 0"
            " and not attisdropped and attgenerated = '' and attidentity = '' order by attnum limit 1),"
            " nspname = 'publish' and exists (select 1 from publish.scopes where relation = relname)"
            " from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
            " where nspname = any(%s) and relkind in ('r', 'p', 'v', 'm') order by 1, 2",
            [list(SCHEMAS)],
        ).fetchall()


def allowed_of(conn: psycopg.Connection, statements: list[str]) -> list[str]:
    """Those of the statements that are not refused for lack of a right; nothing of them remains."""
    went: list[str] = []
    conn.add_notice_handler(lambda notice: went.append(notice.message_primary))
    quoted = ", ".join(sql.quote(statement) for statement in statements)
    conn.execute(
        f"do $do$ declare tried text; begin foreach tried in array array[{quoted}]::text[] loop"
        " begin execute tried; raise notice '%', tried; exception when insufficient_privilege or object_not_in_prerequisite_state"
        " or wrong_object_type or generated_always then null;"  # a view that nobody can write to, or that is no table
        " when others then raise notice '%', tried; end; end loop; end $do$"
    )
    conn.rollback()
    return went


def test_every_right_is_that_of_the_file_and_every_denial_is_met_by_a_login_of_the_role(
    published: Warehouse, published_url: str
):
    """What publish.protect grants by scope is tested in test_door.py, with the rows that it shows."""
    found = relations(published_url)
    is_mart = {(schema, relation): mart for schema, relation, _, mart in found}
    with connect(published_url) as conn:
        has: dict[tuple, set[str]] = {}
        for role, schema, relation, verb in conn.execute(
            "select role, nspname, relname, verb from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
            " cross join unnest(%s::text[]) as role cross join unnest(%s::text[]) as verb"
            " where nspname = any(%s) and relkind in ('r', 'p', 'v', 'm') and has_table_privilege(role, pg_class.oid, verb)",
            [list(grants.roles()), list(grants.VERBS), list(SCHEMAS)],
        ):
            has.setdefault((role, schema, relation), set()).add(verb)
    denials = 0
    for role in grants.roles().values():
        statements = []
        for schema, relation, column, _ in found:
            mart = is_mart[schema, relation]
            if schema in role.by_scope and (mart or schema == "marts") and relation != "publication":
                continue
            is_own = role.name == grants.TRANSFORMER and schema in grants.BUILT
            wanted = set(grants.VERBS) if is_own else role.verbs(schema, relation, mart)
            if not is_own:
                assert has.get((role.name, schema, relation), set()) == wanted, f"{role.name} on {schema}.{relation}"
            of_columns = role.columns(schema, relation)
            statements += [
                told.format(relation=f'{schema}."{relation}"', column=column)
                for verb, told in TRIED.items()
                if verb not in wanted and column not in of_columns.get(verb, ())
            ]
        denials += len(statements)
        if role.name in published.logins:
            with psycopg.connect(published.logins[role.name]) as conn:
                assert allowed_of(conn, statements) == [], role.name
    assert denials > 3000


@pytest.mark.parametrize("statement", ["set role kaw", "set session authorization kaw", "set role none; set role kaw"])
def test_no_login_becomes_the_owner(published: Warehouse, statement: str):
    for address in published.logins.values():
        with psycopg.connect(address) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)


def test_set_role_none_gains_nothing(published: Warehouse, published_url: str):
    """The login owns nothing and has no right that its group lacks."""
    found = relations(published_url)
    for name, address in published.logins.items():
        role = grants.roles()[name]
        with psycopg.connect(address) as conn:
            conn.execute("set role none")
            conn.execute("commit")
            statements = [
                TRIED[verb].format(relation=f'{schema}."{relation}"', column=column)
                for schema, relation, column, mart in found
                for verb in TRIED
                if verb not in role.verbs(schema, relation, mart)
                and column not in role.columns(schema, relation).get(verb, ())
                and not (name == grants.TRANSFORMER and schema in grants.BUILT)
            ]
            assert allowed_of(conn, statements) == [], name


OF_NO_ROLE = (
    "create table {schema}.x (a integer)",
    "create view {schema}.x as select 1 as a",
    "create function {schema}.x() returns integer language sql as 'select 1'",
)


def test_nobody_but_the_transformer_creates_relations(published: Warehouse):
    """The publisher not in marts or publish: their tables and views are made by a function of the owner."""
    for name, address in published.logins.items():
        creating = grants.roles()[name].create
        statements = [each.format(schema=s) for s in (*SCHEMAS, "public") if s not in creating for each in OF_NO_ROLE]
        with psycopg.connect(address) as conn:
            assert allowed_of(conn, statements) == [], name


def test_no_login_ends_the_session_of_another(published: Warehouse):
    with published.as_role(LOADER).connect() as other:
        pid = other.info.backend_pid
        for name, address in published.logins.items():
            if name != LOADER:
                with psycopg.connect(address) as conn:
                    ends = [f"select pg_{how}_backend({pid})" for how in ("terminate", "cancel")]
                    assert allowed_of(conn, ends) == [], name
        assert other.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("kaw_loader", "select quality.take_fence('build_warehouse')"),
        ("kaw_publisher", "select quality.take_fence('build_warehouse')"),
        ("kaw_loader", "select quality.begin_run('2026-07-10', '')"),
        ("kaw_auditor", "select quality.put_out('kaw')"),
        ("kaw_gatekeeper", "select quality.put_out('kaw')"),
        ("kaw_gatekeeper", "select publish.ensure_mart('{}')"),
        ("kaw_publisher", """select publish.ensure_mart('{"name": "pointer", "relation": ["candidate", "x"]}')"""),
        ("kaw_publisher", """select publish.ensure_mart('{"name": "x", "relation": ["quality", "rejected_rows"]}')"""),
        ("kaw_approver", "select publish.drop_logins_of_who_left()"),
    ],
)
def test_a_function_of_the_owner_is_called_by_its_role_alone(published: Warehouse, role: str, statement: str):
    with published.as_role(role).connect() as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


# -- homes, and servers of one's own


@pytest.fixture
def home(tmp_path: Path, database: str) -> Settings:
    return Settings(home=tmp_path / "home", warehouse=database)


def test_a_home_keeps_the_passwords_of_the_logins_for_its_owner_alone(home: Settings, database: str):
    found = local.opened(home)
    kept = home.home / "logins.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.home.stat().st_mode) == 0o700
    name = logins.database_of(database)
    for group, address in found.logins.items():
        with psycopg.connect(address) as conn:
            assert conn.execute("select session_user::text, current_user::text").fetchone() == (
                f"{name}_{group.removeprefix('kaw_')}",
                group,
            )
    assert local.opened(home).logins == found.logins
    assert local.looked_at(home).logins == found.logins
    told = local.environment_of(found)
    assert not [value for value in told.values() if "//kaw:" in value]  # the owner's


def test_another_home_is_told_to_take_the_passwords_or_to_give_others(home: Settings, tmp_path: Path):
    first = local.opened(home)
    other = Settings(home=tmp_path / "other", warehouse=home.warehouse)
    with pytest.raises(InfrastructureError, match=r"another home made it(?s:.*)\./kaw logins --new-passwords"):
        local.opened(other)
    local.renew(other)
    second = local.opened(other)
    with second.as_role(LOADER).connect() as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password"), first.as_role(LOADER).connect():
        pass


def test_airflow_and_the_simulated_sources_have_databases_and_logins_of_their_own(home: Settings, database: str):
    local.opened(home)
    name = logins.database_of(database)
    for role, of in (("airflow", "airflow"), ("simulation", "sim_contract")):
        address = local.own_database(home, role, of)
        assert logins.database_of(address) == f"{name}_{of}"
        with psycopg.connect(address) as conn:
            conn.execute("create table public.x (a integer)")
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            psycopg.connect(logins.address_for(address, *identities.user_of(address), database=name)) as conn,
        ):
            conn.execute("select * from quality.runs")


def test_what_the_owner_had_in_airflows_database_is_handed_over(home: Settings, database: str):
    local.opened(home)
    name = f"{logins.database_of(database)}_airflow"
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"create database {name}")
    of_owner = logins.address_for(database, *identities.user_of(database), database=name)
    with psycopg.connect(of_owner) as conn:
        conn.execute("create type mood as enum ('good'); create table dag (id serial primary key, m mood)")
    with psycopg.connect(local.own_database(home, "airflow", "airflow")) as conn:
        conn.execute(
            "insert into dag (m) values ('good'); alter table dag add column b text; alter type mood add value 'bad'"
        )


def test_an_owner_who_may_make_no_roles_is_told_what_to_have_run(server: Server, empty_database: str, tmp_path: Path):
    """And goes on once somebody who may has run it."""
    name = logins.database_of(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute(f"create role {name}_owner login password 'x'; grant {name}_owner to current_user")
        conn.execute(f"alter database {name} owner to {name}_owner")
    given = Settings(tmp_path / "home", logins.address_for(empty_database, f"{name}_owner", "x"))
    with pytest.raises(InfrastructureError, match="may not make them") as told:
        local.opened(given)
    statements = [line.strip() for line in told.value.what.splitlines() if line.endswith(";")]
    assert len(statements) > 30
    assert told.value.exit_code == 3
    with psycopg.connect(
        logins.address_for(server.admin_url(), *identities.user_of(server.admin_url()), database=name)
    ) as conn:
        for statement in statements:
            conn.execute(statement)
    found = local.opened(given)
    for address in found.logins.values():
        with psycopg.connect(address) as conn:
            assert conn.execute("select count(*) from quality.withheld").fetchone() == (0,)
    night.begin_run(found, FIRST)


# -- attempts that stopped


def begun(url: str) -> tuple[date, int]:
    with connect(url) as conn:
        return conn.execute(
            "select business_date, (select count(*)::integer from quality.runs) from quality.current_run"
        ).fetchone()


PAUSED = """
import os, signal, sys
from datetime import date
from include import night
from include.errors import InfrastructureError
from include.records import locks, runs
from include.records.warehouse import Warehouse

locks.SILENCE_S, where = 1, sys.argv[2]
def stop(*_):
    print("stopped", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    return ""
if where == "before it takes the fence":
    night.withdrawals.settle = stop
else:
    began = runs.psycopg.Connection.commit
    def commit(connection):
        if connection.info.transaction_status == runs.psycopg.pq.TransactionStatus.INTRANS:
            stop()
        began(connection)
    runs.psycopg.Connection.commit = commit
try:
    night.begin_run(Warehouse(sys.argv[1]), date(2026, 7, 10))
except InfrastructureError as error:
    print(error.what)
    sys.exit(3)
"""


@pytest.mark.parametrize("where", ["before it takes the fence", "before it commits"])
def test_an_attempt_that_stopped_inside_begin_run_holds_nobody_up_and_moves_nothing(
    warehouse: Warehouse, database: str, where: str
):
    paused = subprocess.Popen(
        [sys.executable, "-c", PAUSED, warehouse.address, where], stdout=subprocess.PIPE, text=True
    )
    try:
        assert paused.stdout.readline() == "stopped\n"
        deadline = time.monotonic() + 10
        while psutil.Process(paused.pid).status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        started = time.monotonic()
        run = night.begin_run(warehouse, SECOND)
        assert time.monotonic() - started < 10
        paused.send_signal(signal.SIGCONT)
        said, _ = paused.communicate(timeout=60)
        assert (paused.returncode, said.strip()) == (3, STOPPED)
    finally:
        paused.kill()
        paused.wait()
    assert begun(database) == (SECOND, 1)
    assert run["fence"] == "build_warehouse:1"


STOPPED = (
    "This attempt stopped for too long while it began: it has lost the lock of the night, and nothing was changed."
)


def test_what_an_earlier_attempt_left_in_a_transaction_is_put_out(warehouse: Warehouse, database: str):
    """A step of it that stopped: the fence's row is locked by it, and so is a table."""
    first = night.begin_run(warehouse, FIRST)
    with warehouse.fenced(first["fence"]).as_role("kaw_publisher").connect() as stopped:
        stopped.execute("select quality.assert_fence()")
        started = time.monotonic()
        night.begin_run(warehouse, SECOND)
        assert time.monotonic() - started < 10
        with pytest.raises(psycopg.OperationalError):
            stopped.execute("update publish.pointer set version = version")
    assert begun(database) == (SECOND, 2)


def test_a_landing_that_stopped_gives_its_table_up_and_one_at_work_keeps_it(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(locks, "TABLE_PATIENCE", "1s")
    loader = warehouse.as_role(LOADER)
    of_first = loader.fenced(take_fence(loader, f"extract_metering_{FIRST}"))
    of_second = loader.fenced(take_fence(loader, f"extract_metering_{SECOND}"))
    with of_first.connect() as first, of_second.connect() as second:
        locks.hold_table(first, "land met_meter")
        with locks.alive(of_first):
            assert second.execute("select quality.put_out_silent()").fetchone() == (0,)
            second.rollback()
            assert first.execute("select 1").fetchone() == (1,)
        with of_second.connect() as third, locks.alive(of_second):
            locks.hold_table(third, "land met_meter")
        with pytest.raises(psycopg.OperationalError):
            first.execute("select 1")


def test_whoever_lost_the_lock_of_the_night_is_told(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch):
    """As a process is that stopped: it says nothing for longer than the server waits."""
    monkeypatch.setattr(locks, "SILENCE_S", 1)
    monkeypatch.setattr(locks, "BEAT_S", 60)
    with runs.alone(warehouse.address) as holder:
        time.sleep(1.5)
        night.begin_run(warehouse, SECOND)
        with pytest.raises(InfrastructureError, match="lost the lock of the night"):
            runs.begin(holder, FIRST)
