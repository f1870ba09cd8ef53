"""The door for readers: real logins, refused whatever is not theirs; an account manager sees the own accounts and no other."""

from __future__ import annotations

import contextlib
import json
import stat
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from include.errors import InfrastructureError, UsageError
from include.local import cli, door, server
from include.local.run import only_one
from include.publish import release, rollback
from include.records import identities, logins, runs
from include.records.database import connect
from include.records.migrations import grant_again, migrate
from include.records.warehouse import Warehouse
from include.settings import LOGINS, Settings, settings
from tests import databases
from tests.synthetic_marts import ENERGY, HEALTH, JULY, JUNE, Night, model

BRIDGE = model(
    "bridge_account_managers",
    {"account_no": "text", "manager_no": "text", "assign_role_code": "text", "valid_from": "date", "valid_to": "date"},
    {"grain": ["account_no", "manager_no", "assign_role_code", "valid_from"], "scope": "account"},
)
MANAGERS = model(
    "dim_managers",
    {"manager_no": "text", "valid_from": "date", "valid_to": "date", "org_no": "text", "left_date": "date"},
    {"grain": ["manager_no", "valid_from"], "scope": "manager"},
)
OFFICES = model("mart_offices", {"org_no": "text", "rows": "integer"}, {"grain": ["org_no"], "scope": "organisation"})
CATALOG = model("mart_catalog", {"table_name": "text"}, {"grain": ["table_name"], "scope": "shared"})
CLERKS = model("mart_clerks", {"clerk_no": "text"}, {"grain": ["clerk_no"], "scope": "none"})


def scoped(described: dict, scope: str) -> dict:
    return described | {"config": {"meta": described["config"]["meta"] | {"scope": scope}}}


class Managed(Night):
    """A1 and A2 are of the manager M1, A3 of M2; M2 is backup for A1. M1 is of organisation 11, M2 of 12."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.describe(scoped(ENERGY, "account"), scoped(HEALTH, "account"), BRIDGE, MANAGERS, OFFICES, CATALOG, CLERKS)
        self.execute("""
            create table candidate.bridge_account_managers (
                account_no text, manager_no text, assign_role_code text, valid_from date, valid_to date
            );
            create table candidate.dim_managers (
                manager_no text, valid_from date, valid_to date, org_no text, left_date date
            );
            create table candidate.mart_offices (org_no text, rows integer);
            create table candidate.mart_catalog (table_name text);
            create table candidate.mart_clerks (clerk_no text);
            insert into candidate.bridge_account_managers values
                ('A1', 'M1', 'PRIMARY', '2026-01-01', null), ('A2', 'M1', 'PRIMARY', '2026-01-01', null),
                ('A3', 'M2', 'PRIMARY', '2026-01-01', null), ('A1', 'M2', 'BACKUP', '2026-01-01', null),
                ('A3', 'M1', 'PRIMARY', '2025-01-01', '2026-01-01');
            insert into candidate.dim_managers values
                ('M1', '2026-01-01', null, '11', null), ('M2', '2026-01-01', null, '12', null);
            insert into candidate.mart_offices values ('11', 1), ('12', 2);
            insert into candidate.mart_catalog values ('met_meter');
            insert into candidate.mart_clerks values ('C1');
        """)


@pytest.fixture
def given(fresh_home: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home of its own whose warehouse is the test's database."""
    monkeypatch.setenv("KAW_WAREHOUSE", database)
    return settings()


@pytest.fixture
def night(given: Settings, database: str, tmp_path: Path):
    """Published once. Logins belong to the server, so they are dropped with the test."""
    made = Managed(database, tmp_path)
    made.publish()
    yield made
    with psycopg.connect(database, autocommit=True) as conn:
        name = logins.database_of(database)
        for login in (f"{name}_bi_reader", f"{name}_manager_M1", f"{name}_manager_M2"):
            logins.drop(conn, login)


@pytest.fixture
def reader(night: Night, given: Settings) -> str:
    return door.open_for_readers(night.warehouse, given).url


def asked(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(query)
        return cursor.fetchall() if cursor.description else []


def accounts_seen(url: str, relation: str = "marts.mart_energy") -> set[str]:
    return {number for (number,) in asked(url, f"select distinct account_no from {relation}")}


def test_the_readers_login_reads_marts_with_limits_of_its_own(reader: str, given: Settings, database: str) -> None:
    assert asked(reader, "select count(*) from mart_energy") == [(6,)]  # its search path is marts
    limits = [asked(reader, f"show {name}")[0][0] for name in ("statement_timeout", "default_transaction_read_only")]
    assert limits == ["30s", "on"]
    assert asked(
        reader, "select rolsuper, rolcreaterole, rolcreatedb, rolconnlimit from pg_roles where rolname = user"
    ) == [(False, False, False, 20)]
    assert asked(reader, "select current_user")[0][0] == f"{logins.database_of(database)}_bi_reader"
    held = given.home / "bi.json"
    assert stat.S_IMODE(held.stat().st_mode) == 0o600
    assert psycopg.conninfo.conninfo_to_dict(reader)["password"] in held.read_text()


REFUSED = (
    "select * from raw_marketing.mkt_contact",
    "select * from staging.stg_marketing__bills",
    "select * from quality.runs",
    "select * from warehouse.dim_months",
    "select * from candidate.mart_energy",
    "select * from transform.builds",
    "create table vault.x (a integer)",
    "update publish.pointer set version = 1",
    "delete from publish.mart_energy",
    "insert into publish.manager_logins values (current_user, 'M1')",
    "create table marts.x (a integer)",
    "create table public.x (a integer)",
    "create role another login",
    "set role kaw",
    "set role kaw_bi_reader",
    "set session authorization kaw",
    "copy (select 1) to '/tmp/x'",
    "select pg_read_file('/etc/hosts')",
)


def test_the_readers_login_is_refused_what_is_not_its_own_even_when_it_may_write(reader: str) -> None:
    with psycopg.connect(reader, autocommit=True) as conn:
        conn.execute("set default_transaction_read_only = off")
        for statement in REFUSED:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


ADVISORY = ("night", "run", "publish", "ledger", "report", "migrate")
LOCKS = (
    "lock table quality.night_lock in exclusive mode",
    "lock table quality.run_lock in share mode",
    "select * from quality.locks for update",
    "lock table publish.pointer in exclusive mode",
)


def test_no_reader_can_hold_what_a_night_waits_for(night: Night, given: Settings) -> None:
    """Every advisory lock that a night ever took is held by a reader meanwhile."""
    manager = door.open_for_manager(night.warehouse, given, "M1")[0].url
    for url in (door.open_for_readers(night.warehouse, given).url, manager):
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("set default_transaction_read_only = off")
            for name in ADVISORY:
                conn.execute("select pg_advisory_lock(hashtext('kaw ' || %s))", [name])
            for statement in LOCKS:
                with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                    conn.execute(statement)
            with only_one(night.url), runs.alone(night.url):
                night.publish()


def test_the_lock_of_a_night_is_let_go_by_who_dies_and_holds_no_vacuum_back(database: str) -> None:
    held = contextlib.ExitStack()
    held.enter_context(runs.alone(database))
    held.enter_context(only_one(database))
    with psycopg.connect(database, autocommit=True) as other:
        holders = other.execute(
            "select pid, state, backend_xid, backend_xmin from pg_stat_activity inner join pg_locks using (pid)"
            " where relation in ('quality.night_lock'::regclass, 'quality.run_lock'::regclass)"
        ).fetchall()
        assert [holder[1:] for holder in holders] == [("idle in transaction", None, None)] * 2
        other.execute("set lock_timeout = '1s'")
        other.execute("analyze")  # as a night does of its own tables
        with (
            pytest.raises(InfrastructureError, match="Another night is at work in this warehouse"),
            runs.alone(database),
        ):
            pass
        with pytest.raises(InfrastructureError, match="kaw run is at work"), only_one(database):
            pass
        for pid, *_ in holders:
            other.execute("select pg_terminate_backend(%s, 5000)", [pid])
        with runs.alone(database), only_one(database):
            pass
    with pytest.raises(psycopg.OperationalError):  # the one who died
        held.close()


def test_the_readers_login_is_refused_a_write_a_long_query_and_one_connection_too_many(
    night: Night, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "READER_CONNECTIONS", 2)
    monkeypatch.setitem(logins.SETTINGS, "statement_timeout", "300ms")
    url = door.open_for_readers(night.warehouse, given).url
    with contextlib.ExitStack() as held:
        conn = held.enter_context(psycopg.connect(url, autocommit=True))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("create temporary table x (a integer)")
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            conn.execute("select pg_sleep(2)")
        held.enter_context(psycopg.connect(url))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(url)


def test_the_door_closes_for_who_is_in_and_opens_again_with_the_same_password(
    reader: str, night: Night, given: Settings
) -> None:
    manager = door.open_for_manager(night.warehouse, given, "M1")[0].url
    inside = psycopg.connect(reader, autocommit=True)
    assert door.is_open(given)
    assert door.close(given)
    assert not door.is_open(given)
    with pytest.raises(psycopg.OperationalError):
        inside.execute("select 1")
    for url in (reader, manager):
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            psycopg.connect(url)
    assert not door.close(given)
    assert door.open_for_readers(night.warehouse, given).url == reader
    assert asked(reader, "select 1") == [(1,)]


def test_a_kill_before_the_login_is_ready_leaves_a_door_that_down_closes(
    night: Night, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(logins, "let_in", killed)
        with pytest.raises(KeyboardInterrupt):
            door.open_for_readers(night.warehouse, given)
    assert door.is_open(given)
    assert door.close(given)


def test_a_login_that_holds_all_its_connections_is_shown_and_not_made_anew(
    reader: str, night: Night, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "READER_CONNECTIONS", 1)
    assert door.open_for_readers(night.warehouse, given).url == reader
    monkeypatch.setattr(logins, "make", None)
    with psycopg.connect(reader):
        assert door.open_for_readers(night.warehouse, given).url == reader


def test_another_home_does_not_take_the_password_away_unless_asked(
    reader: str, night: Night, given: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "another home"))
    assert cli.main(["bi", "--no-superset"]) == 3
    assert "another home made it" in capsys.readouterr().err
    assert asked(reader, "select 1") == [(1,)]
    assert not door.is_open(settings())
    assert cli.main(["bi", "--no-superset", "--json", "--new-password"]) == 0
    taken = json.loads(capsys.readouterr().out)["url"]
    assert taken != reader
    assert asked(taken, "select 1") == [(1,)]
    monkeypatch.setenv("KAW_HOME", str(given.home))
    assert cli.main(["bi", "--no-superset"]) == 3  # it has another password by now
    assert asked(taken, "select 1") == [(1,)]


def test_sessions_that_may_not_be_ended_and_a_silent_warehouse_are_told(
    reader: str, night: Night, given: Settings, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    login = f'"{logins.database_of(night.url)}_bi_reader"'
    night.execute(f"revoke {login} from kaw")  # as where somebody else made the login
    with psycopg.connect(reader):
        assert cli.main(["down"]) == 3
    night.execute(f"grant {login} to kaw with inherit true")
    assert "1 that came in before may not be put out" in capsys.readouterr().err
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(reader)
    monkeypatch.setenv("KAW_WAREHOUSE", "postgresql://kaw:secret@127.0.0.1:1/nowhere")
    with door._state(settings()) as doors:
        doors["127.0.0.1:1/nowhere"] = {"is_open": True, "logins": {"nowhere_bi_reader": "secret"}}
    assert cli.main(["down", "--purge"]) == 3
    said = capsys.readouterr().err
    assert "The door for readers is not closed" in said
    assert 'alter role "nowhere_bi_reader" nologin;' in said
    assert not given.home.exists()


def test_a_reader_of_one_warehouse_sees_nothing_of_another_on_the_same_server(
    night: Night, reader: str, given: Settings, server: server.Server, template: str
) -> None:
    """Their groups are one; also where the other was opened by an earlier version, which let the whole group in."""
    manager = door.open_for_manager(night.warehouse, given, "M1")[0].url
    with databases.copied(server, template, "beside") as beside:
        with psycopg.connect(server.url(beside)) as conn:
            conn.execute("grant usage on schema marts, publish to kaw_bi_reader, kaw_account_manager")
            grant_again(conn)
        for url in (reader, manager):
            there = urlunsplit(urlsplit(url)._replace(path=f"/{beside}"))
            for statement in ("select * from marts.publication", "select * from publish.pointer"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for schema"):
                    asked(there, statement)
                asked(url, statement)


def test_an_embedded_server_stays_up_behind_an_open_door(fresh_home: Settings, capsys) -> None:
    from include.local.cli.access import writing

    with writing(must_exist=False):
        pass
    assert not server.is_running()
    assert cli.main(["bi", "--no-superset", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["host"], told["database"], told["login"]) == ("127.0.0.1", "warehouse", "warehouse_bi_reader")
    assert sorted(told["snippets"]) == ["DuckDB", "Metabase", "Power BI", "Superset", "notebook", "psql"]
    assert cli.main(["status"]) == 0
    assert server.is_running()
    assert asked(told["url"], "select count(*) from marts.publication") == [(0,)]
    assert cli.main(["down"]) == 0
    assert "The door for readers is closed." in capsys.readouterr().out
    assert not server.is_running()
    assert cli.main(["down", "--purge"]) == 0
    assert not fresh_home.home.exists()


def test_the_notebooks_lines_run_as_they_are_printed(night: Night, given: Settings) -> None:
    opened = door.open_for_readers(night.warehouse, given)
    lines = door.snippets(opened)["notebook"].splitlines()
    names: dict = {}
    exec("\n".join([*lines[:-1], f"frame = {lines[-1]}"]), names)  # what a person copies
    assert len(names["frame"]) == 2
    names["engine"].dispose()


def test_where_roles_may_not_be_made_the_statements_are_told(
    night: Night, given: Settings, server: server.Server, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Somebody who may runs what was printed, and the same command then succeeds."""
    with psycopg.connect(server.admin_url(), autocommit=True) as conn:
        name = logins.database_of(night.url)
        conn.execute("drop role if exists lowly")
        conn.execute("create role lowly login password 'secret' in role kaw")
        try:
            monkeypatch.setenv("KAW_WAREHOUSE", logins.address_for(night.url, "lowly", "secret"))
            assert cli.main(["bi", "--no-superset"]) == 3
            said = capsys.readouterr().err
            statements = [line.strip() for line in said.splitlines() if line.startswith("  ")]
            assert statements[0].startswith(f'create role "{name}_bi_reader" login password \'SCRAM-SHA-256$')
            assert "have them run in this database" in said
            with psycopg.connect(server.admin_url(name), autocommit=True) as admin:
                for statement in statements:
                    admin.execute(statement)
            assert cli.main(["bi", "--no-superset"]) == 0
        finally:
            with psycopg.connect(server.admin_url(name), autocommit=True) as admin:
                logins.drop(admin, f"{name}_bi_reader")
            conn.execute("drop role lowly")


def test_a_manager_sees_the_own_accounts_in_every_relation_and_no_other(night: Night, given: Settings) -> None:
    first, second = (door.open_for_manager(night.warehouse, given, number) for number in ("M1", "M2"))
    assert (first[1], second[1]) == (2, 1)
    for relation in ("marts.mart_energy", "marts.mart_energy_at_close", "publish.mart_energy", "marts.mart_health"):
        own = set() if relation.endswith("close") else None
        assert accounts_seen(first[0].url, relation) in ({"A1", "A2"}, own), relation
        assert accounts_seen(second[0].url, relation) in ({"A3"}, own), relation
    assert accounts_seen(first[0].url) == {"A1", "A2"}
    assert accounts_seen(second[0].url, "marts.bridge_account_managers") == {"A3"}
    assert asked(second[0].url, "select manager_no from marts.dim_managers") == [("M2",)]
    assert asked(second[0].url, "select org_no, rows from marts.mart_offices") == [("12", 2)]
    assert asked(second[0].url, "select table_name from marts.mart_catalog") == [("met_meter",)]
    assert asked(second[0].url, "select manager_no, account_no from publish.manager_accounts") == [("M2", "A3")]
    assert len(asked(second[0].url, "select * from marts.publication")) == 2
    for statement in (
        "select * from marts.mart_clerks",
        "select * from publish.mart_clerks",
        "set role kaw_account_manager",
        "set role kaw_bi_reader",
        "select * from publish.versions",
        "update publish.manager_logins set manager_no = 'M1'",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            asked(second[0].url, statement)


def test_the_closing_version_of_a_month_is_cut_to_the_manager_too(night: Night, given: Settings) -> None:
    night.fill(2, [JUNE, JULY])
    night.publish(date(2026, 8, 1))
    url = door.open_for_manager(night.warehouse, given, "M2")[0].url
    assert accounts_seen(url, "marts.mart_energy_at_close") == {"A3"}


def test_a_group_of_readers_beside_it_does_not_widen_what_a_manager_sees(night: Night, given: Settings) -> None:
    opened = door.open_for_manager(night.warehouse, given, "M2")[0]
    night.execute(f'grant kaw_bi_reader to "{opened.login}"')
    assert accounts_seen(opened.url) == {"A3"}


def test_what_a_manager_sees_follows_publish_rebuild_and_roll_back(night: Night, given: Settings) -> None:
    """The candidates are made anew, as dbt does it; A2 goes from M1 to M2 on 11 July."""
    url = door.open_for_manager(night.warehouse, given, "M2")[0].url
    night.execute("""
        create table candidate.again (like candidate.mart_energy);
        insert into candidate.again select * from candidate.mart_energy;
        drop table candidate.mart_energy;
        alter table candidate.again rename to mart_energy;
        update candidate.bridge_account_managers set valid_to = '2026-07-11' where account_no = 'A2';
        insert into candidate.bridge_account_managers values ('A2', 'M2', 'PRIMARY', '2026-07-11', null);
    """)
    night.publish(date(2026, 7, 10))
    assert accounts_seen(url) == {"A3"}  # not yet on the published date
    night.publish(date(2026, 7, 11))
    assert accounts_seen(url) == {"A2", "A3"}  # in all published months
    assert asked(url, "select distinct month from marts.mart_energy where account_no = 'A2' order by 1") == [
        (JUNE,),
        (JULY,),
    ]
    night.fill(2, [JUNE, JULY])
    night.execute("delete from candidate.bridge_account_managers where account_no = 'A3' and manager_no = 'M2'")
    night.publish(date(2026, 7, 12))
    assert accounts_seen(url) == {"A2"}
    rollback(night.warehouse, approver="the approver", reason="tried")
    assert accounts_seen(url) == {"A2", "A3"}
    release(night.warehouse, approver="the approver", reason="tried")
    assert accounts_seen(url) == {"A2", "A3"}


def test_twenty_managers_see_no_foreign_row_through_rebuild_publish_roll_back_and_migration(
    night: Night, given: Settings, database: str
) -> None:
    """Also of a relation that is published for the first time while they have their logins."""
    numbers = range(1, 21)
    night.execute("delete from candidate.bridge_account_managers; delete from candidate.dim_managers")
    for number in numbers:
        night.execute(
            f"insert into candidate.bridge_account_managers values ('A{number}', 'M{number}', 'PRIMARY', '2026-01-01', null);"
            f" insert into candidate.dim_managers values ('M{number}', '2026-01-01', null, '11', null)"
        )
    night.fill(1, [JUNE, JULY], accounts=20)
    night.publish()
    night.publish(date(2026, 7, 11))
    urls = {number: door.open_for_manager(night.warehouse, given, f"M{number}")[0].url for number in numbers}

    def foreign(*relations: str) -> dict[int, set[str]]:
        """Manager -> accounts of others that the login sees in any of the relations; each must see its own."""
        found = {}
        for number, url in urls.items():
            with psycopg.connect(url) as conn:
                for relation in relations:
                    seen = {a for (a,) in conn.execute(f"select distinct account_no from {relation}")}
                    assert f"A{number}" in seen, (relation, number)
                    if others := seen - {f"A{number}"}:
                        found.setdefault(number, set()).update(others)
        return found

    relations = [f"{schema}.{name}" for schema in ("marts", "publish") for name in ("mart_energy", "mart_health")]
    relations += ["marts.bridge_account_managers", "publish.bridge_account_managers"]
    assert foreign(*relations) == {}
    night.execute("""
        create table candidate.again (like candidate.mart_energy);
        insert into candidate.again select account_no, month, 2, load_factor, load_id from candidate.mart_energy;
        drop table candidate.mart_energy;
        alter table candidate.again rename to mart_energy;
        create table candidate.mart_later as select * from candidate.mart_health;
    """)
    later = model("mart_later", {"account_no": "text", "score": "integer"}, {"grain": ["account_no"]})
    night.describe(
        *(scoped(each, "account") for each in (ENERGY, HEALTH, later)), BRIDGE, MANAGERS, OFFICES, CATALOG, CLERKS
    )
    night.publish(date(2026, 7, 12))
    relations += ["marts.mart_later", "publish.mart_later"]
    assert foreign(*relations) == {}
    with connect(database) as conn:  # all that can be applied again is
        conn.execute("delete from quality.migrations where version is null")
    assert "grants.yml" in migrate(Warehouse(database))
    assert foreign(*relations) == {}
    rollback(night.warehouse, approver="the approver", reason="tried")
    assert foreign(*[name for name in relations if "later" not in name]) == {}
    with psycopg.connect(database, autocommit=True) as conn:
        for number in numbers:
            logins.drop(conn, f"{logins.database_of(database)}_manager_M{number}")


def test_a_manager_who_left_loses_the_login_at_the_next_publish(night: Night, given: Settings) -> None:
    stays = door.open_for_manager(night.warehouse, given, "M1")[0]
    leaves = door.open_for_manager(night.warehouse, given, "M2")[0]
    night.execute("update candidate.dim_managers set left_date = '2026-07-11' where manager_no = 'M2'")
    night.publish(date(2026, 7, 10))
    assert accounts_seen(leaves.url) == {"A3"}
    night.publish(date(2026, 7, 11))
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(leaves.url)
    assert accounts_seen(stays.url) == {"A1", "A2"}
    assert night.execute("select login from publish.manager_logins") == [(stays.login,)]
    with pytest.raises(UsageError, match="No manager M2 is at work"):
        door.open_for_manager(night.warehouse, given, "M2")


def test_a_login_with_large_objects_can_be_dropped_and_one_that_is_nobodys_is(
    night: Night, given: Settings, server: server.Server, template: str
) -> None:
    """What it made in another database keeps it from being dropped: it cannot log in, and each publish tries again."""
    url = door.open_for_manager(night.warehouse, given, "M2")[0].url
    name = logins.database_of(night.url)
    with databases.copied(server, template, "beside") as beside:
        for database in (name, beside):
            with psycopg.connect(urlunsplit(urlsplit(url)._replace(path=f"/{database}"))) as conn:
                conn.execute("set transaction read write")
                conn.execute("select lo_from_bytea(0, 'mine')")
        with pytest.raises(InfrastructureError, match=f"in database {beside}"):
            door.revoke_manager(night.warehouse, given, "M2")
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            psycopg.connect(url)
        assert list(logins.drop_who_left(night.warehouse)) == [f"{name}_manager_M2"]
        with psycopg.connect(server.url(beside)) as conn:
            conn.execute(f'drop owned by "{name}_manager_M2"')
    assert night.execute("select * from publish.manager_logins") == []
    night.publish(date(2026, 7, 11))  # sweeps it
    assert night.execute(f"select 1 from pg_roles where rolname = '{name}_manager_M2'") == []


def test_a_month_after_the_business_date_takes_no_account_away(night: Night, given: Settings) -> None:
    url = door.open_for_manager(night.warehouse, given, "M2")[0].url
    night.fill(2, [JUNE, JULY, date(2026, 9, 1)])
    night.publish(date(2026, 7, 11))
    assert accounts_seen(url) == {"A3"}


def test_a_login_that_may_not_be_dropped_sees_nothing(night: Night, given: Settings, server: server.Server) -> None:
    leaves = door.open_for_manager(night.warehouse, given, "M2")[0]
    night.execute("update candidate.dim_managers set left_date = '2026-07-11' where manager_no = 'M2'")
    name = urlsplit(leaves.url).username
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(f'create database "{name}_own" owner "{name}"')  # a role that owns something elsewhere stays
    night.publish(date(2026, 7, 11))
    assert night.execute("select rolcanlogin from pg_roles where rolname = %s", [name]) == [(False,)]
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(leaves.url)
    assert night.execute("select * from publish.manager_accounts where manager_no = 'M2'") == []
    with psycopg.connect(server.admin_url(), autocommit=True) as admin:
        admin.execute(f'drop database "{name}_own"')


def test_where_no_manager_is_published_no_login_is_taken_away(night: Night, given: Settings) -> None:
    """A night without the dimension would otherwise lock everybody out."""
    opened = door.open_for_manager(night.warehouse, given, "M1")[0]
    night.execute("truncate candidate.dim_managers")
    night.publish(date(2026, 7, 11))
    assert accounts_seen(opened.url) == set()


def test_a_managers_login_is_shown_again_and_revoked(night: Night, given: Settings, capsys) -> None:
    assert cli.main(["bi", "manager", "M1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["manager_no"], told["accounts"]) == ("M1", 2)
    assert cli.main(["bi", "manager", "M1"]) == 0
    shown = capsys.readouterr().out
    assert told["url"] in shown
    assert "the rows of the 2 accounts that M1 is primary manager of" in shown
    assert cli.main(["bi", "manager", "M1", "--revoke"]) == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(told["url"])
    assert cli.main(["bi", "manager", "M1", "--revoke"]) == 2
    assert cli.main(["bi", "manager", "M9"]) == 2
    assert "M1 (2), M2 (1)" in capsys.readouterr().err


CANARIES = (
    (
        "create view marts.canary as select * from publish.mart_energy",
        "marts.canary",
        "a view without security_invoker",
    ),
    (
        "create view marts.canary with (security_invoker = false) as select * from publish.mart_energy",
        "marts.canary",
        "a view without security_invoker",
    ),
    (
        "create materialized view marts.canary as select * from publish.mart_energy",
        "marts.canary",
        "a materialized view",
    ),
    (
        "alter table publish.mart_energy disable row level security",
        "publish.mart_energy",
        "a table without row-level security",
    ),
)


def test_a_canary_that_would_show_the_rows_of_others_is_seen(night: Night, given: Settings) -> None:
    assert night.execute("select * from publish.unprotected") == []
    with night.warehouse.connect() as conn:
        for canary, relation, reason in CANARIES:
            with conn.transaction(force_rollback=True):
                conn.execute(canary)
                assert conn.execute("select * from publish.unprotected").fetchall() == [(relation, reason)]
    night.execute(CANARIES[0][0])
    with pytest.raises(InfrastructureError, match="canary is a view without security_invoker"):
        door.open_for_manager(night.warehouse, given, "M1")


def test_after_a_whole_night_every_relation_is_cut_to_the_manager(clean_night, fresh_home: Settings) -> None:
    """Of the simulated managers the one with the most accounts; whose accounts these are says the bridge itself."""
    manager_no, whole = clean_night.rows(
        "select manager_no, array_agg(account_no) from warehouse.bridge_account_managers"
        " where assign_role_code = 'PRIMARY' and valid_to is null group by 1 order by count(*) desc, 1 limit 1"
    )[0]
    assert len(whole) > 1
    assert clean_night.rows("select * from publish.unprotected") == []
    opened, accounts = door.open_for_manager(Warehouse(clean_night.url), settings(), manager_no)
    try:
        assert accounts == len(whole)
        cut = [name for (name,) in clean_night.rows("select relation from publish.scopes where scope = 'account'")]
        assert len(cut) > 25
        seen = {name: accounts_seen(opened.url, f"marts.{name}") for name in cut}
        assert {name: numbers - set(whole) for name, numbers in seen.items() if numbers - set(whole)} == {}
        assert seen["mart_key_account_360"] == set(whole)
    finally:
        door.revoke_manager(Warehouse(clean_night.url), settings(), manager_no)


def test_another_scope_takes_the_place_of_the_former_one(night: Night, given: Settings) -> None:
    url = door.open_for_manager(night.warehouse, given, "M2")[0].url
    night.describe(scoped(ENERGY, "none"), scoped(HEALTH, "shared"), BRIDGE, MANAGERS, OFFICES, CATALOG, CLERKS)
    night.publish()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        accounts_seen(url)
    assert accounts_seen(url, "marts.mart_health") == {"A1", "A2", "A3"}
    night.describe(ENERGY, HEALTH, BRIDGE, MANAGERS, OFFICES, CATALOG, CLERKS)  # nothing stated: none
    night.publish()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        accounts_seen(url, "marts.mart_health")


def test_a_scope_that_is_not_known_or_has_no_column_is_not_published(night: Night) -> None:
    for described, said in (
        (scoped(HEALTH, "accounts"), "meta.scope is accounts"),
        (scoped(CLERKS, "manager"), "it has no column manager_no"),
    ):
        night.describe(described)
        with pytest.raises(InfrastructureError, match=said):
            night.publish()


def test_roles_that_come_later_get_their_grants_and_policies(night: Night, given: Settings) -> None:
    night.execute("""
        revoke usage on schema marts from kaw_account_manager;
        drop policy managers_see_by_account on publish.mart_energy;
        revoke select on publish.mart_energy, marts.mart_energy, marts.publication from kaw_account_manager;
    """)
    url = door.open_for_manager(night.warehouse, given, "M2")[0].url
    assert accounts_seen(url) == {"A3"}
    with Warehouse(night.url).connect() as conn:
        grant_again(conn)
    assert accounts_seen(url) == {"A3"}


@pytest.mark.parametrize("database", ["x" * 60, "a\nb"])
def test_a_login_has_a_name_that_postgresql_keeps_whole(database: str) -> None:
    with pytest.raises(ValueError, match="is no name of a role"):
        logins.name_of(database, "bi_reader")


@pytest.mark.parametrize("database", ["kaw", "kaw_login", "warehouse"])
def test_no_login_has_the_name_of_a_group_whatever_the_database_is_called(database: str) -> None:
    address = f"postgresql://localhost/{database}"
    groups = {identities.group_of(role) for role in LOGINS} | {door.READERS, door.MANAGERS}
    names = [each.name for each in identities.identities(address)] + [logins.name_of(database, "bi_reader")]
    assert len(set(names)) == len(names)
    assert not groups & set(names)


def test_what_an_address_says_of_the_connection_stays_for_the_other_login() -> None:
    given = "postgresql://kaw:se%40cret@db.example:6000/ware%20house?sslmode=require&user=kaw&options=-c%20role%3Dx"
    assert logins.address_for(given, "a b", "p/w") == (
        "postgresql://a%20b:p%2Fw@db.example:6000/ware%20house?sslmode=require"
    )
    assert logins.database_of(given) == "ware house"
