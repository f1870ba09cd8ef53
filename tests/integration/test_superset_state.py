"""Superset's metadata beside one warehouse belong to one home, and a login that works is left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from include.errors import InfrastructureError
from include.local import door, superset
from include.records.warehouse import Warehouse
from include.settings import Settings


@pytest.fixture
def outside(database: str) -> Iterator[tuple]:
    """The warehouse, and its address as one's own server has it; Superset's database and login are gone afterwards."""
    warehouse = Warehouse(database)
    yield warehouse, warehouse.address
    name = sql.Identifier(superset._metadata_name(warehouse))
    with warehouse.connect(autocommit=True) as conn:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        conn.execute(sql.SQL("drop role if exists {}").format(name))


def home(folder: Path, address: str | None) -> Settings:
    folder.mkdir(exist_ok=True)
    return Settings(home=folder, warehouse=address)


def lets_in(given: Settings) -> bool:
    kept = json.loads((superset.home(given) / "secrets.json").read_text())
    return superset._lets_in(kept["metadata_url"].replace("+psycopg2", ""))


def set_up(warehouse, given: Settings, **options) -> None:
    """As `./kaw bi` does, without Superset itself."""
    superset._prepare(warehouse, given, **options)
    marker = {"warehouse": door.place_of(given), "packages": ""}
    (superset.home(given) / "provisioned").write_text(json.dumps(marker))


def test_another_home_is_refused_and_takes_it_over_when_asked(outside, tmp_path):
    warehouse, address = outside
    first, second = home(tmp_path / "first", address), home(tmp_path / "second", address)
    set_up(warehouse, first)
    set_up(warehouse, first)
    assert lets_in(first)
    with pytest.raises(InfrastructureError, match=r"another home set Superset up.*\n.*\n.*--new-password"):
        set_up(warehouse, second)
    assert not superset.is_set_up(second)
    assert lets_in(first)  # what was refused changed nothing
    set_up(warehouse, second, new_password=True)
    assert (lets_in(first), lets_in(second)) == (False, True)
    with pytest.raises(InfrastructureError, match="another home set Superset up"):
        set_up(warehouse, first)
    assert lets_in(second)


def test_a_home_that_changes_its_warehouse_is_set_up_anew_there(outside, tmp_path):
    warehouse, address = outside
    embedded = home(tmp_path / "one", None)
    set_up(warehouse, embedded)
    assert superset.is_set_up(embedded)
    moved = home(tmp_path / "one", address)
    assert not superset.is_set_up(moved)
    assert superset._marked(moved) != {"warehouse": door.place_of(moved), "packages": ""}  # so all is made there


def test_who_may_make_no_roles_has_it_made_once(outside, tmp_path, monkeypatch):
    warehouse, address = outside
    given = home(tmp_path / "one", address)

    def refused(*_):
        raise InfrastructureError("This login of the warehouse may not make the database", next_step="have them run")

    with monkeypatch.context() as patched:
        patched.setattr(superset, "_make_database", refused)
        with pytest.raises(InfrastructureError, match="may not make"):
            set_up(warehouse, given)
    kept = json.loads((superset.home(given) / "secrets.json").read_text())
    (password,) = kept["metadata_passwords"].values()
    superset._make_database(warehouse, superset._metadata_name(warehouse), password)  # somebody who may
    with monkeypatch.context() as patched:
        patched.setattr(superset, "_make_database", refused)
        set_up(warehouse, given)  # asks for nothing more
    assert lets_in(given)


def test_a_login_lost_from_the_embedded_server_is_given_again(outside, tmp_path):
    warehouse, _ = outside
    given = home(tmp_path / "one", None)
    set_up(warehouse, given)
    (superset.home(given) / "secrets.json").unlink()
    set_up(warehouse, given)
    assert lets_in(given)


def test_users_of_managers_who_left_log_in_no_more(outside, tmp_path):
    warehouse, address = outside
    given = home(tmp_path / "one", address)
    set_up(warehouse, given)
    with psycopg.connect(superset._metadata_address(warehouse, given), autocommit=True) as metadata:
        metadata.execute("create table ab_user (id integer, username text, active boolean)")
        metadata.execute("create table ab_role (id integer, name text)")
        metadata.execute("create table ab_user_role (user_id integer, role_id integer)")
        metadata.execute("insert into ab_role values (1, 'Account manager'), (2, 'Admin')")
        metadata.execute("insert into ab_user values (1, 'M-left', true), (2, 'admin', true)")
        metadata.execute("insert into ab_user_role values (1, 1), (2, 2)")
        assert superset.retire_who_left(warehouse, given) == ["M-left"]
        assert superset.retire_who_left(warehouse, given) == []
        assert metadata.execute("select username from ab_user where active").fetchall() == [("admin",)]
