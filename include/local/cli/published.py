"""`report`, `docs`, `rollback`, `status`, `sql`: what readers and auditors see."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from include.local.cli.access import reading, writing
from include.local.cli.options import command, positive
from include.settings import ROOT, settings


def add_to(commands) -> None:
    report = command(
        commands,
        "report",
        _report,
        "write the auditors' report of a run (HTML, with CSV, JSON and xlsx beside it), or rebuild it to the same bytes",
    )
    report.add_argument("--run", type=positive, metavar="ID", help="another run than the last")

    docs = command(
        commands,
        "docs",
        _docs,
        "write the documentation of all models as one static page: columns, tests, lineage, who reads what",
    )
    instead = docs.add_mutually_exclusive_group()
    instead.add_argument(
        "--code",
        action="store_true",
        help="instead, write the pages of docs/ that are made from the code; needs no warehouse",
    )
    instead.add_argument(
        "--site",
        type=Path,
        metavar="DIR",
        help="instead, build the pages of docs/ as a site that is read and searched without a network; needs no warehouse",
    )

    rollback = command(commands, "rollback", _rollback, "show readers the version before, and keep it until released")
    rollback.add_argument("--approver", required=True, help="who takes responsibility")
    rollback.add_argument("--reason", required=True, help="why; it goes into ledger and report")
    rollback.add_argument(
        "--release", action="store_true", help="release what was rolled back; the next run publishes again"
    )

    status = command(commands, "status", _status, "what is published: version, rows and hash of every mart")
    status.add_argument("--json", action="store_true", help="everything, for a program")

    sql = command(commands, "sql", _sql, "run one query, read-only, as the auditor")
    sql.add_argument("query", help="one statement that reads")
    sql.add_argument(
        "--personal",
        action="store_true",
        help="as the role that reads raw and staged rows, the vault and marts_personal",
    )
    sql.add_argument("--csv", action="store_true", help="comma-separated values instead of a table")


def _report(arguments: argparse.Namespace) -> int:
    from include.report import write_report

    with reading() as warehouse:
        written = write_report(warehouse, arguments.run, settings().home / "reports", notes=False)
    print(f"{written.path}\nsha256 {written.sha256}: {written.told()}")
    return 0


def _docs(arguments: argparse.Namespace) -> int:
    if arguments.code:
        from include.local.cli import parser
        from include.local.documents import write_documents

        print(*(path.relative_to(ROOT) for path in write_documents(parser())), sep="\n")
        return 0
    if arguments.site:
        from include.local.site import write_site

        print(write_site(arguments.site))
        return 0
    from include.transform.dbt import write_docs

    with reading() as warehouse:
        print(write_docs(warehouse, settings().home / "docs"))
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    from include.night import write_overview
    from include.publish import release, rollback

    with writing() as warehouse:
        if arguments.release:
            months = release(warehouse, approver=arguments.approver, reason=arguments.reason)
            print(f"Released {len(months)} months; the next ./kaw run publishes them again.")
        else:
            moved = rollback(warehouse, approver=arguments.approver, reason=arguments.reason)
            for month, version in sorted(moved.items()):
                print(
                    f"{month:%Y-%m} shows version {version}"
                    if version
                    else f"{month:%Y-%m} shows nothing: it had no earlier version"
                )
            print("Pinned until ./kaw rollback --release --approver NAME --reason TEXT")
        write_overview(warehouse)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from include.publish import status
    from include.records.tables import print_rows

    with reading() as warehouse:
        found = status(warehouse)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
        return 0
    if not found["marts"]:
        print("Nothing is published yet. Next: ./kaw run")
        return 0
    print(f"Published as of {found['business_date']} by run {found['run']}")
    for month, shown in found["months"].items():
        if shown["state"] == "pinned":
            print(f"{month} is rolled back and pinned: version {shown['version']} until ./kaw rollback --release")
    rows = [
        [name, mart["rows"], max(mart["versions"].values(), default=0), mart["hash"][:16]]
        for name, mart in found["marts"].items()
    ]
    print_rows(["mart", "rows", "newest version", "hash"], rows)
    print(f"All marts: {found['hash']}")
    return 0


def _sql(arguments: argparse.Namespace) -> int:
    from include.records.tables import print_rows, read_rows, write_csv
    from include.records.warehouse import AUDITOR, PERSONAL_READER

    with reading(PERSONAL_READER if arguments.personal else AUDITOR) as warehouse:
        names, rows = read_rows(warehouse, arguments.query)
    if arguments.csv:
        write_csv(names, rows, sys.stdout)
    else:
        print_rows(names, rows)
    return 0
