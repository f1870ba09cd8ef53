"""Which role writes which table of quality and publish, and from which module: seen by triggers while nights really run.

A trigger on every table notes the role at work and the statement that the client sent. What goes through psycopg carries
the module that asked for it as a comment; dbt and Great Expectations come through another driver and carry none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from include.local import cli
from include.publish import history, release, rollback
from include.quality.waivers import end_waiver, waive
from include.records.database import connect
from tests.nights import DAY, Utility

PRODUCT = Path(__file__).resolve().parents[2] / "include"

WATCH = """
create schema seen;
grant usage on schema seen to public;
create table seen.writes (role_name text, table_name text, statement text);
grant insert on seen.writes to public;
create function seen.note() returns trigger language plpgsql as $$
begin
    insert into seen.writes values (current_user, tg_table_schema || '.' || tg_table_name, current_query());
    return null;
end $$;
do $$
declare
    watched regclass;
begin
    for watched in
        select oid from pg_class
        where relnamespace in ('quality'::regnamespace, 'publish'::regnamespace) and relkind in ('r', 'p')
    loop
        execute format('create trigger zz_seen after insert or update or delete on %s execute function seen.note()', watched);
        execute format('create trigger zz_seen_truncate after truncate on %s execute function seen.note()', watched);
    end loop;
end $$;
"""

# role -> table -> modules of include/records, by hand
EXPECTED = {
    "kaw_loader": {
        "quality.receipts": {"receipts"},
        "quality.repeated_keys": {"receipts"},
        "quality.rejected_rows": {"rejected_rows"},
        "quality.delivered_rows": {"receipts"},
        "quality.pending_withdrawals": {"withdrawals"},
        "quality.withdrawal_checks": {"withdrawals"},
        "quality.restatements": {"restatements"},
    },
    "kaw_gatekeeper": {
        "quality.rule_book": {"rule_book"},
        "quality.violations": {"rule_book"},
        "quality.rule_results": {"rule_book"},
        "quality.findings_rechecked": {"rule_book"},
        "quality.finding_events": {"findings"},
        "quality.quarantined_rows": {"quarantine"},
        "quality.quarantine_events": {"quarantine"},
        "quality.withheld_values": {"withheld_values"},
        "quality.expected_shares": {"expected"},
        "quality.expected_absent": {"expected"},
        "quality.staged_rows": {"row_counts"},
        "quality.receipt_states": {"row_counts"},
        "quality.conservation": {"row_counts"},
        "quality.rows_in_force": {"row_counts"},
        "quality.runs": {"runs"},
        "quality.current_run": {"runs"},
    },
    "kaw_publisher": {
        "publish.<mart>": {"versions"},
        "publish.versions": {"versions"},
        "publish.pointer": {"pointers"},
        "publish.pointer_moves": {"pointers"},
        "publish.closing": {"pointers"},
        "publish.managers": {"pointers"},
        "publish.manager_accounts": {"pointers"},
        "quality.runs": {"runs"},
    },
    "kaw_approver": {  # signs for people
        "quality.waivers": {"waivers"}
    },
    "kaw": {  # the owner, by functions that run with its rights: they take fences, begin runs and append to the ledger
        "quality.ledger": {"ledger"},
        "quality.fences": {"fence", "runs"},
        "quality.runs": {"runs"},
        "quality.current_run": {"runs"},
    },
}


@pytest.fixture
def signed_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement through psycopg begins with a comment: the module of the product that sends it."""

    def signed(send):
        def with_module(cursor, query, *arguments, **options):
            comment = f"/* {sender()} */ "
            if isinstance(query, bytes):
                query = comment.encode() + query
            else:
                query = sql.SQL(comment) + query if isinstance(query, sql.Composable) else comment + query
            return send(cursor, query, *arguments, **options)

        return with_module

    for name in ("execute", "executemany", "copy"):
        monkeypatch.setattr(psycopg.Cursor, name, signed(getattr(psycopg.Cursor, name)))


def sender() -> str:
    """The innermost module of the product that is at work: `records.ledger`; `tests` where none is."""
    frame = sys._getframe(1)
    while frame:
        path = Path(frame.f_code.co_filename)
        if PRODUCT in path.parents:
            return ".".join(path.relative_to(PRODUCT).with_suffix("").parts)
        frame = frame.f_back
    return "tests"


def writers(utility: Utility) -> dict[str, dict[str, set[str]]]:
    """Role -> table -> modules, of what was seen; a mart's table counts as publish.<mart>."""
    marts = {f"publish.{name}" for (name,) in utility.rows("select distinct mart from publish.versions")}
    found: dict[str, dict[str, set[str]]] = {}
    for role, table, module in utility.rows(
        "select distinct role_name, table_name,"
        " coalesce((regexp_match(statement, '^/\\* ([a-z_.]+) \\*/'))[1], left(statement, 60)) from seen.writes"
    ):
        name = "publish.<mart>" if table in marts else table
        found.setdefault(role, {}).setdefault(name, set()).add(module.removeprefix("records."))
    return found


@pytest.mark.timeout(900)
def test_each_table_is_written_by_its_role_from_its_module_of_records(
    faulty_night: Utility, signed_statements: None, monkeypatch: pytest.MonkeyPatch
):
    """A night with corrected rows after one with defects, waivers, a dry run, a roll-back with its release, and retention."""
    utility = faulty_night
    with connect(utility.url) as connection:
        connection.execute(WATCH)
    monkeypatch.setattr(history, "KEPT_VERSIONS", 1)

    number = waive(utility.warehouse, "PIP-03", "all", "duty engineer (test)", "the limits are seen elsewhere", DAY)
    assert cli.main(["replay", "--source", "contract", "--dry-run"]) == 0
    utility.deliver()
    again = max((utility.deliveries / "forms").rglob("*.csv"), key=lambda form: form.stat().st_size)
    rows = again.read_text(encoding="utf-8").splitlines(keepends=True)
    again.with_name(f"again_{again.name}").write_text("".join(rows[:-1]), encoding="utf-8")  # no row of it is new
    utility.run()
    end_waiver(utility.warehouse, number, "duty engineer (test)", "seen")
    rollback(utility.warehouse, approver="duty engineer (test)", reason="tried")
    release(utility.warehouse, approver="duty engineer (test)", reason="tried")
    assert writers(utility) == EXPECTED
