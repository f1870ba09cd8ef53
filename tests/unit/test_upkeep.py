"""Room on the disk, retention, the words for a full disk, secrets in texts, and the commit that a container knows."""

from __future__ import annotations

import errno
import os
import time
from collections import namedtuple
from pathlib import Path

import psycopg
import pytest

from include import upkeep
from include.errors import InfrastructureError
from include.local import cli
from include.records import runs
from include.settings import mask_secrets, settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def made(path: Path, days_old: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("0123456789")
    when = time.time() - days_old * 24 * 3600
    os.utime(path, (when, when))
    return path


# -- the disk


def test_a_night_does_not_start_without_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(upkeep.shutil, "disk_usage", lambda _: usage(10**10, 10**10, 900_000_000))
    with pytest.raises(InfrastructureError) as error:
        upkeep.require_space()
    assert error.value.exit_code == 3
    assert "too little free space for a night: 900 MB, and KAW_FREE_SPACE_MB asks for 1,000 MB" in str(error.value)
    assert "Next: free space" in str(error.value)
    monkeypatch.setenv("KAW_FREE_SPACE_MB", "800")
    upkeep.require_space()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        psycopg.errors.DiskFull("could not extend file"),
        InfrastructureError("dbt: could not extend file base/1: No space left on device"),
    ],
)
def test_a_full_disk_is_said_whatever_ran_into_it(home: Path, error: Exception, monkeypatch, capsys) -> None:
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("include.upkeep.clean", fail)
    assert cli.main(["clean"]) == 3
    assert "Next: free space" in capsys.readouterr().err
    assert not upkeep.is_disk_full(ValueError("no room for doubt"))


# -- retention


def test_what_is_older_than_its_retention_goes_and_the_newest_report_stays(home: Path, monkeypatch, capsys) -> None:
    old = made(home / "reports" / "2024-01-01_run_1" / "report.html", 800)
    newest = made(home / "reports" / "2024-01-02_run_2" / "report.html", 799)
    old_evidence = made(home / "evidence" / "great_expectations_run_1_9_rules.json", 800)
    kept_evidence = made(home / "evidence" / "great_expectations_run_2_9_rules.json", 799)
    old_log, new_log = made(home / "logs" / "run_a.log", 91), made(home / "logs" / "run_b.log", 89)
    assert cli.main(["clean", "--dry-run"]) == 0
    assert "reports older than 730 days: 1 removed, 0.0 MB (nothing was removed)" in capsys.readouterr().out
    assert old.exists()
    assert cli.main(["clean"]) == 0
    told = capsys.readouterr().out
    for path in (old.parent, old_evidence, old_log):
        assert str(path) in told
        assert not path.exists()
    assert all(path.exists() for path in (newest, kept_evidence, new_log))
    monkeypatch.setenv("KAW_KEEP_LOGS", "10")
    upkeep.clean_quietly()
    assert not new_log.exists()


# -- secrets


SECRET = "pa ss@wo/rd:1%x"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://reader:{SECRET}@db.example:5432/contract",
        f"connection to postgresql://reader:{SECRET}@db.example/contract failed",
        f"host=db password='{SECRET}' user=x",
        f'{{"conn_type": "postgres", "password": "{SECRET}"}}',
        f"two: postgresql://a:{SECRET}@h/d and postgresql://b:{SECRET}@i/e",
        f"it said {SECRET}.",
        "quoted: pa%20ss%40wo%2Frd%3A1%25x",
    ],
)
def test_a_secret_with_blanks_and_signs_is_masked_whole(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAW_SOURCE_CONTRACT", f"postgresql://reader:{SECRET}@db.example:5432/contract")
    masked = mask_secrets(text)
    assert "***" in masked
    for part in ("pa ss", "ss@wo", "wo/rd", "rd:1", "1%x", "pa%20"):
        assert part not in masked


def test_a_port_and_a_mail_address_are_no_secret() -> None:
    for text in (
        "see http://127.0.0.1:8080/x, or ask a@b.example",
        "http://host:80 a@b",
        "postgresql://kaw@host:5432/d",
    ):
        assert mask_secrets(text) == text


def test_a_password_may_be_written_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAW_WAREHOUSE", f"postgres://kaw:{SECRET}@db:5432/warehouse?sslmode=require")
    assert settings().warehouse == "postgresql://kaw:pa%20ss%40wo%2Frd%3A1%25x@db:5432/warehouse?sslmode=require"
    monkeypatch.setenv("KAW_WAREHOUSE", "postgresql://kaw:a%20b@db/warehouse")
    assert settings().warehouse == "postgresql://kaw:a%20b@db/warehouse"


# -- a container


def test_a_container_knows_its_code_version_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    assert runs.code_version() == "unknown"
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git" / "packed-refs").write_text(f"# pack-refs\n{commit} refs/heads/main\n")
    assert runs.code_version() == commit
    (tmp_path / ".git" / "refs" / "heads" / "main").write_text(commit[::-1] + "\n")
    assert runs.code_version() == commit[::-1]
    (tmp_path / ".git" / "HEAD").write_text(commit + "\n")
    assert runs.code_version() == commit
