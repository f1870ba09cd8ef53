"""Files are read in a child process: what they do to their reader, with memory, time or a crash, they do to it alone.

A child reads one file after the other and is replaced when it died. It gets a handle of each file and neither the secrets nor
the environment of its parent, may write no file, and answers with Arrow batches and JSON. `reading_child.py` is what runs in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from include.errors import InfrastructureError
from include.landing.delivery import FileProblem
from include.landing.files import Found, with_lines
from include.settings import Settings

if TYPE_CHECKING:  # the process that reads files starts without the contracts
    from include.contracts import Table
    from include.landing.mapping import TableMap

ALWAYS_READ_MIB = 256  # to which a file may expand, however small it is
FRAME = struct.Struct("!cQ")
READY, BATCH, LINES, END, PROBLEM = b"R", b"B", b"L", b"E", b"P"
_START_S = 60
_BUFFER = 1 << 20
_GRACE_S = 10  # beyond the time of a file, until a child that does not end by itself is ended
# One thread and the system's allocator: what is reserved and never used must not count as memory.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass
class Content:
    """Rows of the contract's columns as text with the line of each, the columns as delivered, and what was noted of the rest."""

    rows: pa.Table
    malformed: list[tuple[int, str]]
    names: list[str]
    notices: list[str]
    slot_minutes: int | None = None  # of a mapped file that has slots


@dataclass
class Reader:
    """Reads the files of a load. To be closed; started by the first file, or before, so that nobody waits for it."""

    limits: Settings
    _child: subprocess.Popen | None = field(default=None, repr=False)
    _socket: socket.socket | None = field(default=None, repr=False)
    _is_ready: bool = False

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Starts a child and does not wait for it."""
        if self._child:
            return
        own, other = socket.socketpair()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._socket, self._is_ready = own, False
        given = {"memory_mib": self.limits.reader_memory_mib, "seconds": self.limits.reader_seconds}
        with other:
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-B",
                    "-P",
                    "-s",
                    "-m",
                    "include.landing.reading_child",
                    f"{other.fileno()}",
                    json.dumps(given),
                ],
                env=_ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[other.fileno()],
            )

    def close(self) -> int | None:
        """Ends the child; returns how it ended where it did so before."""
        if not self._child:
            return None
        self._socket.close()
        ended = self._child.poll()
        self._child.kill()
        self._child.wait()
        self._child.stderr.close()
        self._child = self._socket = None
        return ended

    def read(
        self,
        file: BinaryIO,
        suffix: str,
        table: Table,
        *,
        is_known_whole: bool = False,
        layout: dict | None = None,
        announced_rows: int | None = None,
        mapped: TableMap | None = None,
    ) -> Content:
        """What is in a file; `suffix` names its kind, `layout` how an interval file is read, `mapped` one of the utility's own.

        Raises FileProblem where it cannot be read within the limits, and InfrastructureError where no child can be started.
        """
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        limit = min(max(ALWAYS_READ_MIB << 20, int(size * self.limits.file_ratio)), int(4 * self.limits.file_mib) << 20)
        request = {
            "suffix": suffix,
            "columns": [column.name for column in table.columns],
            "table": table if layout or mapped else None,
            "is_known_whole": is_known_whole,
            "layout": layout,
            "announced_rows": announced_rows,
            "mapped": mapped,
            "most_bytes": limit,
        }
        self.start()
        try:
            self._wait_until_ready()
            content = pickle.dumps(request)
            self._socket.settimeout(self.limits.reader_seconds + _GRACE_S)
            self._socket.sendall(struct.pack("!Q", len(content)) + content)
            socket.send_fds(self._socket, [b"f"], [file.fileno()])
            return self._answer(2 * limit + (64 << 20))
        except (EOFError, OSError, pa.ArrowInvalid) as error:
            raise FileProblem(self._how_it_ended(error)) from None

    def _answer(self, most_bytes: int) -> Content:
        batches, total, lines = [], 0, None
        while True:
            kind, size = FRAME.unpack(self._receive(FRAME.size))
            total += size
            if total > most_bytes:  # it should have stopped by itself
                self.close()
                raise FileProblem("it expands to more than is read of a file of its size; deliver it in parts")
            content = self._receive(size)
            if kind == BATCH:
                batches.append(pa.ipc.open_stream(pa.py_buffer(content)).read_all())
                batches[-1].validate(full=True)
            elif kind == LINES:
                lines = array("q", bytes(content))
            else:
                break
        answer = json.loads(content)
        if answer["is_over"]:
            self.close()
        if kind == PROBLEM:
            raise FileProblem(answer["problem"])
        found = Found([(number, text) for number, text in answer["malformed"]], lines, first_line=answer["first_line"])
        rows = pa.concat_tables(batches)
        malformed = found.malformed
        if not answer["has_lines"]:
            rows, malformed = with_lines(rows, found)
        return Content(rows, malformed, answer["names"], answer["notices"], answer.get("slot_minutes"))

    def _receive(self, size: int) -> bytearray:
        content = bytearray(size)
        view = memoryview(content)
        while view:
            got = self._socket.recv_into(view)
            if not got:
                raise EOFError
            view = view[got:]
        return content

    def _wait_until_ready(self) -> None:
        if self._is_ready:
            return
        self._socket.settimeout(_START_S)
        try:
            self._is_ready = self._receive(1) == READY
        except (EOFError, OSError):
            self._child.kill()
            said = " ".join(self._child.stderr.read().decode("utf-8", "replace").split())[-300:]
            self.close()
            raise InfrastructureError(
                f"The process that reads files does not start: {said or 'it says nothing'}.",
                where="include.landing.reading_child",
                next_step="repeat the command; where it fails again, ./kaw doctor.",
            ) from None

    def _how_it_ended(self, error: Exception) -> str:
        limits = self.limits
        if isinstance(error, EOFError):  # it has closed its end
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_GRACE_S)
        ended = self.close()
        if isinstance(error, TimeoutError) or ended == -signal.SIGALRM:
            return f"it takes longer than {limits.reader_seconds:g} s to read; deliver it in parts, or raise KAW_READER_SECONDS"
        if ended == -signal.SIGABRT:  # libraries in C++ break off where they get no memory
            return memory_problem(
                limits.reader_memory_mib, "or is damaged: the process that reads it broke off (SIGABRT)"
            )
        name = signal.Signals(-ended).name if ended and ended < 0 else f"code {ended}"
        return f"the process that reads it broke off ({name}): it is damaged, or made for that; deliver it again"


def memory_problem(mebibytes: float, otherwise: str = "") -> str:
    said = f"it takes more than {mebibytes:,.0f} MiB of memory to read{otherwise and ', ' + otherwise}"
    return f"{said}; deliver it in parts, or raise KAW_READER_MEMORY_MIB"
