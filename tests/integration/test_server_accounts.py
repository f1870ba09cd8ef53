"""The embedded server under root and under ordinary users, in a home that nobody else may enter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.errors import InfrastructureError
from include.local import postgres
from include.local.postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]
ORDINARY_USER = 1  # `daemon`: has a name on every Unix and no right that matters
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root")


def clone_in_private_home(folder: Path, owner: int) -> Path:
    """What a clone under a 0700 home holds of the server: our code, and the PostgreSQL of its virtual environment."""
    clone = folder / "clone"
    (clone / "site").mkdir(parents=True)
    shutil.copytree(ROOT / "include", clone / "include", ignore=shutil.ignore_patterns("__pycache__"))
    installed = postgres._installed_binaries()
    package = installed.parent
    shutil.copytree(installed, clone / "site" / package.name / installed.name, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(package.with_name(package.name + ".libs"), clone / "site" / (package.name + ".libs"))
    (clone / "site" / package.name / "__init__.py").touch()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)
    return clone


# The interpreter and its libraries may lie where the ordinary user cannot go: load first, then step down.
IN_PRIVATE_HOME = """
import os, sys
import encodings.idna, getpass, psutil, psycopg
from include.local import postgres, server
from include import settings
owner = int(sys.argv[1])
if owner != os.geteuid():
    os.setgroups([]); os.setgid(owner); os.setuid(owner)
try:
    running = server.ensure()
    with psycopg.connect(running.url("warehouse")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    cluster = postgres.Cluster(settings.settings().home)
    main = cluster.postmaster()
    print(os.geteuid(), main.uids().effective, main.exe(), cluster.data)
    server.stop()
    assert not cluster.processes()
    server.ensure()
finally:
    server.purge()
assert not cluster.base.exists()
"""


def run_in_private_home(clone: Path, owner: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", IN_PRIVATE_HOME, str(owner)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(clone.parent),
            "KAW_HOME": str(clone / ".kaw"),
            "PYTHONPATH": f"{clone}{os.pathsep}{clone / 'site'}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@as_root
def test_root_runs_it_from_a_private_home_as_an_account_that_cannot_enter_there(private_folder):
    clone = clone_in_private_home(private_folder, owner=0)
    user, server_user, program, data = run_in_private_home(clone, owner=0)
    assert user == "0"
    assert server_user != "0"
    assert program.startswith("/var/lib/kaw/")
    assert data.startswith("/var/lib/kaw/")


def test_an_ordinary_user_runs_it_inside_a_private_home(private_folder):
    owner = ORDINARY_USER if os.geteuid() == 0 else os.geteuid()
    clone = clone_in_private_home(private_folder, owner)
    user, server_user, program, data = run_in_private_home(clone, owner)
    assert user == server_user == str(owner)
    assert program.startswith(str(clone))
    assert data.startswith(str(clone / ".kaw"))


@as_root
def test_an_account_without_a_name_is_told_what_to_do(private_folder, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 3_999_999)
    with pytest.raises(InfrastructureError, match="run as a user that this machine knows"):
        Cluster(private_folder / "home").initialise("kaw_admin", "secret")
