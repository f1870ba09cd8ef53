"""`./kaw doctor` looks and changes nothing; `./kaw down` lets a night end; mistakes on the command line are named."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import psycopg
import pytest

from include.local import cli, doctor, scheduler, server
from include.local.cli import airflow
from include.local.completion import commands, script
from include.local.run import only_one
from include.records import runs
from include.settings import Settings
from tests import databases

Disk = namedtuple("Disk", "total used free")


def found(capsys, code: int = 0) -> dict[str, dict]:
    capsys.readouterr()
    assert cli.main(["doctor", "--json"]) == code
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def test_on_a_machine_where_nothing_was_run_it_makes_nothing(fresh_home: Settings, capsys) -> None:
    checks = found(capsys)
    assert not fresh_home.home.exists()
    assert {check["state"] for check in checks.values()} <= {"good", "attention"}
    assert checks["home"]["text"] == f"{fresh_home.home} (not made yet)"
    assert checks["server"]["text"] == "the embedded PostgreSQL is made by the first ./kaw run"
    assert checks["door"]["text"] == "is closed (./kaw bi)"
    assert checks["source metering"]["text"] == "simulated"
    assert "dbt-core 1.11" in checks["packages"]["text"]
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("Nothing stands in the way.\n")


def test_it_says_what_stands_in_the_way_and_what_to_do(fresh_home: Settings, monkeypatch, capsys) -> None:
    monkeypatch.setenv("KAW_SOURCE_MARKETING", "postgresql://reader:hush@127.0.0.1:9/marketing")
    monkeypatch.setenv("KAW_SOURCE_CONTRACT", "/nowhere/contract")
    monkeypatch.setenv("KAW_WAREHOUSE", "postgresql://kaw:hush@127.0.0.1:9/warehouse")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Disk(100 << 30, 98 << 30, 2 << 30))
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 1))
    checks = found(capsys, 3)
    states = {name: check["state"] for name, check in checks.items()}
    assert {name for name, state in states.items() if state == "bad"} == {
        "Python",
        "warehouse",
        "source marketing",
        "source contract",
    }
    assert states["disk of the home"] == "attention"
    assert checks["disk of the home"]["text"].startswith("2.0 GB of 100.0 GB free at ")
    assert checks["source marketing"]["text"] == "postgresql://reader:***@127.0.0.1:9/marketing: Connection refused"
    assert checks["source contract"]["next_step"] == "correct KAW_SOURCE_CONTRACT."
    assert "hush" not in json.dumps(checks)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Disk(100 << 30, 99 << 30, 1 << 29))
    assert found(capsys, 3)["disk of the home"]["state"] == "bad"


@pytest.mark.parametrize(
    ("state", "seen"),
    [("published", "good"), ("blocked", "attention"), ("failed", "attention"), ("running", "attention")],
)
def test_it_tells_how_the_last_run_ended(database: str, fresh_home, monkeypatch, capsys, state: str, seen: str) -> None:
    databases.use(monkeypatch, database)
    with psycopg.connect(database) as conn:
        conn.execute("insert into quality.runs (business_date, state) values ('2026-07-09', 'published')")
        conn.execute("insert into quality.runs (business_date, state) values ('2026-07-10', %s)", [state])
    checks = found(capsys)
    assert (checks["last run"]["text"], checks["last run"]["state"]) == (f"run 2 of 2026-07-10: {state}", seen)
    assert checks["schema"]["text"] == "is that of this code"


def test_a_schema_that_is_behind_is_named(empty_database: str, fresh_home, monkeypatch, capsys) -> None:
    monkeypatch.setenv("KAW_WAREHOUSE", empty_database)
    checks = found(capsys)
    assert checks["schema"]["state"] == "attention"
    assert checks["schema"]["next_step"] == "make one with ./kaw run."


def test_a_settings_mistake_is_a_check_too(monkeypatch, capsys) -> None:
    monkeypatch.setenv("KAW_LANG", "de")
    assert cli.main(["doctor"]) == 3
    assert "Next: set it to en or zh" in capsys.readouterr().out


def test_what_is_at_work_is_seen_by_its_lock(database: str) -> None:
    assert runs.at_work(database) is None
    with psycopg.connect(database) as reader:
        reader.execute("select from quality.night_lock, quality.run_lock")
        assert runs.at_work(database) is None
    with only_one(database):
        assert runs.at_work(database) == "its sources are landing"
        with psycopg.connect(database) as conn:
            conn.execute("insert into quality.runs (business_date, state) values ('2026-07-10', 'running')")
        assert runs.at_work(database) == "run 1 of 2026-07-10"
    with runs.alone(database):
        assert runs.at_work(database) == "run 1 of 2026-07-10"
    assert runs.at_work(database) is None


class Night:
    """A server of which `down` believes that a night is at work for some looks; notes that it was stopped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
        self.looks, self.stopped = looks, False
        monkeypatch.setattr(server, "is_running", lambda _=None: not self.stopped)
        monkeypatch.setattr(server, "warehouse_url", lambda _=None: "postgresql://nowhere/x")
        monkeypatch.setattr(server, "stop", self._stop)
        monkeypatch.setattr(scheduler, "down", lambda: False)
        monkeypatch.setattr(runs, "at_work", self._look)
        monkeypatch.setattr(airflow, "NIGHT_PAUSE_S", 0)

    def _stop(self, _=None) -> None:
        assert not self.stopped
        self.stopped = True

    def _look(self, _) -> str | None:
        self.looks -= 1
        return "run 3 of 2026-07-10" if self.looks >= 0 else None


def test_down_waits_for_the_end_of_a_night(fresh_home, monkeypatch, capsys) -> None:
    night = Night(monkeypatch, looks=3)
    assert cli.main(["down"]) == 0
    said = capsys.readouterr().out
    assert said.count("A night is at work (run 3 of 2026-07-10): waiting for its end.") == 1
    assert said.endswith("The night has ended.\nStopped.\n")
    assert night.stopped
    assert night.looks < 0


def test_down_now_does_not_wait(fresh_home, monkeypatch, capsys) -> None:
    night = Night(monkeypatch, looks=3)
    assert cli.main(["down", "--now"]) == 0
    assert night.stopped
    assert night.looks == 3
    assert capsys.readouterr().out == "Stopped.\n"


@pytest.mark.parametrize(("answer", "code"), [("", 2), ("n", 2), ("y", 0)])
def test_down_asks_who_sits_in_front_of_a_terminal(fresh_home, monkeypatch, capsys, answer: str, code: int) -> None:
    night = Night(monkeypatch, looks=3)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or answer)
    assert cli.main(["down"]) == code
    assert asked == ["A night is at work (run 3 of 2026-07-10). Stop it in the middle? [y/N] "]
    assert night.stopped is (code == 0)
    if code == 0:
        assert "The night was stopped in the middle (run 3 of 2026-07-10)" in capsys.readouterr().out


# -- mistakes on the command line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["waive", "NO-99", "--approver", "a", "--reason", "b"], "There is no rule 'NO-99'."),
        (["waive", "MET-2", "--approver", "a", "--reason", "b"], "did you mean MET-02"),
        (["waive", "MET-02", "--approver", "a", "--reason", "b"], "--scope, --until must be given."),
        (["simulate", "made", "--accounts", "3"], "Next: see ./kaw simulate --help."),
        (["simulate", "/proc/x", "--accounts", "20"], "The folder /proc/x cannot be written"),
        (["worklists", "/proc/x/y"], "The folder /proc/x/y cannot be written"),
    ],
)
def test_a_mistake_is_named_before_anything_is_made(
    fresh_home, monkeypatch, tmp_path: Path, capsys, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_error_without_a_place_for_its_log_is_still_one_message(monkeypatch, capsys) -> None:
    def fails(_=None):
        raise ZeroDivisionError("by zero")

    monkeypatch.setenv("KAW_HOME", "/proc/x")
    monkeypatch.setattr(doctor, "examine", fails)
    assert cli.main(["doctor"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("kaw: ZeroDivisionError: by zero")
    assert "error.log (could not be written)" in said


# -- completion


def test_a_shell_completes_commands_options_and_choices(tmp_path: Path) -> None:
    (tmp_path / "kaw.sh").write_text(script(cli.parser(), "bash"))

    def completed(*words: str) -> list[str]:
        line = f'. {tmp_path / "kaw.sh"}; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _kaw; echo "${{COMPREPLY[@]}}"'
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.split()

    assert completed("./kaw", "fi") == ["findings"]
    assert completed("./kaw", "bi", "--n") == ["--new-password", "--no-superset"]
    assert completed("./kaw", "bi", "m") == ["manager"]
    assert completed("./kaw", "completion", "z") == ["zsh"]
    assert completed("./kaw", "findings", "--source", "mete") == []  # values of options are left to the shell
    known = commands(cli.parser())
    assert {"run", "bi", "doctor", "down"} <= known.keys()
    assert "--rich" in known["run"]


def test_zsh_gets_its_own_prelude() -> None:
    assert script(cli.parser(), "zsh").startswith("autoload -U +X compinit")
