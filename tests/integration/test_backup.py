"""A home is backed up, and another one is restored from it: the same rows, the same hash, and the ledger says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.local import cli, server
from include.local.backup import published_rows
from include.local.pg_programs import program
from include.local.server import Server
from include.publish import status
from include.quality import erasure
from include.records import ledger, ledger_key, vault_key
from include.records.database import connect
from include.records.migrations import migrate
from include.records.warehouse import Warehouse
from tests import databases
from tests.nights import Utility
from tests.synthetic_marts import JULY, Night
from tests.tampering import entries, tamper

SIGNED = ["--approver", "the approver", "--reason", "the disk died"]


def counts(url: str) -> dict[str, int]:
    """Relation -> rows, of every table that holds data."""
    with connect(url) as conn:
        tables = conn.execute(
            "select oid::regclass::text from pg_class where relkind in ('r', 'p') and relnamespace::regnamespace::text"
            " not in ('pg_catalog', 'information_schema') and relnamespace::regnamespace::text not like 'pg_%'"
        ).fetchall()
        return {name: conn.execute(f"select count(*) from {name}").fetchone()[0] for (name,) in tables}


@pytest.mark.timeout(300)
def test_a_home_is_restored_with_the_same_hash_and_the_ledger_says_so(
    database: str, server: Server, session_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    databases.give_ledger(session_home, tmp_path / "home")
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAW_WAREHOUSE", database)
    night = Night(database, tmp_path)
    night.publish()
    night.fill(2, [JULY])
    night.publish()
    back_up_and_restore(database, server, tmp_path, monkeypatch, capsys)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_home_after_a_whole_night_is_restored_too(
    clean_night: Utility, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    back_up_and_restore(clean_night.url, server, tmp_path, monkeypatch, capsys)


def back_up_and_restore(url_of_home: str, server: Server, tmp_path: Path, monkeypatch, capsys) -> None:
    folder, keys, outside = tmp_path / "backup", tmp_path / "backup_keys", tmp_path / "outside.heads"
    monkeypatch.setenv("KAW_LEDGER_HEADS", str(outside))
    erased, kept_name = (f"person-{number:032x}" for number in (1, 2))
    with connect(url_of_home) as conn:
        conn.execute(
            "insert into vault.clear_texts (pseudonym, clear_text) values (%s, 'Anna'), (%s, 'Berta')",
            [erased, kept_name],
        )
    assert cli.main(["backup", str(folder), "--with-keys", str(keys)]) == 0
    before, rows, kept = status(url_of_home)["hash"], counts(url_of_home), ledger.head(url_of_home)
    assert {path.name for path in folder.iterdir()} == {"warehouse.dump", "backup.json", "ledger.heads", "home"}
    assert {path.name for path in keys.iterdir()} == {"vault.dump", "ledger.key", "vault.key"}
    with connect(url_of_home) as conn:
        ledger.append(conn, "load", {"load_id": 999})
        published = published_rows(conn)
    ledger.write_head(url_of_home)  # the place outside knows an entry that the back-up does not have
    public_key = ledger_key.given().public

    with databases.copied(server, "template1", "restored") as name:
        url = server.url(name)
        monkeypatch.setenv("KAW_HOME", str(tmp_path / "another home"))
        monkeypatch.setenv("KAW_WAREHOUSE", url)
        erasure.note_at_home([erased])  # after the back-up was made
        assert cli.main(["restore", str(folder), "--keys", str(keys), *SIGNED]) == 0
        assert "the same as of the back-up" in capsys.readouterr().out
        assert (status(url)["hash"], ledger_key.given().public) == (before, public_key)
        assert {**counts(url), "quality.ledger": 0, "quality.migrations": 0} == {
            **rows,
            "quality.ledger": 0,
            "quality.migrations": 0,
        }
        assert vault_key.key_file().read_text() == (keys / "vault.key").read_text()
        with connect(url) as conn:
            held = dict(conn.execute("select pseudonym, clear_text from vault.clear_texts").fetchall())
            assert (held[erased] == "Anna", held[kept_name]) == (False, "Berta")
            assert published_rows(conn) == published
            last = entries(conn)[-1]
            unprotected = conn.execute("select * from publish.unprotected").fetchall()
            (sees,) = conn.execute(
                "select has_table_privilege('kaw_bi_reader', 'marts.publication', 'select')"
            ).fetchone()
        said = json.loads(last.detail)
        assert (last.entry_no, last.event, said["kept_entry"]) == (kept[0] + 1, "restore", kept[0])
        assert (said["is_same"], said["published_hash"], said["approver"]) == (True, before, "the approver")
        assert (unprotected, sees) == ([], True)
        assert cli.main(["verify", "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["anchored_to"] == ["place 1 (file)"]
        assert any("was restored from a back-up" in note for note in answer["notes"])

        assert cli.main(["restore", str(folder), *SIGNED]) == 2
        assert "There is a warehouse already." in capsys.readouterr().err
        assert cli.main(["restore", str(folder), "--force", *SIGNED]) == 2
        assert "make an empty database" in capsys.readouterr().err

        monkeypatch.setenv("KAW_WAREHOUSE", url_of_home)
        dump = folder / "warehouse.dump"
        dump.write_bytes(dump.read_bytes()[:-1] + b"x")
        assert cli.main(["restore", str(folder), *SIGNED]) == 3
        assert "warehouse.dump differs or is missing" in capsys.readouterr().err
        contents = json.loads((folder / "backup.json").read_text())
        contents["contents"]["files"].pop("warehouse.dump")
        (folder / "backup.json").write_text(json.dumps(contents))
        assert cli.main(["restore", str(folder), *SIGNED]) == 3


def test_a_folder_that_cannot_be_a_back_up_is_told(database: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("KAW_WAREHOUSE", database)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert cli.main(["backup", str(tmp_path / "full")]) == 2
    assert "must be new or empty" in capsys.readouterr().err
    assert cli.main(["restore", str(tmp_path / "full"), *SIGNED]) == 2
    assert "This is no back-up." in capsys.readouterr().err
    inside = Path(server.settings().home) / "backup"
    assert cli.main(["backup", str(inside)]) == 2
    assert "is lost with it" in capsys.readouterr().err
    tamper(database, "update quality.ledger set actor = 'x'")
    assert cli.main(["backup", str(tmp_path / "new")]) == 1
    assert not (tmp_path / "new").exists()


def test_a_server_without_programs_of_its_version_is_told() -> None:
    with pytest.raises(Exception, match="this machine has no pg_dump of that version") as error:
        program("pg_dump", 99)
    assert error.value.exit_code == 3
    assert program("pg_dump", 18).name == "pg_dump"


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_tampered_home_is_restored_in_place_and_the_former_warehouse_stays(fresh_home, tmp_path, capsys) -> None:
    with connect(server.warehouse_url(fresh_home)) as conn:
        conn.execute("select 1")
    url = server.warehouse_url(fresh_home)
    migrate(Warehouse(url))
    assert ledger.write_head(url)
    with connect(url) as conn:
        ledger.append(conn, "load", {"load_id": 1})
    ledger.write_head(url)
    assert cli.main(["backup", str(tmp_path / "backup")]) == 0
    with connect(url) as conn:
        ledger.append(conn, "load", {"load_id": 2})
    ledger.write_head(url)
    tamper(url, "update quality.ledger set actor = 'x' where entry_no = 2")
    assert cli.main(["verify"]) == 1
    assert cli.main(["restore", str(tmp_path / "backup"), *SIGNED]) == 2
    assert cli.main(["restore", str(tmp_path / "backup"), "--force", *SIGNED]) == 0
    assert "the warehouse of before is the database warehouse_before_" in capsys.readouterr().out
    assert cli.main(["verify"]) == 0
    with connect(server.warehouse_url(fresh_home)) as conn:
        assert [entry.event for entry in entries(conn)] == ["key", "load", "restore"]
