"""What commands share: how one is added to the parser, options as values, and the selection of findings."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

from include.errors import UsageError
from include.records.warehouse import Warehouse
from include.settings import SOURCE_NAMES


def command(commands, name: str, function: Callable, text: str) -> argparse.ArgumentParser:
    """Adds a command that calls `function` with its options; its description is the text as a sentence."""
    made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    made.set_defaults(command=function)
    return made


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date YYYY-MM-DD") from None


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def count(text: str) -> int:
    return 0 if text == "0" else positive(text)


def shares(text: str) -> list[float]:
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if not shares or not all(0 < share <= 0.05 for share in shares):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of shares up to 0.05, such as 0.001,0.01")
    return shares


def days(text: str) -> list[int]:
    found = [int(part) for part in text.split(",") if part.isascii() and part.isdigit()]
    if len(found) != text.count(",") + 1 or not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers of days, such as 31,366")
    return found


def check_folder(path: Path) -> None:
    """Raises UsageError where the folder cannot be made or written; what is tried for it is taken back."""
    if any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
        raise UsageError(
            f"{path} is not a folder.", where="DIR", next_step="give a folder; it is made where it is missing."
        )
    missing = [part for part in (path, *path.parents) if not part.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise UsageError(
            f"The folder {path} cannot be written: {error.strerror}.", where="DIR", next_step="give one that can be."
        ) from error
    finally:
        for part in missing:
            with contextlib.suppress(OSError):
                part.rmdir()


def add_selection(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rule", metavar="ID", help="of this rule only, like MET-02")
    command.add_argument("--source", choices=SOURCE_NAMES, help="of this source only")
    command.add_argument("--account", metavar="NO", help="of this account only")


def selection(arguments: argparse.Namespace):
    from include.quality.findings import Selection

    return Selection(arguments.rule, arguments.source, getattr(arguments, "office", None), arguments.account)


def check_known(warehouse: Warehouse, arguments: argparse.Namespace) -> None:
    """A rule or an office that is mistyped must not read as one without findings; an empty warehouse knows none yet."""
    with warehouse.connect() as connection:
        known = connection.execute(
            "select array_agg(rule_id), array_agg(distinct owner order by owner) from"
            " (select rule_id, owner from quality.rule_book union select rule_id, null from quality.findings) as known"
        ).fetchone()
    rules, offices = (set(names or ()) - {None} for names in known)
    if arguments.rule and rules and arguments.rule not in rules:
        raise UsageError(
            f"There is no rule {arguments.rule!r}.",
            where="--rule",
            next_step="take its id from ./kaw findings or the report.",
        )
    office = getattr(arguments, "office", None)
    if office and offices and office not in offices:
        raise UsageError(
            f"There is no office {office!r}.", where="--office", next_step=f"give one of: {', '.join(sorted(offices))}."
        )
