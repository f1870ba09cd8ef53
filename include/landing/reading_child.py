"""The process that reads files, one after the other, for `reading.py`. It holds no secret and writes no file."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import signal
import socket
import struct
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa

from include.landing.delivery import FileProblem, header_problem
from include.landing.files import Found, empty, read_csv, read_parquet, with_lines
from include.landing.reading import BATCH, END, FRAME, LINES, PROBLEM, READY, memory_problem
from include.landing.workbooks import read_xlsx

READERS = {".csv": read_csv, ".parquet": read_parquet, ".xlsx": read_xlsx}
_LIBRARIES_MIB = 96  # of the memory, what programs and stacks take; the limit is on data
_KEPT_SHARE = 0.4  # of its memory; a process that keeps more after a file is replaced


def main(handle: int, memory_mib: float, seconds: float) -> None:
    """Answers requests until its parent goes away."""
    parent = socket.socket(fileno=handle)
    list(read_csv(io.BytesIO(b"a\n1\n"), False, Found()))  # its threads start before they have limits
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory_mib - _LIBRARIES_MIB) << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    parent.sendall(READY)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    while size := parent.recv(8, socket.MSG_WAITALL):
        request = pickle.loads(parent.recv(struct.unpack("!Q", size)[0], socket.MSG_WAITALL))  # of its parent
        _, handles, _, _ = socket.recv_fds(parent, 1, 1)
        with os.fdopen(handles[0], "rb") as file:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                told = _read(file, partial(_send, parent), **request) | {"is_over": False}
            except FileProblem as problem:
                told = {"is_over": False, "problem": str(problem)}
            except (MemoryError, pa.ArrowMemoryError):
                told = {"is_over": True, "problem": memory_problem(memory_mib)}
            except Exception as error:
                told = {"is_over": True, "problem": f"it cannot be read ({type(error).__name__}); deliver it again"}
            signal.setitimer(signal.ITIMER_REAL, 0)
        told["is_over"] |= _data_bytes() > _KEPT_SHARE * memory_mib * (1 << 20)
        _send(parent, PROBLEM if "problem" in told else END, json.dumps(told).encode())


def _read(file, send, *, suffix, columns, table, is_known_whole, layout, announced_rows, mapped, most_bytes) -> dict:
    """Sends the batches of a file; returns what else was found."""
    if mapped:
        return _read_mapped(file, send, table, mapped)
    found = Found(most_bytes=most_bytes)
    names, total, kept = [], 0, []
    for batch in READERS[suffix](file, is_known_whole, found):
        if not names:
            names = batch.schema.names
            problem = None if layout else header_problem(columns, names)
            if problem:
                raise FileProblem(problem)
        total += batch.nbytes
        if total > most_bytes:
            raise FileProblem(
                f"it expands to more than the {most_bytes >> 20:,} MiB that are read of a file of its size;"
                " deliver it in parts, or raise KAW_FILE_RATIO"
            )
        if layout:
            kept.append(batch)
        else:
            send(BATCH, _bytes(batch.select(columns)))
    malformed = found.malformed
    if layout:
        rows, malformed = with_lines(pa.Table.from_batches(kept), found)
        count = rows.num_rows + len(malformed)
        if announced_rows not in (None, count):
            raise FileProblem(f"{announced_rows} rows were announced, {count} came")
        from include.landing.intervals import day_curves

        curves = day_curves(rows, layout, table)
        for batch in (empty(curves.schema), *curves.to_batches()):
            send(BATCH, _bytes(batch))
    elif found.lines is not None:
        send(LINES, found.lines.tobytes())
    return {
        "malformed": malformed,
        "names": names,
        "notices": found.notices,
        "first_line": found.first_line,
        "has_lines": bool(layout),
    }


def _read_mapped(file, send, table, mapped) -> dict:
    from include.landing.mapping import read_mapped

    content = file.read()
    if not content:
        raise FileProblem("the file is empty")
    rows, malformed, slot_minutes = read_mapped(content, table, mapped)
    for batch in (empty(rows.schema), *rows.to_batches()):
        send(BATCH, _bytes(batch))
    return {
        "malformed": malformed,
        "names": rows.column_names,
        "notices": [],
        "first_line": 1,
        "has_lines": True,
        "slot_minutes": slot_minutes,
    }


def _data_bytes() -> int:
    """What the limit counts; 0 where the system does not say it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except OSError:
        return 0


def _bytes(batch: pa.RecordBatch) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return memoryview(sink.getvalue())


def _send(parent: socket.socket, kind: bytes, content: bytes | memoryview) -> None:
    parent.sendall(FRAME.pack(kind, len(content)))
    parent.sendall(content)


if __name__ == "__main__":
    main(int(sys.argv[1]), **json.loads(sys.argv[2]))
