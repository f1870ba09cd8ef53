"""The ledger: an append-only, hash-chained record of loads, verdicts, waivers, publishes and roll-backs.

Each entry's digest is the SHA-256 of its own content and the digest before it, so an edited, deleted, inserted or
reordered entry breaks the chain. Entries are written by `quality.append_entry` alone, which names the session's login as their
actor and allows each role its types. A chain that was rewritten whole, or cut, holds in itself: therefore its last number and
digest, the head, are signed with a key that the database does not hold, and kept outside it: in the home, and at every place of
KAW_LEDGER_HEADS.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from include.errors import LedgerBroken
from include.records import ledger_heads, ledger_key, locks
from include.records.database import connect
from include.records.ledger_check import GENESIS, HOME, Found, examine, read_keys, restore_text, rotation_text
from include.records.ledger_heads import Head
from include.records.ledger_key import Key
from include.records.warehouse import Warehouse
from include.settings import settings

HEAD_LOST = "the head file {name} was missing or unreadable: a tail that was cut before this entry cannot be seen"
KEY_LOST = "the key that signed the heads before is not there any more: nothing before this entry can be held to it"


def append(conn: psycopg.Connection, event: str, detail: dict, entered_by: str | None = None) -> tuple[int, str]:
    """Add one entry inside the caller's transaction; returns its number and digest.

    Its actor is the login of the session; `entered_by` is the person that the program says is at work, the operating system's
    login without it. Which role may write which type is in `quality.ledger_events`; the owner's are besides: key, key_rotation,
    key_lost, restore.

    The chain is locked until that transaction ends, so that numbers have no gaps: append last, commit soon, and call
    `write_head` after the commit. Dates and decimals in `detail` are recorded as text.
    """
    stored = Jsonb(detail, dumps=lambda value: json.dumps(value, default=str))
    return conn.execute(
        "select entry_no, digest from quality.append_entry(%s, %s, %s)", [event, stored, entered_by or current_actor()]
    ).fetchone()


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


def head(url: str | Warehouse) -> tuple[int, str]:
    """Number and digest of the last entry in the database; (0, zeros) where there is none."""
    with connect(url) as conn:
        return _last(conn)


def _last(conn: psycopg.Connection) -> tuple[int, str]:
    row = conn.execute("select entry_no, digest from quality.ledger order by entry_no desc limit 1").fetchone()
    return row or (0, GENESIS)


def read_head(head_file: Path) -> Head | None:
    """What the head file says; None where there is none or it cannot be read as one."""
    try:
        return ledger_heads.read(head_file.read_text())
    except (OSError, UnicodeDecodeError):
        return None


def write_head(url: str | Warehouse, head_file: Path | None = None) -> bool:
    """Sign the head of what is committed, keep it in the home, and send it to every place of KAW_LEDGER_HEADS.

    Entries since the last head are checked first. A head or a key that does not agree with the ledger is evidence: both are left as
    they are, and False is returned. The first entry announces the key. Where there is no head though the ledger has entries,
    it was lost, and a tail cut before is seen by nobody: an entry says so, for good; so it does where the key was lost.
    """
    head_file = head_file or default_head_file()
    head_file.parent.mkdir(parents=True, exist_ok=True)
    with _locked(head_file), connect(url) as conn:
        key = ledger_key.of_home(read_keys(conn).newest)
        kept = read_head(head_file)
        has_head = kept is not None and kept.entry_no > 0
        heads = [(HOME, kept)] if has_head else []
        found = examine(conn, heads, from_head=_believed(conn, kept) if has_head else None)
        if has_head and found.problems:
            return False
        if not _announce(conn, key, kept is None):
            return False
        _commit(conn, key)
        written = ledger_heads.signed(*_last(conn), key)
        _replace(head_file, written.as_line())
    ledger_heads.send(written)
    return True


def _believed(conn: psycopg.Connection, kept: Head) -> Head | None:
    """The head where the ledger has its entry: what lies before was checked when it was signed."""
    row = conn.execute("select digest from quality.ledger where entry_no = %s", [kept.entry_no]).fetchone()
    return kept if row == (kept.digest,) else None


def _announce(conn: psycopg.Connection, key: Key, is_head_lost: bool) -> bool:
    """Entries that the ledger needs before it can be signed with this key; False where it announces another one."""
    known, (last_no, _) = read_keys(conn).newest, _last(conn)
    if known is None:
        append(conn, "key", {"public_key": key.public})
    elif known != key.public:
        if not key.is_new:
            return False
        append(conn, "key_lost", {"public_key": key.public, "previous_key": known, "reason": KEY_LOST})
    if is_head_lost and last_no:
        append(conn, "head_lost", {"reason": HEAD_LOST.format(name=default_head_file().name)})
    return True


def _commit(conn: psycopg.Connection, key: Key) -> None:
    """A new key is put in its place after the ledger announces it: a kill in between loses neither."""
    conn.commit()
    if key.is_new:
        ledger_key.take_next()


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def verify(url: str | Warehouse, head_file: Path | None = None, until: int | None = None) -> list[str]:
    """Everything that is wrong with the ledger, as sentences; an empty list is an intact one.

    With `until` the entries after that one are only looked at for the heads: they are later than what is asked about.

    Seen: an entry that was edited, deleted, inserted or moved, a tail that was cut off or added behind the head, and a chain that
    was written anew, with whatever head and key the forger has.
    """
    found = look_at(url, head_file, until)
    return found.problems + ([found.unsigned] if found.unsigned else [])


def look_at(
    url: str | Warehouse,
    head_file: Path | None = None,
    until: int | None = None,
    *,
    public_key: str | None = None,
    is_patient: bool = False,
) -> Found:
    """The same with what a reader should know besides, and which places outside agree.

    `public_key`: that one is trusted, not this home's. While a night is at work its entries need no head yet.
    """
    kept = read_head(head_file or default_head_file())
    heads, notes = [(HOME, kept)] if kept else [], []
    for place, known, problem in ledger_heads.kept(is_patient):
        heads += [(place.name, each) for each in known]
        if not known:
            notes.append(f"{place.name} of KAW_LEDGER_HEADS: {problem or 'it keeps no head yet'}.")
    key = None if public_key else ledger_key.given()
    with connect(url) as conn:
        found = examine(conn, heads, until=until, public_key=public_key or (key.public if key else None))
        if found.unsigned and locks.is_held(conn, locks.NIGHT, locks.RUN):
            found.unsigned = None
    found.notes += notes
    if not found.anchored_to:
        found.notes.append("not anchored: no place outside this home keeps a head that was read; set KAW_LEDGER_HEADS.")
    return found


def require_intact(url: str, head_file: Path | None = None) -> None:
    """Raises LedgerBroken where the ledger was tampered with; what a killed run did not sign is signed first."""
    write_head(url, head_file)
    if problems := verify(url, head_file):
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise LedgerBroken(
            f"Nothing was published: the ledger was tampered with: {problems[0]}{more}",
            where="quality.ledger, ledger.head",
            next_step="./kaw verify lists all of it; keep the database as evidence and restore a back-up:"
            " docs/how-to/back-up-and-restore.md.",
        )


def rotate(url: str, new: Key | None = None, head_file: Path | None = None) -> Key:
    """Exchange the key: an entry that both keys sign. Without `new` a key is made, in place of the home's.

    Raises LedgerBroken where the ledger is not intact, UsageError where the key of today is not there.
    """
    require_intact(url, head_file)
    head_file = head_file or default_head_file()
    made = new or ledger_key.make_next()
    with _locked(head_file), connect(url) as conn:
        old = ledger_key.of_home(read_keys(conn).newest)
        locks.hold(conn, "ledger")
        text = rotation_text(old.public, made.public, _last(conn)[1])
        detail = {"public_key": made.public, "previous_key": old.public, "reason": "the key was exchanged"}
        append(conn, "key_rotation", detail | {"signed_by_previous": old.sign(text), "signed": made.sign(text)})
        _commit(conn, made)
        written = ledger_heads.signed(*_last(conn), made)
        _replace(head_file, written.as_line())
    ledger_heads.send(written)
    return made


def note_restore(url: str, detail: dict, head_file: Path | None = None) -> None:
    """The entry of a restore, signed: heads of before that know more than the back-up are then history, not a cut tail."""
    head_file = head_file or default_head_file()
    with _locked(head_file), connect(url) as conn:
        key = ledger_key.of_home(read_keys(conn).newest)
        locks.hold(conn, "ledger")
        _announce(conn, key, is_head_lost=False)
        number, digest = _last(conn)
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        signed = {"kept_entry": number, "kept_digest": digest, "at": at}
        append(conn, "restore", detail | signed | {"signature": key.sign(restore_text(number, digest, at))})
        _commit(conn, key)
        written = ledger_heads.signed(*_last(conn), key)
        _replace(head_file, written.as_line())
    ledger_heads.send(written)


@contextlib.contextmanager
def _locked(head_file: Path) -> Iterator[None]:
    descriptor = os.open(head_file.with_name(head_file.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
