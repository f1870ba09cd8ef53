"""`pending`: rows that a delivery left out and that stay in force until somebody decides."""

from __future__ import annotations

import argparse
import json

from include.local.cli.access import reading, writing


def add_to(commands) -> None:
    pending = commands.add_parser(
        "pending",
        help="rows that a delivery left out: list them, confirm that they are withdrawn, or deny it",
        description="Rows that a delivery left out in unusual numbers stay in force until somebody decides.",
    )
    decisions = pending.add_subparsers(title="what to do", required=True, metavar="list|confirm|deny")
    for name, text in (
        ("list", "what waits for a decision, by table and office"),
        ("confirm", "the rows are withdrawn, on somebody's responsibility"),
        ("deny", "the rows were lost on the way; they stay in force"),
    ):
        decision = decisions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        decision.set_defaults(command=_list if name == "list" else _decide, decision=name)
        decision.add_argument(
            "table", metavar="TABLE", nargs="?" if name == "list" else None, help="table of a source, like met_meter"
        )
        if name == "list":
            decision.add_argument("--json", action="store_true", help="everything, for a program")
            continue
        decision.add_argument("--office", metavar="NO", help="of this office only")
        decision.add_argument("--key", metavar="KEY", help='of this record only: a JSON object, {"cons_no": "..."}')
        decision.add_argument("--approver", required=True, help="who takes responsibility")
        decision.add_argument("--reason", required=True, help="why; it goes into ledger and report")


def _list(arguments: argparse.Namespace) -> int:
    from include.quality.withdrawals import pending
    from include.records.tables import print_rows

    with reading() as warehouse, warehouse.connect() as connection:
        rows = pending(connection, arguments.table)
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return 0
    if rows:
        print_rows(list(rows[0]), [list(row.values()) for row in rows])
    print(f"{sum(row['rows'] for row in rows):,} rows in force that their last delivery left out.")
    if rows:
        print(
            "Next: let the source deliver them, or ./kaw pending confirm|deny TABLE --approver NAME --reason TEXT"
            " [--office NO] [--key KEY]"
        )
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    from include.quality import withdrawals

    decide = {"confirm": withdrawals.confirm, "deny": withdrawals.deny}[arguments.decision]
    with writing() as warehouse:
        rows = decide(
            warehouse, arguments.table, arguments.approver, arguments.reason, office=arguments.office, key=arguments.key
        )
    became = "withdrawn" if arguments.decision == "confirm" else "left in force"
    print(f"{rows:,} rows of {arguments.table} are {became}, by {arguments.approver}.")
    print("Next: repeat the command that the gate stopped; ./kaw pending list shows what is left.")
    return 0
