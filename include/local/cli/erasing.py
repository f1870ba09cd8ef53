"""`erase`: a person's values leave the vault for good."""

from __future__ import annotations

import argparse
import sys

from include.local.cli.access import reading, writing
from include.local.cli.options import command


def add_to(commands) -> None:
    erase = command(
        commands,
        "erase",
        _erase,
        "list what the vault has of a person, and with --confirm erase it for good; a ledger entry",
    )
    erase.add_argument(
        "value", nargs="+", metavar="VALUE", help="a name, number or address, or a pseudonym; - reads one a line"
    )
    erase.add_argument("--confirm", action="store_true", help="erase what is listed")
    erase.add_argument("--approver", help="who takes responsibility; with --confirm")
    erase.add_argument("--reason", help="why; for the ledger")


def _erase(arguments: argparse.Namespace) -> int:
    from include.quality import erasure
    from include.quality.waivers import check_signature
    from include.records.warehouse import PERSONAL_READER

    asked = [text for given in arguments.value for text in (sys.stdin.read().splitlines() if given == "-" else [given])]
    if arguments.confirm:
        check_signature(arguments.approver, arguments.reason)
        with writing():  # a home of before has its values in the vault then
            pass
    with reading(PERSONAL_READER) as reader:
        listed = erasure.find(reader, asked)
    for value in listed.values:
        _print(value)
    for pseudonym, place in listed.contained_in.items():
        print(f"It also occurs in the text {pseudonym} ({place}), which is not erased unless it is named.")
    if not arguments.confirm:
        print(
            "Nothing was erased. Next: name beside these what else is the person's, and repeat with --confirm --approver NAME --reason TEXT"
        )
        return 0
    with writing() as warehouse:
        done = erasure.erase(warehouse, listed, arguments.approver, arguments.reason)
    print(
        f"Erased: {_count(len(done), 'value')}. Figures, hashes and reports are as they were; the ledger has an entry."
    )
    print("Out of reach:")
    for place in erasure.OUT_OF_REACH:
        print(f"  {place}")
    print(
        "Next: tell the holders of these; deliveries that brought a value are named by the next report under Reproduce."
    )
    return 0


def _print(value) -> None:
    state = "erased before" if value.is_erased else "in the vault" if value.is_in_vault else "not in the vault"
    print(f"{value.pseudonym}: {state}, {_count(len(value.loads), 'load')}")
    for table, column, rows in value.places:
        print(f"  {table}.{column}: {_count(rows, 'row')}")
    for pseudonym, column in sorted(value.beside.items(), key=lambda each: each[1]):
        print(f"  beside it, {column}: {pseudonym}")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
