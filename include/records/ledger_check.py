"""What is wrong with a ledger: its chain, the keys that it announces, and the heads that are known of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from include.records.ledger_heads import Head
from include.records.ledger_key import is_signed

GENESIS = "0" * 64
KEY_EVENTS = ("key", "key_rotation", "key_lost")
HOME = "head file"
COLUMNS = "entry_no, at, actor, entered_by, event, detail::text, previous_digest, digest, form"


@dataclass(frozen=True)
class Entry:
    """One entry as it is stored; `detail` is the text of its JSON as PostgreSQL writes it."""

    entry_no: int
    at: datetime
    actor: str
    entered_by: str | None
    event: str
    detail: str
    previous_digest: str
    digest: str
    form: int

    @property
    def holds(self) -> bool:
        """Whether the digest is that of the content."""
        has_person = self.entered_by != "" if self.form == 2 else self.entered_by is None
        return has_person and digest_of(self) == self.digest


def digest_of(entry: Entry) -> str:
    """SHA-256, in hex. Form 2: the parts, a line each, the content last. Form 1, of before: canonical JSON (keys sorted, no spaces, UTF-8)."""
    at = entry.at.astimezone(UTC)
    if entry.form == 2:
        parts = ("2", str(entry.entry_no), at.strftime("%Y-%m-%dT%H:%M:%S.%f"), entry.actor, entry.entered_by or "")
        text = "\n".join((*parts, entry.event, entry.previous_digest, entry.detail))
    else:
        content = {
            "entry_no": entry.entry_no,
            "at": at.isoformat(timespec="microseconds"),
            "actor": entry.actor,
            "event": entry.event,
            "detail": json.loads(entry.detail),
            "previous_digest": entry.previous_digest,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def rotation_text(previous_key: str, public_key: str, previous_digest: str) -> str:
    """What both keys sign where one follows the other."""
    return f"kaw ledger key\n{previous_key}\n{public_key}\n{previous_digest}"


def restore_text(kept_entry: int, kept_digest: str, at: str) -> str:
    """What the key signs where the ledger was taken back to an earlier entry: a login of the database cannot."""
    return f"kaw ledger restore\n{kept_entry}\n{kept_digest}\n{at}"


@dataclass(frozen=True)
class Restore:
    kept_entry: int
    at: str


@dataclass(frozen=True)
class Keys:
    """Number of the entry that announces a key -> the key, by number; and the restores that a key of the ledger signed."""

    keys: dict[int, str]
    restores: list[Restore]
    problems: list[str]
    notes: list[str]

    def at(self, entry_no: int) -> str | None:
        return next((key for number, key in reversed(self.keys.items()) if number <= entry_no), None)

    @property
    def newest(self) -> str | None:
        return next(reversed(self.keys.values()), None)

    def restored_over(self, head: Head) -> bool:
        """Whether a signed restore took the ledger back behind this head, which was signed before."""
        return any(head.entry_no > restore.kept_entry and head.at < restore.at for restore in self.restores)


def read_keys(conn: psycopg.Connection) -> Keys:
    """What the ledger says of its keys. A key follows another by the signatures of both, or says for good that the former was lost."""
    found = Keys({}, [], [], [])
    for number, event, detail, previous_digest in conn.execute(
        "select entry_no, event, detail, previous_digest from quality.ledger where event = any(%s) order by entry_no",
        [[*KEY_EVENTS, "restore"]],
    ):
        key, former = detail.get("public_key"), found.newest
        if event == "restore":
            at, kept = str(detail.get("at")), (detail.get("kept_entry"), detail.get("kept_digest"))
            text = restore_text(*kept, at)
            if kept == (number - 1, previous_digest) and is_signed(former, detail.get("signature"), text):
                found.restores.append(Restore(number - 1, at))
                found.notes.append(
                    f"entry {number}: the warehouse was restored from a back-up that ends at {number - 1}."
                )
            else:
                found.problems.append(f"entry {number} (restore) is not signed with the ledger's key: it was forged.")
            continue
        if event == "key" and former:
            found.problems.append(f"entry {number} announces another key without the signature of the former one.")
        elif event == "key_rotation":
            text = rotation_text(former or "", key, previous_digest)
            if not (
                is_signed(former, detail.get("signed_by_previous"), text) and is_signed(key, detail.get("signed"), text)
            ):
                found.problems.append(f"entry {number} (key_rotation) is not signed with both keys: it was forged.")
                continue
        elif event == "key_lost":
            found.notes.append(f"entry {number}: the key was lost; nothing before it can be held to the key of today.")
        found.keys[number] = key
    return found


@dataclass
class Found:
    """`problems` as sentences, the first names the first entry that does not hold; `notes` is what a reader should know.

    `unsigned` says that entries came after the head of this home: a run is at work or was killed, or somebody added them.
    """

    problems: list[str] = field(default_factory=list)
    unsigned: str | None = None
    notes: list[str] = field(default_factory=list)
    entries: int = 0
    last: tuple[int, str] = (0, GENESIS)
    keys: Keys | None = None
    anchored_to: list[str] = field(default_factory=list)


def examine(
    conn: psycopg.Connection,
    heads: list[tuple[str, Head]],
    *,
    until: int | None = None,
    public_key: str | None = None,
    from_head: Head | None = None,
) -> Found:
    """Everything that is wrong, in the caller's transaction, read entry by entry.

    `heads` are names of places and what they know; that of this home has the name `HOME`. Entries after `until` are only looked at
    for the heads. With `from_head` the entries up to it are taken as they are. `public_key` is the key that the caller trusts.
    """
    found = Found(keys=read_keys(conn))
    wanted = {head.entry_no for _, head in heads}
    digests, start = {0: GENESIS}, 0
    if from_head:
        start, digests[from_head.entry_no] = from_head.entry_no, from_head.digest
        found.last = (from_head.entry_no, from_head.digest)
    expected_no, previous, form = start + 1, from_head.digest if from_head else GENESIS, 1
    with conn.cursor(name="ledger_entries") as cursor:
        cursor.itersize = 5000
        since = "" if from_head is None else "where entry_no > %s"
        cursor.execute(
            f"select {COLUMNS} from quality.ledger {since} order by entry_no", [start] if from_head else None
        )
        for entry in (Entry(*row) for row in cursor):
            number = entry.entry_no
            found.entries += 1
            found.last = (max(number, 0), entry.digest)
            if number in wanted:
                digests[number] = entry.digest
            if until is not None and number > until:
                continue
            if number > expected_no:
                gone = "entry {} is" if number == expected_no + 1 else "entries {} to {} are"
                found.problems.append(f"{gone.format(expected_no, number - 1)} missing.")
            elif number < expected_no:
                found.problems.append(f"entry {number} lies before the first: it was inserted.")
            if not entry.holds or entry.form < form:
                found.problems.append(
                    f"entry {number} ({entry.event}) was edited: its content does not give its digest."
                )
            if entry.previous_digest != previous:
                found.problems.append(
                    f"entry {number} ({entry.event}) does not follow the entry before it: one of them was changed or moved."
                )
            expected_no, previous, form = max(number, 0) + 1, entry.digest, entry.form
    found.problems += found.keys.problems
    found.notes += found.keys.notes
    last_no = found.last[0]
    if public_key and last_no and found.keys.newest != public_key:
        found.problems.append(
            "the ledger announces another key than the one that is trusted here: it was written anew, or the key was exchanged."
            if found.keys.newest
            else "the ledger announces no key, though one is trusted here: it was written anew."
        )
    for place, head in heads:
        problem = _problem_of(place, head, digests, found.keys, last_no, public_key)
        if problem:
            found.problems.append(problem)
        elif place != HOME and digests.get(head.entry_no) == head.digest and place not in found.anchored_to:
            found.anchored_to.append(place)
    _look_at_home(found, heads, last_no if until is None else min(until, last_no))
    return found


def _problem_of(
    place: str, head: Head, digests: dict[int, str], keys: Keys, last_no: int, trusted: str | None
) -> str | None:
    number, is_of_key = head.entry_no, head.public_key in {*keys.keys.values(), trusted}
    may_be_unsigned = not head.signature and keys.at(number) is None
    if not may_be_unsigned and not (is_of_key and head.is_signed):
        return f"the head of entry {number} in the {place} is not signed with the ledger's key: it was forged."
    if digests.get(number) == head.digest or keys.restored_over(head):
        return None
    if number > last_no:
        return f"the tail was cut: the {place} knows entry {number}, the ledger ends at {last_no}."
    return f"entry {number} is not the one that the {place} knows: the chain was written anew."


def _look_at_home(found: Found, heads: list[tuple[str, Head]], asked_for: int) -> None:
    at_home = [head for place, head in heads if place == HOME]
    if not at_home:
        if found.last[0]:
            found.problems.append(f"the {HOME} is missing or unreadable: a cut tail could not be seen.")
    elif not found.problems and at_home[-1].entry_no < asked_for:
        found.unsigned = (
            f"entries after {at_home[-1].entry_no} are not in the {HOME}: a run was ended before it wrote the head"
            " (the next run fixes it), or they were added by hand."
        )
