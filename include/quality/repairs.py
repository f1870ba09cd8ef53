"""What people say of findings: whose each is, how far it is, why it was. The gates alone say what is fixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from include.errors import UsageError
from include.quality.waivers import APPROVER
from include.records import ledger
from include.records.findings import add_notes
from include.records.warehouse import Warehouse

STATUSES = ("open", "in work", "answered", "repaired")
REASONS = {  # why a finding was: code -> in words
    "SOURCE_WRONG": "the source is wrong and is corrected there",
    "FIELD_CHECK": "somebody has to look at the place first",
    "DELIVERY": "the record is right at the source and was delivered wrong, late or not at all",
    "RIGHT_AS_IS": "the record is right as it is: the rule or its limit is to be looked at, or a waiver asked for",
    "OTHER_OFFICE": "another office has to answer",
    "OTHER": "the comment says why",
}
LONGEST = {"person": 80, "comment": 1000}


@dataclass(frozen=True)
class Note:
    """What is said of one finding; what is None stays as it was. A person belongs to the office that is named with it."""

    finding_id: int
    office: str | None = None
    person: str | None = None
    status: str | None = None
    reason_code: str | None = None
    comment: str | None = None

    def said(self) -> dict:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Work:
    """How far a finding is; `note_id` is its newest note, 0 where there is none. `state` is the gates' word."""

    finding_id: int
    state: str
    owner: str | None
    note_id: int = 0
    office: str | None = None
    person: str | None = None
    status: str = "open"
    reason_code: str | None = None
    comment: str | None = None


def work(connection: psycopg.Connection, findings: Iterable[int]) -> dict[int, Work]:
    """Of these findings those that there are."""
    rows = connection.execute(
        "select found.finding_id, found.state, found.office, coalesce(said.note_id, 0), said.office, said.person,"
        " coalesce(said.status, 'open'), said.reason_code, said.comment from quality.findings as found"
        " left join quality.finding_work as said on found.finding_id = said.finding_id where found.finding_id = any(%s)",
        [list(findings)],
    )
    return {row[0]: Work(*row) for row in rows}


def offices(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute("select distinct owner from quality.rule_book order by 1")]


def problem(note: Note, of: Work | None, known_offices: list[str]) -> str | None:
    """Why the note cannot be taken, with what is allowed, as one sentence; None where it can."""
    if of is None:
        return f"there is no finding {note.finding_id}"
    if of.state == "fixed":
        return f"finding {note.finding_id} is fixed already"
    if note.office is not None and note.office not in known_offices:
        return f"there is no office {note.office!r}; allowed are {', '.join(known_offices)}"
    if note.status is not None and note.status not in STATUSES:
        return f"there is no status {note.status!r}; allowed are {', '.join(STATUSES)}"
    if note.reason_code is not None and note.reason_code not in REASONS:
        return f"there is no reason {note.reason_code!r}; allowed are {', '.join(REASONS)}"
    for name, longest in LONGEST.items():
        text = getattr(note, name)
        if text is not None and (len(text) > longest or not text.replace("\n", " ").isprintable()):
            return f"the {name} has more than {longest} characters, or some that cannot be printed"
    reason, comment = note.reason_code or of.reason_code, note.comment or of.comment
    if note.status == "answered" and not (reason or comment):
        return "an answer needs a reason or a comment"
    if reason == "OTHER" and not comment:
        return "the reason OTHER needs a comment"
    return None


def note(warehouse: Warehouse, notes: list[Note], *, by: str, entered_by: str | None = None) -> None:
    """Enters all of the notes, or none. Raises UsageError with each that cannot be taken."""
    if not (by or "").strip():
        raise UsageError("--by is empty.", where="findings", next_step="say who says so; the ledger keeps it.")
    with warehouse.as_role(APPROVER).connect() as connection:
        known, known_offices = work(connection, {each.finding_id for each in notes}), offices(connection)
        told = (problem(each, known.get(each.finding_id), known_offices) for each in notes)
        wrong = list(dict.fromkeys(filter(None, told)))  # a mistyped office is one mistake
        if wrong:
            listed = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            raise UsageError(
                f"Nothing was noted: {listed}.",
                where="quality.findings",
                next_step="./kaw findings lists open findings with their numbers, --json all of them.",
            )
        enter(connection, notes, by=by, entered_by=entered_by)
    ledger.write_head(warehouse.address)


def enter(connection: psycopg.Connection, notes: list[Note], *, by: str, entered_by: str | None = None) -> None:
    """In the caller's transaction; the notes were found right by `problem`."""
    add_notes(
        connection,
        [each.said() for each in notes],
        noted_by=by.strip(),
        entered_by=entered_by or ledger.current_actor(),
    )


def assigned(of: Work, office: str | None, person: str | None) -> Note:
    """A finding given to an office, or to a person of it; without an office named, of the one that has it. It is in work from then on."""
    status = "in work" if of.status == "open" else None
    return Note(of.finding_id, office or of.office or of.owner, person, status)
