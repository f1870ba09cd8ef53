"""Findings: their life is a row per event, appended and never changed; the view quality.findings shows what each is now."""

from __future__ import annotations

import hashlib

import psycopg

from include.records import ledger

# what an event says of the finding besides its number, its run and the kind of event
CARRIED = (
    "rule_id, axis, severity, source_name, table_name, record_key, column_name, account_no, business_date, observed,"
    " expected, suspect_side, energy_at_stake_kwh, amount_at_stake_cny, source_reference, raw_id, exposure_kwh,"
    " exposure_cny, error_cny_year, cause"
)
# of a finding, while it is open
IDENTITY_COLUMNS = "rule_id, source_name, table_name, record_key, column_name"
IDENTITY = "rule_id, source_name, table_name, record_key, coalesce(column_name, '')"
_OF_GATE = "rule_id in (select rule_book.rule_id from quality.rule_book where rule_book.gate = %(gate)s)"


def forget_events(connection: psycopg.Connection, run_id: int, gate: int) -> None:
    """No events of a gate's rules in a run any more: the gate is repeated. Findings that it opened keep their number."""
    connection.execute(
        f"create temp table forgotten on commit drop as select distinct on ({IDENTITY}) finding_id, {IDENTITY_COLUMNS}"
        f" from quality.finding_events where run_id = %(run)s and event <> 'fixed' and {_OF_GATE}"
        f" order by {IDENTITY}, event_id desc",
        {"run": run_id, "gate": gate},
    )
    connection.execute(
        f"delete from quality.finding_events where run_id = %(run)s and {_OF_GATE}", {"run": run_id, "gate": gate}
    )


def add_events(connection: psycopg.Connection, run_id: int, events: str, values: dict | None = None) -> None:
    """Events of a run, by a query of finding_id (null: a new finding), event, waiver_id, root_finding_id and what it carries."""
    connection.execute(
        f"""
        insert into quality.finding_events (finding_id, run_id, event, at, waiver_id, root_finding_id, {CARRIED})
        select coalesce(events.finding_id, forgotten.finding_id, nextval('quality.finding_ids')), %(run)s, event,
            clock_timestamp(), waiver_id, root_finding_id, {", ".join("events." + name.strip() for name in CARRIED.split(","))}
        from ({events}) as events
        left join forgotten on {" and ".join(f"events.{name} = forgotten.{name}" for name in IDENTITY_COLUMNS.split(", ")[:-1])}
            and events.column_name is not distinct from forgotten.column_name
        """,
        (values or {}) | {"run": run_id},
    )


def count_events(connection: psycopg.Connection, run_id: int, gate: int) -> dict[str, int]:
    """Kind of event -> how many, of a gate's rules in a run."""
    counts = connection.execute(
        f"select event, count(*) from quality.finding_events where run_id = %(run)s and {_OF_GATE} group by event",
        {"run": run_id, "gate": gate},
    )
    return dict(counts.fetchall())


def add_notes(connection: psycopg.Connection, notes: list[dict], *, noted_by: str, entered_by: str) -> None:
    """Appends what people say of findings, and one entry of the ledger that has all of it but the words of comments.

    A ledger cannot forget, and a comment is free text: the entry has its SHA-256. Each note is `finding_id` and those of
    office, person, status, reason_code and comment that it says.
    """
    (run_id,) = connection.execute("select max(run_id) from quality.runs").fetchone()
    for note in notes:
        said = {name: note.get(name) for name in ("finding_id", "office", "person", "status", "reason_code", "comment")}
        connection.execute(
            "insert into quality.finding_notes (finding_id, after_run_id, noted_by, entered_by, office, person, status,"
            " reason_code, comment) values (%(finding_id)s, %(run)s, %(by)s, %(login)s, %(office)s, %(person)s, %(status)s,"
            " %(reason_code)s, %(comment)s)",
            said | {"run": run_id, "by": noted_by, "login": entered_by},
        )
    entries = [
        {name: value for name, value in note.items() if name != "comment"}
        | ({"comment_sha256": hashlib.sha256(note["comment"].encode()).hexdigest()} if note.get("comment") else {})
        for note in notes
    ]
    ledger.append(connection, "finding_note", {"by": noted_by, "notes": entries}, entered_by=entered_by)
