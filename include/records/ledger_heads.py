"""Heads of the ledger: number and digest of its last entry, signed, in the home and at every place of KAW_LEDGER_HEADS.

A place is a file or folder (a path, or file://...), a Git repository (git+https://..., git+ssh://..., git+file://...), or an
HTTP receiver, which takes each head as JSON by POST and gives what it took, one JSON object a line, by GET. Files and
repositories only grow, a line a head. Addresses may hold secrets: messages name a place by its number and kind.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.alerts import alert, clear
from include.records.ledger_key import Key, is_signed
from include.settings import settings

FILE_NAME = "ledger.heads"
TIMEOUT_S = 5  # of a receiver; a repository gets four times as long
PAUSE_S = 600  # a place that did not answer is left alone this long: it delays a night once
READ_LIMIT = 16 * 1024**2


@dataclass(frozen=True)
class Head:
    """`at` is the instant of signing (UTC, ISO 8601). A head of before has neither it nor a signature."""

    entry_no: int
    digest: str
    at: str = ""
    public_key: str = ""
    signature: str = ""

    @property
    def text(self) -> str:
        return f"kaw ledger head\n{self.entry_no}\n{self.digest}\n{self.at}"

    @property
    def is_signed(self) -> bool:
        return is_signed(self.public_key, self.signature, self.text)

    def as_line(self) -> str:
        return json.dumps(asdict(self), sort_keys=True) + "\n"


def signed(entry_no: int, digest: str, key: Key) -> Head:
    head = Head(entry_no, digest, datetime.now(UTC).isoformat(timespec="microseconds"), key.public)
    return Head(head.entry_no, head.digest, head.at, head.public_key, key.sign(head.text))


def read(text: str) -> Head | None:
    """A head from its JSON; None where it is none."""
    try:
        content = json.loads(text)
        names = ("at", "public_key", "signature")
        return Head(int(content["entry_no"]), str(content["digest"]), *(str(content.get(name, "")) for name in names))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class Unreachable(Exception):
    """A place did not take or give heads; the text names no address."""


@dataclass(frozen=True)
class Place:
    """One of KAW_LEDGER_HEADS, by its number there, from 1."""

    number: int
    address: str

    @property
    def kind(self) -> str:
        scheme = urlsplit(self.address).scheme.lower()
        return "git" if scheme.startswith("git+") else scheme if scheme in ("http", "https") else "file"

    @property
    def name(self) -> str:
        return f"place {self.number} ({self.kind})"

    @property
    def id(self) -> str:
        return hashlib.sha256(self.address.encode()).hexdigest()[:16]

    def send(self, head: Head) -> None:
        """Raises Unreachable."""
        match self.kind:
            case "git":
                self._send_to_repository(head)
            case "file":
                self._send_to_file(self._path(), head)
            case _:
                self._ask("POST", head.as_line().encode())

    def heads(self) -> list[Head]:
        """What the place keeps, the oldest first. Raises Unreachable."""
        match self.kind:
            case "git":
                text = self._text_of_repository()
            case "file":
                path = self._path()
                try:
                    text = path.read_text() if path.exists() else ""
                except (OSError, UnicodeDecodeError) as error:
                    raise Unreachable(type(error).__name__) from None
            case _:
                text = self._ask("GET").decode(errors="replace")
        return [head for line in text.splitlines() if (head := read(line))]

    # -- a file

    def _path(self) -> Path:
        parts = urlsplit(self.address)
        path = Path(unquote(parts.path) if parts.scheme == "file" else self.address).expanduser().absolute()
        return path / FILE_NAME if path.is_dir() else path

    def _send_to_file(self, path: Path, head: Head) -> None:
        try:
            with path.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(head.as_line())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Unreachable(error.strerror or type(error).__name__) from None

    # -- a receiver

    def _ask(self, method: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(
            self.address, data=body, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return answer.read(READ_LIMIT)
        except urllib.error.HTTPError as error:
            raise Unreachable(f"it answered {error.code}") from None
        except Exception as error:  # no text of it: it may hold the address
            raise Unreachable(type(error).__name__) from None

    # -- a repository: a clone in the home, whose lines are pushed

    def _send_to_repository(self, head: Head) -> None:
        clone = self._clone()
        for _ in range(3):  # another warehouse may push between our fetch and our push
            self._fetch(clone)
            self._send_to_file(clone / FILE_NAME, head)
            self._git("-C", str(clone), "add", FILE_NAME)
            identity = ("-c", "user.name=kaw", "-c", "user.email=kaw@localhost", "-c", "commit.gpgsign=false")
            self._git("-C", str(clone), *identity, "commit", "-q", "-m", f"Ledger head {head.entry_no}")
            try:
                self._git("-C", str(clone), "push", "-q", "origin", "HEAD:refs/heads/main")
                return
            except Unreachable as error:
                problem = error
        raise problem

    def _text_of_repository(self) -> str:
        clone = self._clone()
        self._fetch(clone)
        path = clone / FILE_NAME
        return path.read_text() if path.exists() else ""

    def _clone(self) -> Path:
        clone = settings().home / "heads" / self.id
        if not (clone / ".git").exists():
            clone.mkdir(parents=True, exist_ok=True)
            clone.parent.chmod(0o700)
            self._git("init", "-q", "-b", "main", str(clone))
            self._git("-C", str(clone), "remote", "add", "origin", self.address.removeprefix("git+"))
        return clone

    def _fetch(self, clone: Path) -> None:
        self._git("-C", str(clone), "fetch", "-q", "origin")
        has_main = self._git("-C", str(clone), "branch", "-r", "--list", "origin/main")
        if has_main.strip():
            self._git("-C", str(clone), "checkout", "-q", "-B", "main", "origin/main", "--force")

    def _git(self, *arguments: str) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": f"ssh -oBatchMode=yes -oConnectTimeout={TIMEOUT_S}",
        }
        try:
            done = subprocess.run(
                ["git", *arguments], env=environment, capture_output=True, text=True, timeout=4 * TIMEOUT_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Unreachable("git is not installed" if isinstance(error, OSError) else type(error).__name__) from None
        if done.returncode:
            verb = next((word for word in arguments if word in ("init", "fetch", "push", "commit", "checkout")), "git")
            raise Unreachable(f"git {verb} ended with {done.returncode}")
        return done.stdout


def places() -> list[Place]:
    return [Place(number, address) for number, address in enumerate(settings().ledger_heads, 1)]


def send(head: Head) -> list[str]:
    """Sends a head to every place; returns the names of those that took it. One that does not alerts, and delays nothing for long."""
    taken = []
    failed = _failed()
    before = dict(failed)
    for place in places():
        if time.time() - failed.get(place.id, 0) < PAUSE_S:
            continue
        try:
            place.send(head)
        except Unreachable as error:
            failed[place.id] = time.time()
            alert(
                "head_not_sent",
                f"{place.name} of KAW_LEDGER_HEADS did not take the ledger's head: {error}.",
                {"place": place.number, "entry_no": head.entry_no},
                cause=f"head_not_sent:{place.id}",
                next_step="let it answer again; the next head is sent to it, and ./kaw verify reads it.",
            )
        else:
            taken.append(place.name)
            failed.pop(place.id, None)
            if place.id in before:
                clear(f"head_not_sent:{place.id}")
    if failed != before:
        path = _failures()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(failed))
    return taken


def kept(is_patient: bool = False) -> Iterator[tuple[Place, list[Head], str | None]]:
    """Each place with the heads that it keeps, and why it could not be read. One that lately failed is asked again only with patience."""
    failed = _failed()
    for place in places():
        if not is_patient and time.time() - failed.get(place.id, 0) < PAUSE_S:
            yield place, [], "it did not answer lately"
            continue
        try:
            yield place, place.heads(), None
        except Unreachable as error:
            yield place, [], str(error)


def _failures() -> Path:
    return settings().home / "heads" / "failed.json"


def _failed() -> dict[str, float]:
    try:
        return dict(json.loads(_failures().read_text()))
    except (OSError, ValueError, TypeError):
        return {}
