"""Programs that go on after the command that started them has ended, noted in a folder of the home and stopped whole."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil

from include.local.server import HOST, is_free
from include.settings import ROOT

PATIENCE_S = 10  # between asking a process to end and killing it


class Background:
    """The programs of one folder. Each leads a session of its own; its output is `logs/<name>.log`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def start(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts a program, with this process's environment where none is given."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=ROOT,
                env=environment,
            )
        noted = self._noted() | {name: [process.pid, psutil.Process(process.pid).create_time()]}
        self._file.write_text(json.dumps(noted))

    def running(self) -> list[psutil.Process]:
        return [process for noted in self._noted().values() if (process := _process(*noted))]

    def ended(self) -> list[str]:
        """Names of the programs that were started and are gone."""
        return sorted(name for name, noted in self._noted().items() if _process(*noted) is None)

    def stop(self) -> bool:
        """Ends every process of every program; True where there was one."""
        family = self._family()
        for process in family:
            _signal(process, signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
        for process in alive:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(alive, timeout=5)
        self._file.unlink(missing_ok=True)
        return bool(family)

    @property
    def _file(self) -> Path:
        return self.folder / "processes.json"

    def _family(self) -> list[psutil.Process]:
        """Also the processes whose program was killed: each program leads a session, which its children keep."""
        begun = {pid: born for pid, born in self._noted().values() if not _is_another(pid, born)}
        found = {child for process in self.running() for child in [process, *process.children(recursive=True)]}
        for process in psutil.process_iter():
            try:
                if process.create_time() >= begun.get(os.getsid(process.pid), float("inf")) - 1:
                    found.add(process)
            except (psutil.Error, ProcessLookupError, PermissionError):
                continue
        return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

    def _noted(self) -> dict[str, list]:
        """Process id and time of birth of each program that was started; an id alone may be somebody else's by now."""
        try:
            return json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}


def _is_another(pid: int, born: float) -> bool:
    """Whether the number is that of a process born at another time, as after a restart of the machine."""
    try:
        return abs(psutil.Process(pid).create_time() - born) > 1
    except psutil.Error:
        return False


def ask(address: str, timeout_s: float = 5):
    """The answer of a program on this machine, past any proxy that the environment names. Raises OSError where there is none."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=timeout_s)


def free_port(preferred: int) -> int:
    """The port where one looks first, or another that is free on 127.0.0.1."""
    if is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _process(pid: int, created: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        is_ours = abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if is_ours else None


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
