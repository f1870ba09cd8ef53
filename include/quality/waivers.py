"""Waivers: an approver lets a rule's findings in a scope through until a date, or ends that before; the ledger keeps who and why."""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from urllib.parse import unquote, urlsplit

import psycopg

from include.contracts import all_tables
from include.errors import UsageError
from include.quality.parameters import parameter_on
from include.records import ledger
from include.records.database import connect
from include.records.waivers import add_waiver, add_waiver_end, add_waiver_second
from include.records.warehouse import Warehouse
from include.settings import default_business_date, settings

APPROVER = "kaw_approver"
SCOPES = "all, table=<table>, account=<account number>, or key=<JSON object of key columns>"


def waive(
    place: str | Warehouse,
    rule_id: str,
    scope: str,
    approver: str,
    reason: str,
    until: str | date,
    entered_by: str | None = None,
) -> int:
    """Enter a waiver and return its number. It is in force for every business date up to and including `until`.

    Scope `key={"mp_no": "…"}` covers every record whose key contains these parts. Raises UsageError, with nothing
    entered, where the rule is unknown, the scope is none, a signature is missing, or the date is over.
    """
    scope = _checked_scope(scope)
    last_day = _checked_date(until)
    check_signature(approver, reason)
    with signing(place) as conn:
        _check_rule(conn, rule_id)
        _check_table(conn, scope)
        business_date = _business_date(conn)
        if last_day < business_date:
            raise _wrong(
                f"--until {last_day} lies before the business date {business_date}: the waiver would be over already.",
                f"give {business_date} or a later day.",
            )
        waiver_id = add_waiver(
            conn,
            rule_id=rule_id,
            scope=scope,
            approver=approver.strip(),
            reason=reason.strip(),
            valid_until=last_day,
            entered_by=entered_by or identity(),
            second_needed=_second_needed(conn, rule_id, scope, business_date),
        )
    ledger.write_head(place)
    return waiver_id


def confirm_waiver(
    place: str | Warehouse, waiver_id: int, approver: str, reason: str, entered_by: str | None = None
) -> int:
    """The second signature of a waiver that lets much money through, and its number: it is in force from the next gate on.

    Raises UsageError, with nothing entered, where none is waited for, or where whoever signed first signs again.
    """
    check_signature(approver, reason)
    entered_by = entered_by or identity()
    with signing(place) as conn:
        found = conn.execute(
            "select approver, signed_by from quality.waivers_without_second where waiver_id = %s", [waiver_id]
        ).fetchone()
        if found is None:
            raise _wrong(f"Waiver {waiver_id} waits for no second approver.", "take its number from ./kaw waive.")
        if approver.strip().casefold() == found[0].casefold() or entered_by == found[1]:
            raise _wrong(
                f"Waiver {waiver_id} was signed by {found[0]} ({found[1]}), and the second approver must be another person.",
                "let another user of Airflow, or of this machine, or another login in KAW_LOGIN_APPROVER, confirm it.",
            )
        add_waiver_second(
            conn, waiver_id=waiver_id, approver=approver.strip(), reason=reason.strip(), entered_by=entered_by
        )
    ledger.write_head(place)
    return waiver_id


def waits_for_second(place: str | Warehouse, waiver_id: int) -> Decimal | None:
    """The yuan at stake of a waiver that is not in force before a second person signs; None of any other."""
    with signing(place) as conn:
        found = conn.execute(
            "select at_stake_cny from quality.waivers_without_second where waiver_id = %s", [waiver_id]
        ).fetchone()
    return found[0] if found else None


def identity() -> str:
    """Who acts, as a server or the kernel knows it: a personal login in KAW_LOGIN_APPROVER, else the user of this machine."""
    login = settings().logins.get("approver")
    name = unquote(urlsplit(login).username or "") if login else ""
    return f"login:{name}" if name and not name.endswith(APPROVER.removeprefix("kaw")) else ledger.current_actor()


def _second_needed(conn: psycopg.Connection, rule_id: str, scope: str, business_date: date) -> Decimal | None:
    """The yuan at stake in the open findings that a waiver covers, where they are more than one person may let through."""
    (at_stake,) = conn.execute(
        "select coalesce(sum(coalesce(exposure_cny, abs(error_cny))), 0) from quality.findings"
        " where rule_id = %s and state = 'open' and quality.is_in_scope(%s, table_name, account_no, record_key)",
        [rule_id, scope],
    ).fetchone()
    return at_stake if at_stake > parameter_on("WAIVER", "second_approver_cny", business_date).value else None


def end_waiver(
    place: str | Warehouse, waiver_id: int, approver: str, reason: str, entered_by: str | None = None
) -> int:
    """End a waiver before its date and return its number; its findings are open again from the next gate on.

    The waiver stays as it was signed: its end is an entry of the ledger. Raises UsageError, with nothing entered, where no
    such waiver is in force or a signature is missing.
    """
    check_signature(approver, reason)
    with signing(place) as conn:
        found = conn.execute(
            "select rule_id, scope, valid_until, end_entry from quality.signed_waivers where waiver_id = %s",
            [waiver_id],
        ).fetchone()
        if found is None:
            raise _wrong(
                f"There is no waiver {waiver_id}.", "take its number from the report, which lists every waiver."
            )
        rule_id, scope, valid_until, end_entry = found
        if end_entry is not None:
            raise _wrong(
                f"Waiver {waiver_id} was ended already, by ledger entry {end_entry}.", "nothing is left to do."
            )
        if valid_until < _business_date(conn):
            raise _wrong(f"Waiver {waiver_id} was over on {valid_until}.", "nothing is left to do.")
        add_waiver_end(
            conn,
            waiver_id=waiver_id,
            rule_id=rule_id,
            scope=scope,
            approver=approver.strip(),
            reason=reason.strip(),
            entered_by=entered_by or identity(),
        )
    ledger.write_head(place)
    return waiver_id


def signing(place: str | Warehouse) -> AbstractContextManager[psycopg.Connection]:
    """A connection by the login that signs for people; the gatekeeper's may not enter a waiver."""
    return place.as_role(APPROVER).connect() if isinstance(place, Warehouse) else connect(place)


def check_asked(
    rule_id: str | None, scope: str | None, until: str | None, end: int | None, confirm: int | None = None
) -> None:
    """Raises UsageError unless either a new waiver is asked for, whole, or one to end, or one to confirm."""
    given = {"RULE": rule_id, "--scope": scope, "--until": until} | ({"--end": end} if confirm else {})
    other = "--confirm" if confirm else "--end" if end else None
    wrong = [option for option, value in given.items() if bool(value) == bool(other)]
    if wrong:
        raise _wrong(
            f"{', '.join(wrong)} {f'cannot be given with {other}' if other else 'must be given'}.",
            "give RULE, --scope and --until for a new waiver, --end NO for one that ends, or --confirm NO for a second signature.",
        )


def proposed_scope(tables: set[str]) -> str:
    """The narrowest scope that lets a rule pass which is broken in these tables; a mart's grain is no table."""
    return f"table={min(tables)}" if len(tables) == 1 and tables <= all_tables().keys() else "all"


def proposed_waiver(rule_id: str, tables: set[str], until: date) -> str:
    """The command that lets a rule pass which is broken in these tables."""
    return f"./kaw waive {rule_id} --scope {proposed_scope(tables)} --approver NAME --reason TEXT --until {until}"


def _wrong(what: str, next_step: str) -> UsageError:
    return UsageError(what, where="waive", next_step=next_step)


def check_signature(approver: str, reason: str) -> None:
    for option, value in (("--approver", approver), ("--reason", reason)):
        if not (value or "").strip():
            raise _wrong(f"{option} is empty.", "say who decides and why; the ledger and the report show it.")


def _business_date(conn) -> date:
    row = conn.execute("select business_date from quality.current_run").fetchone()
    return row[0] if row else default_business_date()


def _checked_scope(scope: str) -> str:
    """The scope in the one form that SQL compares: trimmed, a key as compact JSON. Raises UsageError."""
    kind, has_value, value = scope.strip().partition("=")
    value = value.strip()
    if scope.strip() == "all":
        return "all"
    if kind == "table" and re.fullmatch(r"[a-z_][a-z0-9_.]*", value):
        return f"table={value}"
    if kind == "account" and value:
        return f"account={value}"
    if kind == "key" and has_value:
        try:
            key = json.loads(value)
        except ValueError:
            key = None
        if isinstance(key, dict) and key and not any(isinstance(part, dict | list) for part in key.values()):
            return "key=" + json.dumps(key, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        raise _wrong(
            f"--scope key= needs a JSON object of key columns, not: {value}",
            """write it like --scope 'key={"mp_no": "0001"}'; findings show each record_key in this form.""",
        )
    raise _wrong(f"Invalid --scope '{scope}'.", f"valid: {SCOPES}.")


def _checked_date(until: str | date) -> date:
    if isinstance(until, date):
        return until
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", until):
            return date.fromisoformat(until)
    except ValueError:
        pass
    raise _wrong(f"--until {until!r} is not a day.", "write it as YYYY-MM-DD, the last business date that it covers.")


def _check_table(conn, scope: str) -> None:
    """A mistyped table would be signed for, and let nothing through."""
    kind, _, name = scope.partition("=")
    if kind != "table" or name in all_tables():
        return
    if not conn.execute("select 1 from quality.violations where table_name = %s limit 1", [name]).fetchone():
        raise _wrong(
            f"There is no table {name!r}.", "take it from the message of the gate, or from ./kaw findings --json."
        )


def _check_rule(conn, rule_id: str) -> None:
    """A rule is known where the rule book has it or a gate has evaluated it."""
    if conn.execute("select 1 from quality.rule_results where rule_id = %s limit 1", [rule_id]).fetchone():
        return
    from include.quality.base_rules import load_base_rules
    from include.quality.rules import load_rules

    if rule_id not in {rule.id for rule in (*load_rules(), *load_base_rules())}:
        raise _wrong(f"There is no rule {rule_id!r}.", "./kaw findings lists the rules that found something.")
