"""Findings: their life is a row per event, appended and never changed; the view quality.findings shows what each is now."""

from __future__ import annotations

import psycopg

# what an event says of the finding besides its number, its run and the kind of event
CARRIED = (
    "rule_id, axis, severity, source_name, table_name, record_key, column_name, account_no, business_date, observed,"
    " expected, suspect_side, energy_at_stake_kwh, amount_at_stake_cny, source_reference, raw_id, exposure_kwh,"
    " exposure_cny, error_cny_year, cause"
)
_OF_GATE = "rule_id in (select rule_book.rule_id from quality.rule_book where rule_book.gate = %(gate)s)"


def forget_events(connection: psycopg.Connection, run_id: int, gate: int) -> None:
    """No events of a gate's rules in a run any more: the gate is repeated."""
    connection.execute(
        f"delete from quality.finding_events where run_id = %(run)s and {_OF_GATE}", {"run": run_id, "gate": gate}
    )


def add_events(connection: psycopg.Connection, run_id: int, events: str, values: dict | None = None) -> None:
    """Events of a run, by a query of finding_id (null: a new finding), event, waiver_id, root_finding_id and what it carries."""
    connection.execute(
        f"""
        insert into quality.finding_events (finding_id, run_id, event, at, waiver_id, root_finding_id, {CARRIED})
        select coalesce(finding_id, nextval('quality.finding_ids')), %(run)s, event, clock_timestamp(), waiver_id,
            root_finding_id, {CARRIED}
        from ({events}) as events
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
