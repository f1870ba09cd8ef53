"""The ledger: an append-only, hash-chained record of loads, verdicts, waivers, publishes and roll-backs.

Each entry's digest is the SHA-256 of its own content and the digest before it, so an edited, deleted, inserted or
reordered entry breaks the chain. A tail that was cut off leaves an unbroken chain: therefore the last number and digest
are also kept in a file outside the database, the head.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from include.records import locks
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.settings import settings

GENESIS = "0" * 64
HEAD_LOST = "the head file {name} was missing or unreadable: a tail that was cut before this entry cannot be seen"


def append(conn: psycopg.Connection, event: str, detail: dict, actor: str | None = None) -> tuple[int, str]:
    """Add one entry inside the caller's transaction; returns its number and digest.

    Events: load, verdict, waiver, waiver_second, waiver_end, withdrawal_confirm, withdrawal_deny, finding_note, publish, publish_refused, roll_back,
    release, report, head_lost.

    The lock lasts until that transaction ends, so that numbers have no gaps: append last, commit soon, and call
    `write_head` after the commit. Dates and decimals in `detail` are recorded as text.
    """
    locks.hold(conn, "ledger")
    number, previous = _last(conn)
    # jsonb keeps its own form of a number, so the digest is taken of what a later reader gets back
    at, stored = conn.execute(
        "select clock_timestamp(), %s::jsonb", [Jsonb(detail, dumps=lambda value: json.dumps(value, default=str))]
    ).fetchone()
    entry = (number + 1, at, actor or current_actor(), event, stored, previous)
    digest = digest_of(*entry)
    conn.execute(
        "insert into quality.ledger (entry_no, at, actor, event, detail, previous_digest, digest)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [*entry[:4], Jsonb(stored), previous, digest],
    )
    return number + 1, digest


def digest_of(entry_no: int, at: datetime, actor: str, event: str, detail: dict, previous_digest: str) -> str:
    """SHA-256, in hex, of the entry as canonical JSON: keys sorted, no spaces, UTF-8, the instant in UTC."""
    content = {
        "entry_no": entry_no,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "event": event,
        "detail": detail,
        "previous_digest": previous_digest,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def current_actor() -> str:
    """The login of the operating system that acts, as the kernel knows it: no variable of the environment is believed."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def findings_digest(conn: psycopg.Connection) -> str:
    """SHA-256 over all findings that are open or waived now, in a fixed order; what a verdict's entry carries."""
    return conn.execute("""
        select encode(sha256(convert_to(coalesce(string_agg(line, chr(10) order by line collate "C"), ''), 'UTF8')), 'hex')
        from (
            select jsonb_build_array(
                rule_id, severity, source_name, table_name, record_key, column_name, account_no,
                business_date, observed, expected, state
            )::text as line
            from quality.open_findings
        ) as findings
    """).fetchone()[0]


def default_head_file() -> Path:
    return settings().home / "ledger.head"


def head(url: str) -> tuple[int, str]:
    """Number and digest of the last entry in the database; (0, zeros) where there is none."""
    with connect(url) as conn:
        return _last(conn)


def _last(conn: psycopg.Connection) -> tuple[int, str]:
    row = conn.execute("select entry_no, digest from quality.ledger order by entry_no desc limit 1").fetchone()
    return row or (0, GENESIS)


def read_head(head_file: Path) -> tuple[int, str] | None:
    """What the head file says; None where there is none or it cannot be read as one."""
    try:
        content = json.loads(head_file.read_text())
        return int(content["entry_no"]), str(content["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_head(url: str | Warehouse, head_file: Path | None = None) -> bool:
    """Keep number and digest of the last committed entry outside the database.

    A head that does not agree with the ledger is evidence: it is left as it is, and False is returned. Where there is no head
    though the ledger has entries, it was lost, and a tail cut before is seen by nobody: an entry says so, for good.
    """
    head_file = head_file or default_head_file()
    head_file.parent.mkdir(parents=True, exist_ok=True)
    with _locked(head_file), connect(url) as conn:
        kept = read_head(head_file)
        if kept and kept != (0, GENESIS):
            row = conn.execute("select digest from quality.ledger where entry_no = %s", [kept[0]]).fetchone()
            if row is None or row[0] != kept[1]:
                return False
        number, digest = _last(conn)
        if number and not kept:
            number, digest = append(conn, "head_lost", {"reason": HEAD_LOST.format(name=head_file.name)})
            conn.commit()
        partial = head_file.with_name(head_file.name + ".partial")
        with partial.open("w") as file:
            json.dump({"entry_no": number, "digest": digest}, file)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(head_file)
    return True


def verify(url: str | Warehouse, head_file: Path | None = None, until: int | None = None) -> list[str]:
    """Everything that is wrong with the ledger, as sentences; an empty list is an intact one.

    With `until` the entries after that one are only looked at for the head: they are later than what is asked about.

    Seen: an entry that was edited, deleted, inserted or moved, and a tail that was cut off or added behind the head.
    """
    head_file = head_file or default_head_file()
    kept = read_head(head_file)
    with connect(url) as conn:
        return problems_in(conn, kept, head_file.name, until)


def problems_in(
    conn: psycopg.Connection, kept: tuple[int, str] | None, head_name: str = "ledger.head", until: int | None = None
) -> list[str]:
    """What `verify` finds, in the caller's transaction; the first sentence names the first entry that does not hold."""
    problems: list[str] = []
    expected_no, previous, at_head, last_no = 1, GENESIS, None, 0
    with conn.cursor(name="ledger_entries") as cursor:
        cursor.execute(
            "select entry_no, at, actor, event, detail, previous_digest, digest from quality.ledger order by entry_no"
        )
        for number, at, actor, event, detail, previous_digest, digest in cursor:
            last_no = max(number, 0)
            if kept and number == kept[0]:
                at_head = digest
            if until is not None and number > until:
                continue
            if number > expected_no:
                gone = (
                    f"entry {expected_no} is"
                    if number == expected_no + 1
                    else f"entries {expected_no} to {number - 1} are"
                )
                problems.append(f"{gone} missing.")
            elif number < expected_no:
                problems.append(f"entry {number} lies before the first: it was inserted.")
            if digest_of(number, at, actor, event, detail, previous_digest) != digest:
                problems.append(f"entry {number} ({event}) was edited: its content does not give its digest.")
            if previous_digest != previous:
                problems.append(
                    f"entry {number} ({event}) does not follow the entry before it: one of them was changed or moved."
                )
            expected_no, previous = last_no + 1, digest
    asked_for = last_no if until is None else min(until, last_no)
    return problems + _problems_of_head(kept, at_head, asked_for, last_no, head_name)


def _problems_of_head(
    kept: tuple[int, str] | None, at_head: str | None, asked_for: int, last_no: int, head_name: str
) -> list[str]:
    if kept is None:
        return [f"the head file {head_name} is missing or unreadable: a cut tail could not be seen."] if last_no else []
    number, digest = kept
    if number > last_no:
        return [f"the tail was cut: the head file knows entry {number}, the ledger ends at {last_no}."]
    if number and at_head != digest:
        return [f"entry {number} is not the one that the head file knows: the chain was written anew."]
    if number < asked_for:
        return [
            f"entries after {number} are not in the head file: a run was ended before it wrote the head"
            " (the next run fixes it), or they were added by hand."
        ]
    return []


@contextlib.contextmanager
def _locked(head_file: Path) -> Iterator[None]:
    descriptor = os.open(head_file.with_name(head_file.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
