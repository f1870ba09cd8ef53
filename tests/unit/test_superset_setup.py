"""Superset's environment: which Python it gets, what is taken out of its pages, what its processes are told."""

from __future__ import annotations

import shutil
import sys
from types import SimpleNamespace

import pytest

from include.errors import UsageError
from include.local import superset
from include.settings import Settings


def kaw(**versions: str) -> SimpleNamespace:
    return SimpleNamespace(version_of=lambda python: versions[python])


def test_the_python_at_hand_is_taken_where_superset_runs_on_it(monkeypatch):
    monkeypatch.setattr(sys, "executable", "here")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert superset._base_python(kaw(here="3.11")) == "here"


def test_beside_a_newer_python_another_is_looked_for(monkeypatch):
    monkeypatch.setattr(sys, "executable", "here")
    monkeypatch.setattr(shutil, "which", {"python3.11": "there"}.get)
    assert superset._base_python(kaw(here="3.13", there="3.11")) == "there"


def test_where_there_is_none_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(sys, "executable", "here")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UsageError) as refused:
        superset._base_python(kaw(here="3.13"))
    assert str(refused.value).startswith("Superset runs on Python 3.11 or 3.12; here is ")
    assert "./kaw bi --no-superset opens the door alone" in str(refused.value)
    assert refused.value.exit_code == 2


def test_the_picture_that_counts_visits_is_taken_out_and_shared_files_are_left(tmp_path):
    assets = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / "superset" / "static" / "assets"
    assets.mkdir(parents=True)
    shared = tmp_path / "shared.js"
    shared.write_text("src:`https://apachesuperset.gateway.scarf.sh/pixel/0d34/${e}`")
    (assets / "1.entry.js").hardlink_to(shared)
    superset._without_pixel(tmp_path / "venv")
    assert (assets / "1.entry.js").read_text() == f"src:`{superset.NO_PIXEL}0d34/${{e}}`"
    assert "scarf" in shared.read_text()


def test_its_processes_are_told_where_the_secrets_are_and_none_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("KAW_WAREHOUSE", "postgresql://kaw:secret@db/warehouse")
    monkeypatch.setenv("PGPASSWORD", "secret")
    told = superset._process_environment(Settings(home=tmp_path))
    assert told["KAW_SUPERSET_SECRETS"] == str(tmp_path / "superset" / "secrets.json")
    assert "secret" not in "".join(value for name, value in told.items() if name != "KAW_SUPERSET_SECRETS")
