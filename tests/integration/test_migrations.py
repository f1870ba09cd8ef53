"""The schema of the warehouse is migrated where it differs from the code, once, and nothing is lost by it."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from include.contracts import all_tables
from include.errors import InfrastructureError
from include.local import cli
from include.publish import pointers_as_of
from include.records import migrations, raw_tables
from include.records.database import SCHEMAS, connect
from include.records.ledger_check import GENESIS, Entry, digest_of
from include.records.migrations import migrate
from include.records.warehouse import Warehouse
from tests.synthetic_marts import JULY, JUNE, Night

BEFORE = Path(__file__).parents[1] / "data" / "before_migrations.sql"
PUBLISHED_BEFORE = BEFORE.with_name("published_before_migrations.sql")
MIGRATIONS = [
    "001_records.sql",
    "002_late_files.sql",
    "003_steps_are_int.sql",
    "004_words.sql",
    "005_withdrawals.sql",
    "006_expected.sql",
    "007_partial.sql",
    "008_touched_keys.sql",
    "009_complete_for.sql",
    "010_builds.sql",
    "011_managers.sql",
    "012_locks.sql",
    "013_synthetic.sql",
    "014_finding_notes.sql",
    "015_reproduce.sql",
    "016_ignored_files.sql",
    "017_ledger.sql",
    "018_rule_code.sql",
    "019_receipt_states.sql",
    "020_published_by_rows.sql",
    "021_lock_of_finding_notes.sql",
    "022_vault.sql",
    "023_vault_without_statistics.sql",
]
REPEATABLE = [
    "raw tables",
    "20_fences.sql",
    "21_findings.sql",
    "22_waivers.sql",
    "23_expected.sql",
    "24_withdrawals.sql",
    "25_lacking.sql",
    "26_repairs.sql",
    "27_ledger.sql",
    "30_publish.sql",
    "40_functions.sql",
    "45_builds.sql",
    "46_vault.sql",
    "50_roles.sql",
    "personal views",
    "grants.yml",
]
STEPS = [*MIGRATIONS, *REPEATABLE]


@pytest.fixture
def old_database(empty_database: str) -> str:
    """A warehouse as the code before migrations made it."""
    schemas, rest = BEFORE.read_text().split("-- raw tables\n")
    with connect(empty_database) as connection:
        connection.execute("set local client_min_messages = warning")
        connection.execute(schemas)
        connection.execute(raw_tables.all_ddl())
        connection.execute(rest)
    return empty_database


@pytest.fixture
def more_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of SQL as a copy that a test may add to."""
    folder = tmp_path / "sql"
    for path in migrations.SQL_FOLDER.rglob("*.sql"):
        copy = folder / path.relative_to(migrations.SQL_FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    monkeypatch.setattr(migrations, "SQL_FOLDER", folder)
    return folder


def catalog(url: str) -> set[tuple]:
    """Every schema, relation, column, function, policy and default privilege with the transaction that wrote it last."""
    with connect(url) as connection:
        return {
            (name, *row)
            for name in ("namespace", "class", "proc", "policy", "default_acl", "description")
            for row in connection.execute(
                f"select {'objoid' if name == 'description' else 'oid'}, xmin::text from pg_{name}"
            )
        }


def recorded(url: str) -> list[str]:
    with connect(url) as connection:
        return [name for (name,) in connection.execute("select name from quality.migrations order by entry_no")]


def test_an_empty_database_gets_every_step_and_a_second_call_changes_nothing(empty_database: str) -> None:
    assert migrate(Warehouse(empty_database)) == STEPS
    before = catalog(empty_database)
    assert len(before) > 500
    assert migrate(Warehouse(empty_database)) == []
    assert catalog(empty_database) == before
    assert recorded(empty_database) == STEPS


def test_a_fresh_start_takes_away_every_schema_that_a_migration_makes() -> None:
    made = {
        name
        for path in (migrations.SQL_FOLDER / "migrations").glob("*.sql")
        for name in re.findall(r"(?im)^create schema (?:if not exists )?(\w+)", path.read_text())
    }
    assert made == set(SCHEMAS)


def test_two_that_migrate_at_once_apply_each_step_once(empty_database: str) -> None:
    applied: list[str] = []
    threads = [threading.Thread(target=lambda: applied.extend(migrate(Warehouse(empty_database)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == sorted(STEPS)
    assert recorded(empty_database) == STEPS


def entry_of_before(connection: psycopg.Connection, event: str, detail: dict) -> None:
    """The first entry, as the code wrote it that took the digest of canonical JSON."""
    at = datetime(2026, 7, 11, tzinfo=UTC)
    first = Entry(1, at, "night", None, event, json.dumps(detail), GENESIS, "", 1)
    connection.execute(
        "insert into quality.ledger values (1, %s, 'night', %s, %s, %s, %s)",
        [at, event, json.dumps(detail), GENESIS, digest_of(first)],
    )


def test_a_home_from_before_migrations_is_taken_on_without_losing_anything(
    old_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))  # which has no key
    night = Night(old_database, tmp_path)
    night.execute(PUBLISHED_BEFORE.read_text())
    with connect(old_database) as connection:
        detail = {"run_id": 2, "business_date": "2026-07-10", "unchanged_months": [], "held_back_share": "0.22222222"}
        entry_of_before(connection, "publish", detail | {"versions": {"2026-07": {"version": 2}}})
    entries = night.execute("select entry_no, digest from quality.ledger order by 1")

    assert migrate(Warehouse(old_database)) == STEPS

    assert night.execute("select entry_no, digest from quality.ledger order by 1") == entries
    with connect(old_database) as connection:
        assert str(pointers_as_of(connection, 1)[JULY]["withheld_share"]) == "0.22222222"
    assert night.execute("select fence from quality.fences") == [(41,)]
    assert night.execute("select finding_id from quality.findings_rechecked") == [(7,)]
    assert night.execute("select raw_id, state from quality.withheld order by 1") == [
        (1, "quarantined"),
        (2, "blocked_by_parent"),
    ]
    assert night.execute("select raw_id, state from quality.quarantine_events order by 1") == [
        (1, "quarantined"),
        (2, "blocked_by_parent"),
    ]
    assert night.execute("select quarantined, blocked_by_parent from quality.conservation") == [(1, 1)]
    publication = night.execute(
        "select version, withheld_rows, withheld_kwh, withheld_cny, withheld_share, held_back_rows, held_back_kwh,"
        " held_back_cny, held_back_share from marts.publication"
    )
    assert [[float(value) for value in row] for row in publication] == [
        [2, 2, 100, 100, 0.22222222, 2, 100, 100, 0.22222222]
    ]
    night.publish()
    assert night.seen() == {(JUNE, 1), (JULY, 1)}


def test_receipts_of_before_say_for_which_days_their_delivery_was_the_whole_truth(old_database: str) -> None:
    with connect(old_database) as connection:
        connection.cursor().executemany(
            "insert into quality.receipts (source_name, table_name, channel, business_date, window_from, file_name, state)"
            " values ('marketing', %s, %s, %s, %s, %s, %s)",
            [
                ("mkt_bill", "auto", "2026-07-08", None, None, "landed"),  # the first read of a database
                ("mkt_bill", "auto", "2026-07-09", "2026-07-08 12:00+08", None, "landed"),  # the next one
                ("mkt_bill", "auto", "2026-07-09", None, None, "refused"),
                ("mkt_mp", "auto", "2026-07-09", None, "mkt_mp/a_20260709.csv", "landed"),  # delivered whole
                ("mkt_mp", "auto", "2026-07-09", None, "mkt_mp/a_20260709.csv", "landed"),  # the same file again
                ("mkt_org", "auto", "2026-07-09", None, "mkt_org/a_20260709.csv", "landed"),  # half of its night
                ("mkt_org", "auto", "2026-07-09", None, "mkt_org/b_20260709.csv", "landed"),
                ("mkt_mp", "form", "2026-07-09", None, "mkt_mp/U1.csv", "landed"),
                (
                    "mkt_payment",
                    "auto",
                    "2026-07-09",
                    None,
                    "mkt_payment/a.csv",
                    "landed",
                ),  # its days were in its manifest
            ],
        )
    migrate(Warehouse(old_database))
    with connect(old_database) as connection:
        found = connection.execute(
            "select load_id, complete_for::text from quality.receipts order by load_id"
        ).fetchall()
    assert dict(found) == {
        1: "(,)",
        2: "[2026-06-04,)",  # 35 days before the 9th of July
        3: None,
        4: "(,)",
        5: "(,)",
        6: None,
        7: None,
        8: None,
        9: None,
    }


def test_both_names_of_a_renamed_column_show_every_version_that_was_published(old_database: str) -> None:
    with connect(old_database) as connection:
        connection.execute(PUBLISHED_BEFORE.read_text())
        before = connection.execute(
            "select version, held_back_rows, held_back_kwh, held_back_cny from publish.mart_key_account_360 order by 1"
        ).fetchall()
    migrate(Warehouse(old_database))
    with Warehouse(old_database).reader().connect() as connection:
        stored = connection.execute(
            "select version, withheld_rows, withheld_kwh, withheld_cny from publish.mart_key_account_360 order by 1"
        )
        assert stored.fetchall() == before
        shown = connection.execute("select * from marts.mart_key_account_360")
        assert [column.name for column in shown.description] == [
            *("published_month", "version", "account_no", "dq_status", "withheld_rows", "withheld_kwh", "withheld_cny"),
            *("held_back_rows", "held_back_kwh", "held_back_cny"),
        ]
        (row,) = shown.fetchall()
        assert [float(value) for value in row[4:]] == [2, 100, 100, 2, 100, 100]
        at_close = connection.execute("select withheld_rows, held_back_rows from marts.mart_key_account_360_at_close")
        assert at_close.fetchall() == []


def test_versions_from_before_are_complete_where_nothing_was_withheld_and_unknown_where_something_was(
    old_database: str,
) -> None:
    with connect(old_database) as connection:
        connection.execute(PUBLISHED_BEFORE.read_text())
        connection.execute(
            "insert into publish.versions (published_month, version, mart, business_date, last_business_date, run_id, rows,"
            " hash, published_at) values ('2026-07-01', 1, 'mart_key_account_360', '2026-07-09', '2026-07-09', 1, 1, 'a', now()),"
            " ('2026-07-01', 2, 'mart_key_account_360', '2026-07-10', '2026-07-10', 2, 1, 'b', now())"
        )
    migrate(Warehouse(old_database))
    with connect(old_database) as connection:
        stored = connection.execute(
            "select version, is_partial, partial_measures from publish.mart_key_account_360 order by 1"
        )
        assert stored.fetchall() == [(1, False, []), (2, None, None)]


def test_a_later_migration_is_applied_once_and_what_stands_on_it_again(database: str, more_sql: Path) -> None:
    (more_sql / "migrations" / "901_more.sql").write_text("alter table quality.runs add column note text;\n")
    assert migrate(Warehouse(database)) == ["901_more.sql", *REPEATABLE]
    assert migrate(Warehouse(database)) == []
    with connect(database) as connection:
        assert connection.execute("select count(note) from quality.runs").fetchone() == (0,)
        found = connection.execute("select name, version from quality.migrations where version in (1, 901) order by 2")
        assert found.fetchall() == [("001_records.sql", 1), ("901_more.sql", 901)]


def test_a_file_of_views_that_changed_is_applied_again_with_those_behind_it(database: str, more_sql: Path) -> None:
    views = more_sql / "repeatable" / "30_publish.sql"
    views.write_text(views.read_text() + "comment on view marts.publication is 'Changed.';\n")
    assert migrate(Warehouse(database)) == REPEATABLE[REPEATABLE.index("30_publish.sql") :]
    with connect(database) as connection:
        said = connection.execute("select obj_description('marts.publication'::regclass)").fetchone()
    assert said == ("Changed.",)


def test_a_migration_that_fails_leaves_those_before_it_and_goes_on_from_there(database: str, more_sql: Path) -> None:
    (more_sql / "migrations" / "901_good.sql").write_text("alter table quality.runs add column note text;\n")
    bad = more_sql / "migrations" / "902_bad.sql"
    bad.write_text("alter table quality.runs add column more text; select 1 / 0;\n")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(Warehouse(database))
    assert recorded(database) == [*STEPS, "901_good.sql"]
    bad.write_text("alter table quality.runs add column more text;\n")
    assert migrate(Warehouse(database)) == ["902_bad.sql", *REPEATABLE]


def test_a_migration_that_was_edited_after_it_was_applied_is_refused(database: str, more_sql: Path) -> None:
    first = more_sql / "migrations" / "001_records.sql"
    first.write_text(first.read_text() + "alter table quality.runs add column note text;\n")
    with pytest.raises(InfrastructureError, match=r"001_records\.sql was edited[\s\S]*as the next number"):
        migrate(Warehouse(database))


def test_a_contract_that_gains_a_column_gives_it_to_the_raw_table(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = all_tables()["mkt_bill"]
    with connect(database) as connection:
        connection.execute(
            "insert into raw_marketing.mkt_bill (_load_id, _business_date, _channel, _key, _hash)"
            " values (1, '2026-07-10', 'auto', gen_random_uuid(), gen_random_uuid())"
        )
    more = dataclasses.replace(table.columns[0], name="carbon_kg", physical_type="numeric(14,2)")
    longer = dataclasses.replace(table, columns=(*table.columns, more))
    monkeypatch.setattr(raw_tables, "all_tables", lambda: all_tables() | {"mkt_bill": longer})
    assert migrate(Warehouse(database)) == REPEATABLE
    with connect(database, role="kaw_loader") as connection:
        assert connection.execute("select carbon_kg from raw_marketing.mkt_bill").fetchall() == [(None,)]
    assert migrate(Warehouse(database)) == []

    other = dataclasses.replace(more, physical_type="text")
    longer = dataclasses.replace(table, columns=(*table.columns, other))
    with pytest.raises(InfrastructureError, match=r"raw_marketing\.mkt_bill\.carbon_kg the type text"):
        migrate(Warehouse(database))


def test_a_database_that_is_newer_than_the_code_is_refused_by_every_command(
    database: str, fresh_home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("KAW_WAREHOUSE", database)
    with connect(database) as connection:
        connection.execute(
            "insert into quality.migrations (version, name, checksum, code_version)"
            " values (999, '999_of_the_future.sql', 'x', 'y')"
        )
    before = catalog(database)
    for command in (["status"], ["waive", "--end", "1", "--approver", "A", "--reason", "B"]):
        assert cli.main(command) == 3
        said = capsys.readouterr().err
        newest = int(MIGRATIONS[-1][:3])
        assert f"The warehouse is newer than this code: it has migration 999, the code ends at {newest}." in said
        assert "\nNext: use the code that migrated it, or a newer one" in said
    assert catalog(database) == before


def test_a_lock_that_is_not_had_in_time_is_told(database: str, monkeypatch: pytest.MonkeyPatch, more_sql: Path) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "300ms")
    (more_sql / "migrations" / "901_more.sql").write_text("alter table quality.runs add column note text;\n")
    with connect(database) as reader:
        reader.execute("select * from quality.runs")
        with pytest.raises(InfrastructureError) as error:
            migrate(Warehouse(database))
    told = str(error.value)
    assert error.value.exit_code == 3
    assert "step 901_more.sql waited 300ms for a lock." in told
    assert "\nWhere: postgresql://" in told
    assert "\nNext: let the run or the long query that holds it end" in told
    assert migrate(Warehouse(database)) == ["901_more.sql", *REPEATABLE]


def test_tables_that_are_made_later_have_every_grant_at_once(database: str, tmp_path: Path) -> None:
    night = Night(database, tmp_path)
    night.publish()
    with connect(database, role="kaw_transformer") as connection:
        for schema in ("staging", "warehouse", "candidate"):
            connection.execute(f"create table {schema}.made_later as select 1 as a")
            connection.execute(f"create view {schema}.seen_later as select 1 as a")
    granted = (
        "select relnamespace::regnamespace::text, relname, acl.grantee::regrole::text, acl.privilege_type"
        " from pg_class cross join aclexplode(relacl) as acl where relkind in ('r', 'v') and acl.grantee <> relowner"
        " and relnamespace::regnamespace::text in ('staging', 'warehouse', 'candidate', 'publish', 'marts') order by 1, 2, 3, 4"
    )
    before = [row for row in night.execute(granted) if row[2] != "kaw"]
    assert ("marts", "mart_energy", "kaw_bi_reader", "SELECT") in before
    assert ("publish", "mart_health", "kaw_reader", "SELECT") in before
    assert ("candidate", "made_later", "kaw_gatekeeper", "SELECT") in before
    night.execute((migrations.SQL_FOLDER / "repeatable" / "50_roles.sql").read_text())
    after = [row for row in night.execute(granted) if row[2] != "kaw"]
    assert sorted(set(after) - set(before)) == []
