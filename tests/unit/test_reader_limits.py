"""A reader's child has limits, its death refuses one file, and no bytes whatever end in an exception."""

from __future__ import annotations

import os
import random
import resource
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from include.contracts import all_tables
from include.errors import InfrastructureError
from include.landing import reading
from include.landing.delivery import Delivery, FileProblem, Refusal
from include.landing.folders import Landed, read_folder
from include.landing.opening import opened_file, opened_folder
from include.landing.reading import Reader
from include.settings import Settings
from tests.hostile import BYTES, GOOD, HEADER, LINE, TABLE, XLSX, parquet
from tests.landing import DAY, READER

METER = all_tables()[TABLE]


def limits(**given: float) -> Settings:
    return Settings(home=Path("none"), **given)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / TABLE).mkdir()
    return tmp_path


def read(folder: Path, reader: Reader) -> dict[str, str]:
    """What became of each file: the number of its rows, or why it was refused."""
    found = list(read_folder(reader, folder, METER, DAY, Landed()))
    return {
        each.file_name.partition("/")[2]: each.problem if isinstance(each, Refusal) else str(each.rows.num_rows)
        for each in found
    }


def test_a_file_that_takes_too_long_is_refused_and_the_others_go_on(folder):
    """A fiftieth of a second is too short for 18 MB on any machine; the next file has the usual time."""
    (folder / TABLE / "a.csv").write_text(HEADER + LINE * 1_000_000)
    with Reader(limits(reader_seconds=0.02)) as reader:
        found = read(folder, reader)
        assert found["a.csv"] == "it takes longer than 0.02 s to read; deliver it in parts, or raise KAW_READER_SECONDS"
        (folder / TABLE / "a.csv").write_bytes(BYTES)
        reader.limits = limits()
        assert read(folder, reader) == {"a.csv": "2"}


def test_a_reader_that_stands_still_is_ended(folder, monkeypatch):
    """Stopped, it has no alarm either: its parent waits for the time of a file and a grace."""
    (folder / TABLE / "a.csv").write_bytes(BYTES)
    send = reading.socket.send_fds

    def stop(*arguments):
        os.kill(reader._child.pid, signal.SIGSTOP)
        return send(*arguments)

    monkeypatch.setattr(reading.socket, "send_fds", stop)
    monkeypatch.setattr(reading, "_GRACE_S", 0)
    with Reader(limits(reader_seconds=0.5)) as reader:
        assert read(folder, reader)["a.csv"].startswith("it takes longer than 0.5 s to read")


def test_a_file_that_takes_too_much_memory_is_refused_and_the_others_go_on(folder):
    (folder / TABLE / "a.csv").write_text(HEADER + "M" * 30_000_000 + LINE)
    (folder / TABLE / "b.csv").write_bytes(BYTES)
    with Reader(limits(reader_memory_mib=300)) as reader:
        found = read(folder, reader)
    assert found["a.csv"].startswith("it takes more than 300 MiB of memory to read")
    assert found["b.csv"] == "2"


@pytest.mark.parametrize("sent", [signal.SIGSEGV])
def test_a_reader_that_dies_is_replaced(folder, monkeypatch, sent):
    for name in "abc":
        (folder / TABLE / f"{name}.csv").write_bytes(BYTES)
    with Reader(limits()) as reader:
        send, killed = reading.socket.send_fds, []

        def kill_at_the_second(*arguments):
            killed.append(reader._child.pid)
            if len(killed) == 2:
                os.kill(killed[-1], sent)
                reader._child.wait()
            return send(*arguments)

        monkeypatch.setattr(reading.socket, "send_fds", kill_at_the_second)
        found = read(folder, reader)
    assert (found["a.csv"], found["c.csv"]) == ("2", "2")
    assert found["b.csv"].startswith(f"the process that reads it broke off ({sent.name})")
    assert len(set(killed)) == 2


def test_a_reader_that_does_not_start_is_no_fault_of_the_file(folder, monkeypatch):
    (folder / TABLE / "a.csv").write_bytes(BYTES)
    monkeypatch.setattr(reading.sys, "path", [])
    with Reader(limits()) as reader, pytest.raises(InfrastructureError, match=r"does not start: .*include"):
        read(folder, reader)


def test_the_child_has_no_secret_writes_no_file_and_ends_with_its_parent(folder, monkeypatch):
    monkeypatch.setenv("KAW_WAREHOUSE", "postgresql://a:secret@b/c")
    (folder / TABLE / "a.csv").write_bytes(BYTES)
    with Reader(limits()) as reader:
        assert read(folder, reader) == {"a.csv": "2"}
        proc = Path(f"/proc/{reader._child.pid}")
        assert b"secret" not in (proc / "environ").read_bytes()
        assert resource.prlimit(reader._child.pid, resource.RLIMIT_FSIZE) == (0, 0)
        assert resource.prlimit(reader._child.pid, resource.RLIMIT_CORE) == (0, 0)
        reader._socket.close()
        assert reader._child.wait(5) == 0


def test_a_large_file_stays_within_the_memory_and_all_of_it_lands(folder):
    """Batches leave the child as they are read; what it holds of 35 MB is a few blocks."""
    rows = 600_000
    (folder / TABLE / "a.csv").write_text(
        HEADER + (LINE.replace(",,", ",0123456789012345678901234567890123456789,", 1)) * rows
    )
    assert (folder / TABLE / "a.csv").stat().st_size > 32 << 20
    with Reader(limits(reader_memory_mib=270)) as reader:
        assert read(folder, reader) == {"a.csv": f"{rows}"}


def test_a_file_that_changes_while_it_is_read_is_refused(folder):
    path = folder / TABLE / "a.csv"
    path.write_bytes(BYTES)

    def read_slowly(handle: int) -> None:
        with opened_file(handle, "a.csv", 1) as file:
            assert file.read() == BYTES
            time.sleep(0.02)  # the clock of a file system has ticks
            path.write_text(GOOD.replace("M1", "M7"))

    with opened_folder(folder, TABLE) as handle, pytest.raises(FileProblem, match="changed while it was read"):
        read_slowly(handle)


def test_a_pipe_put_in_the_place_of_a_file_is_seen_on_the_open_handle(folder, monkeypatch):
    path, stat_of = folder / TABLE / "a.csv", os.stat
    path.write_bytes(BYTES)

    def exchanged(*arguments, **options):
        found = stat_of(*arguments, **options)
        path.unlink()
        os.mkfifo(path)
        return found

    with opened_folder(folder, TABLE) as handle:
        monkeypatch.setattr(os, "stat", exchanged)
        with pytest.raises(FileProblem, match="is a named pipe"), opened_file(handle, "a.csv", 1):
            pass


def test_a_file_that_is_written_beside_the_reading_never_lands_torn(folder):
    """Each state of the file is whole in itself: what lands is one of them, or it is refused."""
    path, is_over = folder / TABLE / "a.csv", threading.Event()
    wanted = {str(n): HEADER + LINE * n for n in (20_000, 30_000)}
    path.write_text(wanted["20000"])

    def write() -> None:
        while not is_over.is_set():
            for text in wanted.values():
                path.write_text(text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = Counter(read(folder, READER)["a.csv"] for _ in range(10))
    finally:
        is_over.set()
        writer.join()
    assert not {each for each in seen if each.isdigit()} - set(wanted)


SEEDS = {
    ".csv": BYTES + ('"a ""quoted"" text\nof two lines"' + LINE[2:]).encode(),
    ".xlsx": XLSX,
    ".parquet": parquet(),
}


def spoil(content: bytes, chance: random.Random) -> bytes:
    """Some bytes overwritten, cut out, doubled or put in."""
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 40))):
        at, size = chance.randrange(len(content) + 1), chance.choice((1, 1, 2, 8, 100))
        kind = chance.randrange(4)
        some = chance.choice(
            (chance.randbytes(size), b"\xff" * size, bytes(size), b'"', b"\n", b",", b"\r", b"\xef\xbb\xbf")
        )
        if kind == 0:
            content[at : at + len(some)] = some
        elif kind == 1:
            del content[at : at + size]
        elif kind == 2:
            content[at:at] = content[at : at + size]
        else:
            content[at:at] = some
    return bytes(content)


MANIFEST = """{"synthetic": true, "files": [{"name": "a.csv", "rows": 2, "sha256": null, "business_date": "2026-01-15"}],
 "intervals": {"metering_point_no": "MP-1", "slot_minutes": 15, "stamp": {"column": "at", "format": "%Y-%m-%d %H:%M",
 "labels": "end", "zone": "+08:00"}, "quantities": {"kwh": {"data_type": "E+", "phase": "T", "scale": 0.5}}}}"""


@pytest.mark.parametrize("manifests", [50, pytest.param(5000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_no_spoilt_manifest_ends_in_an_exception(tmp_path, manifests):
    chance, found, table = random.Random(20), Counter(), all_tables()["met_interval_96"]
    (tmp_path / table.name).mkdir()
    (tmp_path / table.name / "a.csv").write_text("at,kwh\n2026-01-15 00:15,1\n2026-01-15 00:30,2\n")
    for _ in range(manifests):
        (tmp_path / table.name / "_manifest.json").write_bytes(spoil(MANIFEST.encode(), chance))
        for each in read_folder(READER, tmp_path, table, DAY, Landed()):
            found[type(each).__name__] += 1
            if isinstance(each, Refusal):
                assert each.problem.isprintable()
                each.file_name.encode()
                assert "it cannot be read (" not in each.problem
    print(f"n = {manifests}:", dict(found))
    assert min(found["Delivery"], found["Refusal"]) > 0


@pytest.mark.parametrize("files", [150, pytest.param(5000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_no_spoilt_file_ends_in_an_exception(folder, files):
    chance, found = random.Random(19), Counter()
    kinds = list(SEEDS)
    for n in range(files):
        suffix = kinds[n % len(kinds)]
        content = chance.randbytes(chance.randrange(3000)) if n % 20 == 0 else spoil(SEEDS[suffix], chance)
        (folder / TABLE / f"{n:04}{suffix}").write_bytes(content)
    for each in read_folder(READER, folder, METER, DAY, Landed()):
        assert isinstance(each, Delivery | Refusal)
        if isinstance(each, Refusal):
            assert each.problem.isprintable()
            assert len(each.problem) < 700
        found[type(each).__name__] += 1
        if isinstance(each, Refusal) and "broke off" in each.problem:
            found["dead readers"] += 1
        if isinstance(each, Refusal) and "it cannot be read (" in each.problem:
            found["unforeseen"] += 1
            print(each.file_name, each.problem)
    print(f"n = {files}:", dict(found))
    assert found["Delivery"] + found["Refusal"] == files
    assert found["unforeseen"] + found["dead readers"] == 0
    assert min(found["Delivery"], found["Refusal"]) > 0
