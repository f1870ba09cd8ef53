"""`preview`, `contract`, `new`: what a change would do, what suppliers are asked for, and the files of what is new."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from include.errors import UsageError
from include.local.cli.access import administering
from include.local.cli.options import check_folder, command, day
from include.settings import SOURCE_NAMES, default_business_date, settings


def add_to(commands) -> None:
    preview = command(
        commands,
        "preview",
        _preview,
        "tell which figures and findings change by what differs from the last night, without publishing",
    )
    preview.add_argument(
        "--seed",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="a changed copy of a seed, under its name; left out: the seeds of dbt_project/seeds",
    )
    preview.add_argument(
        "--as-of", type=day, metavar="D", help="business date of the marts (default: of the last night)"
    )
    preview.add_argument("--json", action="store_true", help="everything, for a program")

    contract = command(
        commands, "contract", _contract, "write what a supplier is expected to deliver, or compare two versions of that"
    )
    contract.add_argument("--for", dest="source", choices=SOURCE_NAMES, help="the source whose supplier is asked")
    contract.add_argument("--to", type=Path, metavar="DIR", help="default: agreements/ in the home")
    which = contract.add_subparsers(metavar="diff OLD NEW")
    diff = command(which, "diff", _diff, "tell what differs between two contract files; 1 where it breaks deliveries")
    diff.add_argument("old", type=Path, metavar="OLD", help="file of the contract as it was")
    diff.add_argument("new", type=Path, metavar="NEW", help="file of the contract as it is to be")
    diff.add_argument("--json", action="store_true", help="everything, for a program")

    new = command(
        commands, "new", _new, "write the files of a new rule, mart or source table, and list what is left to fill in"
    )
    kinds = new.add_subparsers(dest="kind", required=True, metavar="rule|mart|source-table")
    rule = kinds.add_parser("rule", help="a rule over a table of a contract, and its cases")
    rule.add_argument("id", metavar="ID", help="the next free id of its area, like CON-18")
    rule.add_argument("holds", metavar="HOLDS", help="what holds, like contract_is_not_signed_in_the_future")
    rule.add_argument("--subject", required=True, metavar="TABLE", help="contract table whose rows it judges")
    mart = kinds.add_parser("mart", help="a mart that counts a fact by month, to begin with")
    mart.add_argument("question", metavar="QUESTION", help="its name without mart_, like open_tickets")
    mart.add_argument("--theme", required=True, help="accounts, energy, quality, reliability or service")
    mart.add_argument(
        "--from", required=True, dest="fact", metavar="FACT", help="the fact that it reads, like fct_tickets"
    )
    mart.add_argument("--day", required=True, metavar="COLUMN", help="the column of the fact that tells its day")
    mart.add_argument(
        "--needs", required=True, metavar="FAMILY", help="family of measures in dbt_project.yml, like tickets"
    )
    table = kinds.add_parser("source-table", help="a table of a contract, and the model that stages it")
    table.add_argument("source", metavar="SOURCE", choices=SOURCE_NAMES, help=", ".join(SOURCE_NAMES))
    table.add_argument("table", metavar="TABLE", help="as the source calls it, like con_deposit")
    table.add_argument("--en", required=True, metavar="NAME", help="its English name, like Deposits")
    table.add_argument("--zh", required=True, metavar="NAME", help="its Chinese name")
    table.add_argument("--entity", required=True, metavar="NAME", help="what a row is, in the plural, like deposits")


def _new(arguments: argparse.Namespace) -> int:
    from include.local import new

    if arguments.kind == "rule":
        made = new.new_rule(arguments.id, arguments.holds, arguments.subject)
    elif arguments.kind == "mart":
        made = new.new_mart(arguments.question, arguments.theme, arguments.fact, arguments.day, arguments.needs)
    else:
        made = new.new_source_table(arguments.source, arguments.table, arguments.en, arguments.zh, arguments.entity)
    print("\n".join(new.lines(made)))
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from include.local.preview import preview_and_print

    with administering() as warehouse:
        preview_and_print(warehouse, arguments.seed, arguments.as_of, as_json=arguments.json)
    return 0


def _contract(arguments: argparse.Namespace) -> int:
    from include.report.agreement import write_agreement

    if not arguments.source:
        raise UsageError(
            "Nobody is named for whom the contract is written.",
            where="--for",
            next_step=f"give --for {', '.join(SOURCE_NAMES)}, or compare two files with ./kaw contract diff OLD NEW.",
        )
    folder = arguments.to or settings().home / "agreements"
    check_folder(folder)
    paths = write_agreement(arguments.source, folder, default_business_date())
    print(
        f"{paths[0]}: tables, columns, rules\n{paths[1]}: the same as a page\n{folder / 'forms'}: {len(paths) - 2} forms"
    )
    print(
        "Next: send them to the supplier; a filled form is delivered as forms/<table>/<name>.xlsx (KAW_SOURCE_FORMS)."
    )
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from include.contracts.differences import differences, read_contract

    (old_version, old), (new_version, new) = read_contract(arguments.old), read_contract(arguments.new)
    found = differences(old, new)
    breaking = sum(each.is_breaking for each in found)
    if arguments.json:
        told = {"old": old_version, "new": new_version, "breaking": breaking, "differences": [asdict(d) for d in found]}
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return 1 if breaking else 0
    for each in sorted(found, key=lambda each: not each.is_breaking):
        print(f"{'breaking' if each.is_breaking else 'harmless':<10}{each.where:<34} {each.what}")
    print(f"Version {old_version} -> {new_version}: {len(found)} differences, {breaking} of them breaking.")
    if breaking and old_version.partition(".")[0] == new_version.partition(".")[0]:
        print("Next: agree with the supplier from when on it holds, and raise the first number of the version.")
    return 1 if breaking else 0
