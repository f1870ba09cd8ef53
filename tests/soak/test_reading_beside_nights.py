"""Two nights one after the other, a reader's open transaction, and 200 reading commands: nobody disturbs anybody.

Run by `./kaw test --soak -k reading_beside_nights`; -s shows what was seen. The server's log tells the rest: who waited for
a lock longer than a second, and whether a reading command sent a statement that writes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from include.local import server as embedded
from include.local.postgres import Cluster
from include.records.database import connect
from include.settings import Settings

BEFORE, FIRST, LAST = "2026-11-19", "2026-11-20", "2026-11-21"
SIZE = ("--accounts", "20", "--days", "14")
COMMANDS = 200
READERS = 2
KEY = ("entity_kind_code", "entity_no", "month_start_date", "side_code")
READER = """
import contextlib, io, json, os, sys, time
from include.local import cli
stop, least, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
commands = [["status"], ["findings", "--state", "all"], ["sql", "select * from marts.publication"],
            ["trace", "two_rates", key], ["report"]]
done = 0
while done < least or not os.path.exists(stop):
    command = commands[done % len(commands)]
    said, started = io.StringIO(), time.time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = cli.main(command)
    done += 1
    print(json.dumps([command[0], started, time.time() - started, code, said.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Read:
    """One reading command: when it began, how long it took, its exit code and what it said on the error output."""

    command: str
    started: float
    seconds: float
    code: int
    said: str


def kaw(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "include.local.cli", *arguments], stderr=subprocess.STDOUT, text=True, **options
    )


@contextlib.contextmanager
def log_of(home: Path) -> Iterator[list[str]]:
    """The entries of the server's log meanwhile: statements that change something, and waits of more than a second."""
    server, log, entries = embedded.ensure(), Cluster(home).log, []

    def configure(*settings: str) -> None:
        with contextlib.closing(psycopg.connect(server.admin_url(), autocommit=True)) as connection:
            for setting in settings:
                connection.execute(f"alter system {setting}")
            connection.execute("select pg_reload_conf()")

    configure(
        "set log_line_prefix = '%m [%p] app=%a '",
        "set log_statement = 'mod'",
        "set log_lock_waits = on",
        "set deadlock_timeout = '1s'",
    )
    start = log.stat().st_size
    try:
        yield entries
    finally:
        text = log.read_bytes()[start:].decode(errors="replace")
        entries += re.split(r"\n(?=\d{4}-\d\d-\d\d )", text)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_reading_beside_nights(fresh_home: Settings, tmp_path: Path) -> None:
    first = kaw("run", "--date", BEFORE, *SIZE, stdout=subprocess.PIPE)
    assert first.wait(1200) == 0, first.stdout.read()
    url = embedded.warehouse_url()
    with connect(url) as connection:
        query = f"select {', '.join(KEY)} from marts.mart_two_rates where account_no is not null limit 1"
        row = connection.execute(query).fetchone()
    key = ",".join(f"{name}={value}" for name, value in zip(KEY, row, strict=True))
    stop = tmp_path / "stop"
    with log_of(fresh_home.home) as entries, connect(url) as idle, (tmp_path / "nights").open("w") as output:
        idle.execute("set application_name = 'idle reader'")
        for relation in ("marts.mart_two_rates", "marts.publication", "quality.findings", "quality.runs"):
            idle.execute(f"select count(*) from {relation}").fetchall()
        began = time.time()
        nights = kaw("run", "--from", FIRST, "--to", LAST, stdout=output)
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READER, str(stop), str(COMMANDS // READERS), key],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"PGAPPNAME": "reading command"},
            )
            for _ in range(READERS)
        ]
        try:
            code, ended = nights.wait(2400), time.time()
        finally:
            stop.touch()
            told = [reader.communicate(timeout=900) for reader in readers]
            nights.kill()
        idle_for = idle.execute("select extract(epoch from clock_timestamp() - now())::integer").fetchone()[0]
    reads = [Read(*json.loads(line)) for out, _ in told for line in out.splitlines()]
    failed = [read for read in reads if read.code]
    waits = [entry for entry in entries if re.search(r"still waiting for|acquired .* after", entry)]
    changed = [entry for entry in entries if re.search(r"LOG:  (statement|execute [^:]*):", entry)]
    writes = [entry for entry in changed if "app=reading command " in entry]
    with connect(url) as connection:
        published = connection.execute("select count(*) from quality.runs where state = 'published'").fetchone()[0]
    report(reads, began, ended, waits, writes, changed, idle_for)

    assert code == 0, (tmp_path / "nights").read_text()[-3000:]
    assert [err for _, err in told if "Traceback" in err] == []
    assert failed == []
    assert len(reads) >= COMMANDS
    assert {read.command for read in reads if read.started < ended} == {"status", "findings", "sql", "trace", "report"}
    assert waits == []
    assert len(changed) > 100  # the log has what the nights wrote
    assert writes == []
    assert published == 3


def report(
    reads: list[Read], began: float, ended: float, waits: list, writes: list, changed: list, idle_for: int
) -> None:
    beside = sum(read.started < ended for read in reads)
    print(f"\ntwo nights: {ended - began:.0f} s; the idle reader's transaction was open for {idle_for} s")
    print(
        f"{len(reads)} reading commands, {beside} of them began beside the nights, {sum(bool(r.code) for r in reads)} failed"
    )
    for command, count in sorted(Counter(read.command for read in reads).items()):
        slowest = max(read.seconds for read in reads if read.command == command)
        print(f"  {command:<9} {count:>4}, slowest {slowest:.1f} s")
    for read in [read for read in reads if read.code][:5]:
        print(f"  failed {read.started - began:.0f} s after the start: {read.command}: {read.said.strip()[:300]}")
    print(f"statements in the log that change something: {len(changed)}, of reading commands: {len(writes)}")
    print(f"waits for a lock over 1 s: {len(waits)}", *waits[:5], sep="\n  ")
