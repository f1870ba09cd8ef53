"""`findings`, `worklists`, `replay`, `trace`, `waive`: what the gates found, where it comes from, and what becomes of it."""

from __future__ import annotations

import argparse
import difflib
import json
import re
from pathlib import Path

from include.errors import UsageError
from include.local.cli.access import reading, writing
from include.local.cli.options import add_selection, check_folder, check_known, command, positive, selection
from include.quality.repairs import REASONS, Note


def add_to(commands) -> None:
    findings = command(
        commands, "findings", _findings, "list findings: rule, record, what was seen and what was expected"
    )
    findings.add_argument("--json", action="store_true", help="everything, for a program")
    findings.add_argument(
        "--state",
        choices=["open", "changed", "expired", "waived", "fixed", "all"],
        default="open",
        help="default open; changed and expired (its waiver ended) are open ones whose last news was that",
    )
    add_selection(findings)
    findings.add_argument("--office", metavar="NAME", help="owner of the rule, for example 'metering office'")
    findings.add_argument(
        "--limit", type=positive, default=50, help="rows on the terminal (default 50; --json lists all)"
    )

    whose = findings.add_subparsers(metavar="assign NO | comment NO | return FILE")
    assign = command(whose, "assign", _assign, "give findings to an office, or to a person of it")
    assign.add_argument("--office", metavar="NAME", help="an office of the rule book; left out: the one that has it")
    assign.add_argument("--person", metavar="NAME", help="who of that office works on it")
    comment = command(whose, "comment", _comment, "say how far findings are and why they were; no personal values")
    comment.add_argument("--status", metavar="STATUS", help="open, 'in work', answered or repaired")
    comment.add_argument("--reason", metavar="CODE", help=", ".join(REASONS))
    comment.add_argument("--comment", metavar="TEXT", help="what the office says, for people")
    for each in (assign, comment):
        each.add_argument("finding", metavar="NO", type=positive, nargs="+", help="number, as ./kaw findings lists it")
    returned = command(whose, "return", _return, "take what an office filled in on its work list")
    returned.add_argument("file", metavar="FILE", type=Path, nargs="+", help="xlsx or CSV of ./kaw worklists")
    for each in (assign, comment, returned):
        each.add_argument("--by", metavar="NAME", required=True, help="who says so; the ledger keeps it")

    worklists = command(
        commands, "worklists", _worklists, "write what each office has to fix: open findings as xlsx and CSV"
    )
    worklists.add_argument("directory", type=Path, metavar="DIR", help="folder to write to; made where it is missing")

    replay = command(
        commands,
        "replay",
        _replay,
        "judge quarantined rows again without landing anything, and admit those that pass now",
    )
    add_selection(replay)
    replay.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")

    trace = command(
        commands, "trace", _trace, "follow a published row back to the source rows: files, lines, rules, versions"
    )
    trace.add_argument("mart", metavar="MART", help="its name, with or without mart_")
    trace.add_argument(
        "key", metavar="KEY", help="column=value,... or a JSON object; a part of the key lists the rows it fits"
    )
    trace.add_argument("--json", action="store_true", help="everything, for a program")

    waive = command(
        commands,
        "waive",
        _waive,
        "let a rule's findings pass until a date, on somebody's responsibility, or end that before",
    )
    waive.add_argument("rule", metavar="RULE", nargs="?", help="rule id, for example PIP-03")
    waive.add_argument("--scope", help='all, table=NAME, account=NO, or key={"mp_no": "..."}')
    waive.add_argument("--approver", required=True, help="who takes responsibility")
    waive.add_argument("--reason", required=True, help="why; it goes into ledger and report")
    waive.add_argument("--until", metavar="DATE", help="last business date it holds for")
    waive.add_argument(
        "--end",
        type=positive,
        metavar="NO",
        help="end this waiver before its date, instead of RULE, --scope and --until",
    )
    waive.add_argument(
        "--confirm", type=positive, metavar="NO", help="sign this waiver as the second person, where it waits for one"
    )


def _findings(arguments: argparse.Namespace) -> int:
    from include.records.tables import print_rows, read_rows

    where, values = selection(arguments).condition(arguments.state)
    columns = (
        "rule_id, axis, severity, source_name, table_name, record_key, column_name, account_no, business_date, observed,"
        " expected, suspect_side, error_kwh, error_cny, state, first_seen_at, last_seen_at, source_reference,"
        " office, age_days, last_change, waiver_id, fixed_at, error_cny_year, exposure_kwh, exposure_cny, finding_id, root_finding_id,"
        " dependants, dependants_text"
    )
    query = (
        f"select found.*, said.office as assigned_office, said.person as assigned_person, case when found.state = 'fixed'"
        f" then 'repaired' else coalesce(said.status, 'open') end as status, said.reason_code, said.comment"
        f" from (select {columns} from quality.findings where {where}) as found"
        " left join quality.finding_work as said on found.finding_id = said.finding_id"
        " order by rule_id, table_name, record_key::text, column_name, found.finding_id"
    )
    with reading() as warehouse:
        check_known(warehouse, arguments)
        names, rows = read_rows(warehouse, query, values)
    if arguments.json:
        print(
            json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False, indent=1, default=str)
        )
        return 0
    shown = [
        "finding_id",
        "rule_id",
        "severity",
        "office",
        "status",
        "age_days",
        "record_key",
        "column_name",
        "observed",
        "expected",
        "dependants_text",
        "source_reference",
    ]
    picked = [names.index(name) for name in shown]
    print_rows(shown, [[row[i] for i in picked] for row in rows[: arguments.limit]])
    print(f"{len(rows)} findings" + (f", the first {arguments.limit} shown" if len(rows) > arguments.limit else ""))
    return 0


def _assign(arguments: argparse.Namespace) -> int:
    from include.quality import repairs

    if not (arguments.office or arguments.person):
        raise UsageError(
            "Nobody is named to whom the findings go.",
            where="--office, --person",
            next_step="give one of them, or both.",
        )
    with writing() as warehouse:
        with warehouse.connect() as connection:
            known = repairs.work(connection, arguments.finding)
        notes = [
            repairs.assigned(known[number], arguments.office, arguments.person) if number in known else Note(number)
            for number in arguments.finding
        ]
        repairs.note(warehouse, notes, by=arguments.by)
    given = notes[0].office if not arguments.person else f"{arguments.person}, {notes[0].office}"
    print(f"{len(notes)} finding{'' if len(notes) == 1 else 's'} assigned to {given}.")
    return 0


def _comment(arguments: argparse.Namespace) -> int:
    from include.quality import repairs

    if not (arguments.status or arguments.reason or arguments.comment):
        raise UsageError(
            "Nothing is said of the findings.",
            where="--status, --reason, --comment",
            next_step="give at least one of them.",
        )
    notes = [
        Note(number, status=arguments.status, reason_code=arguments.reason, comment=arguments.comment)
        for number in arguments.finding
    ]
    with writing() as warehouse:
        repairs.note(warehouse, notes, by=arguments.by)
    print(f"Noted of {len(notes)} finding{'' if len(notes) == 1 else 's'}.")
    return 0


def _return(arguments: argparse.Namespace) -> int:
    """Ends with 1 where rows were not taken: the office has to look at them."""
    from include.report.returned import take

    refused = 0
    with writing() as warehouse:
        for path in arguments.file:
            taken = take(warehouse, path, by=arguments.by)
            print(f"{path}: {taken.noted:,} noted, {taken.unchanged:,} as before, {len(taken.refused):,} not taken")
            for text in taken.refused:
                print(f"  {text}")
            refused += len(taken.refused)
    if refused:
        print("Next: ./kaw worklists DIR writes the list anew; correct these rows there and return it.")
    return 1 if refused else 0


def _worklists(arguments: argparse.Namespace) -> int:
    from include.report.worklists import write_worklists

    check_folder(arguments.directory)
    with reading() as warehouse:
        lists = write_worklists(warehouse, arguments.directory)
    for made in lists:
        print(f"{made.office:<22} {made.rows:>9,} findings   {', '.join(str(path) for path in made.files)}")
    print(f"{sum(made.rows for made in lists):,} open findings" if lists else "No open findings: nothing was written.")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from include.local.replay import replay_and_print

    with writing(migrates=not arguments.dry_run) as warehouse:
        check_known(warehouse, arguments)
        replay_and_print(warehouse, selection(arguments), is_dry_run=arguments.dry_run)
    return 0


def _trace(arguments: argparse.Namespace) -> int:
    from include.report.trace import trace
    from include.report.trace_text import print_trace

    with reading() as warehouse:
        found = trace(warehouse, arguments.mart, arguments.key)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        print_trace(found)
    return 0


def _check_rule(rule_id: str) -> None:
    """Named before whatever else a waiver lacks: a rule that does not exist needs no scope."""
    from include.quality.base_rules import load_base_rules
    from include.quality.rules import load_rules

    known = {rule.id for rule in (*load_rules(), *load_base_rules())}
    if rule_id not in known:
        padded = re.sub(r"-(\d)$", r"-0\1", rule_id.upper())
        near = [padded] if padded in known else difflib.get_close_matches(rule_id, sorted(known), n=3)
        raise UsageError(
            f"There is no rule {rule_id!r}.",
            where="RULE",
            next_step=f"did you mean {', '.join(near)}?"
            if near
            else "take its id from ./kaw findings or docs/reference/rules.md.",
        )


def _waive(arguments: argparse.Namespace) -> int:
    from include.quality.waivers import check_asked, confirm_waiver, end_waiver, waits_for_second, waive

    try:
        check_asked(arguments.rule, arguments.scope, arguments.until, arguments.end, arguments.confirm)
    except UsageError:
        if arguments.rule and not arguments.end:
            _check_rule(arguments.rule)
        raise
    if arguments.confirm:
        with writing() as warehouse:
            confirm_waiver(warehouse, arguments.confirm, arguments.approver, arguments.reason)
        print(f"Waiver {arguments.confirm} is confirmed, by {arguments.approver}. It holds from the next gate on.")
        return 0
    if arguments.end:
        with writing() as warehouse:
            end_waiver(warehouse, arguments.end, arguments.approver, arguments.reason)
        print(
            f"Waiver {arguments.end} is ended, by {arguments.approver}. Its findings are open again from the next gate on."
        )
        return 0
    with writing() as warehouse:
        number = waive(
            warehouse, arguments.rule, arguments.scope, arguments.approver, arguments.reason, arguments.until
        )
        at_stake = waits_for_second(warehouse, number)
    print(f"Waiver {number}: {arguments.rule} {arguments.scope} until {arguments.until}, by {arguments.approver}.")
    if at_stake is not None:
        print(f"It lets {at_stake:,.0f} yuan through and does not hold before a second person signs.")
        print(f"Next: let another user confirm it: ./kaw waive --confirm {number} --approver NAME --reason TEXT")
        return 0
    print("Next: repeat the command that the gate stopped, on the same delivery.")
    return 0
