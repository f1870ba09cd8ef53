"""Heads go to every place that is named, come back from it, and a place that does not answer alerts and delays nothing."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from include.local import cli
from include.records import ledger, ledger_heads, ledger_key
from include.records.database import connect
from tests import databases
from tests.tampering import tamper


class Receiver(ThreadingHTTPServer):
    """Takes heads by POST and gives them by GET."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lines: list[bytes] = []
        self.is_broken = False


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.lines.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(b"".join(self.server.lines))

    def _answer(self, body: bytes) -> None:
        self.send_response(500 if self.server.is_broken else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def places(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    repository = tmp_path / "heads.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
    (tmp_path / "folder").mkdir()
    found = {
        "file": str(tmp_path / "folder"),
        "git": f"git+file://{repository}",
        "http": f"http://127.0.0.1:{receiver.server_port}/heads/secret-token",
    }
    monkeypatch.setenv("KAW_LEDGER_HEADS", " ".join(found.values()))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return found


def add_load(url: str, number: int) -> None:
    with connect(url) as conn:
        ledger.append(conn, "load", {"load_id": number})


@pytest.fixture
def in_its_home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    databases.use(monkeypatch, database)
    tamper(database, "truncate quality.ledger")
    return database


def test_a_cut_tail_is_seen_with_any_one_place_outside(
    in_its_home: str, places: dict, receiver: Receiver, capsys
) -> None:
    for number in (1, 2, 3):
        add_load(in_its_home, number)
        assert ledger.write_head(in_its_home)
    names = ["place 1 (file)", "place 2 (git)", "place 3 (http)"]
    assert ledger.look_at(in_its_home).anchored_to == names
    assert len(receiver.lines) == 3
    assert cli.main(["verify"]) == 0
    assert "Intact." in capsys.readouterr().out

    former = ledger_heads.read(receiver.lines[0].decode())
    tamper(in_its_home, f"delete from quality.ledger where entry_no > {former.entry_no}")
    ledger.default_head_file().write_text(former.as_line())  # set back to one that the key signed
    problems = ledger.verify(in_its_home)
    for name in names:
        assert any(problem.startswith("the tail was cut: the " + name) for problem in problems), name
    assert cli.main(["verify", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["intact"], answer["problems"]) == (False, problems)
    assert "secret-token" not in json.dumps(answer)


def test_an_auditor_elsewhere_needs_the_public_key_and_a_head_only(
    in_its_home: str, tmp_path: Path, monkeypatch
) -> None:
    add_load(in_its_home, 1)
    ledger.write_head(in_its_home)
    head, key = ledger.default_head_file(), ledger_key.given().public
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "the auditor's"))
    assert cli.main(["verify", "--head", str(head), "--public-key", key]) == 0
    other = ("A" if key[0] != "A" else "B") + key[1:]
    assert cli.main(["verify", "--head", str(head), "--public-key", other]) == 1


def test_a_place_that_does_not_answer_alerts_once_and_is_left_alone(
    in_its_home: str, places: dict, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr(ledger_heads, "alert", lambda kind, message, *_, **__: told.append((kind, message)))
    receiver.is_broken = True
    for number in (1, 2):
        add_load(in_its_home, number)
        assert ledger.write_head(in_its_home)
    assert told == [
        ("head_not_sent", "place 3 (http) of KAW_LEDGER_HEADS did not take the ledger's head: it answered 500.")
    ]
    assert len(receiver.lines) == 1
    assert ledger.look_at(in_its_home).anchored_to == ["place 1 (file)", "place 2 (git)"]
    receiver.is_broken = False
    monkeypatch.setattr(ledger_heads, "PAUSE_S", 0)
    add_load(in_its_home, 3)
    assert ledger.write_head(in_its_home)
    assert len(receiver.lines) == 2


def test_without_a_place_outside_the_ledger_says_that_it_is_not_anchored(in_its_home: str) -> None:
    ledger.write_head(in_its_home)
    assert ledger.look_at(in_its_home).notes == [
        "not anchored: no place outside this home keeps a head that was read; set KAW_LEDGER_HEADS."
    ]
