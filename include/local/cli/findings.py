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


def add_to(commands) -> None:
    findings = command(
        commands, "findings", _findings, "list findings: rule, record, what was seen and what was expected"
    )
    findings.add_argument("--json", action="store_true")
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

    worklists = command(
        commands, "worklists", _worklists, "write what each office has to fix: open findings as xlsx and CSV"
    )
    worklists.add_argument("directory", type=Path, metavar="DIR")

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
    waive.add_argument("--reason", required=True)
    waive.add_argument("--until", metavar="DATE", help="last business date it holds for")
    waive.add_argument(
        "--end",
        type=positive,
        metavar="NO",
        help="end this waiver before its date, instead of RULE, --scope and --until",
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
    query = f"select {columns} from quality.findings where {where} order by rule_id, table_name, record_key::text, column_name, finding_id"
    with reading() as warehouse:
        check_known(warehouse, arguments)
        names, rows = read_rows(warehouse, query, values)
    if arguments.json:
        print(
            json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False, indent=1, default=str)
        )
        return 0
    shown = [
        "rule_id",
        "severity",
        "office",
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
            else "take its id from ./kaw findings or docs/rules.md.",
        )


def _waive(arguments: argparse.Namespace) -> int:
    from include.quality.waivers import check_asked, end_waiver, waive

    try:
        check_asked(arguments.rule, arguments.scope, arguments.until, arguments.end)
    except UsageError:
        if arguments.rule and not arguments.end:
            _check_rule(arguments.rule)
        raise
    if arguments.end:
        with writing() as warehouse:
            end_waiver(warehouse.address, arguments.end, arguments.approver, arguments.reason)
        print(
            f"Waiver {arguments.end} is ended, by {arguments.approver}. Its findings are open again from the next gate on."
        )
        return 0
    with writing() as warehouse:
        number = waive(
            warehouse.address, arguments.rule, arguments.scope, arguments.approver, arguments.reason, arguments.until
        )
    print(f"Waiver {number}: {arguments.rule} {arguments.scope} until {arguments.until}, by {arguments.approver}.")
    print("Next: repeat the command that the gate stopped, on the same delivery.")
    return 0
