"""The commands of `./kaw`, a module a group. Every error is one message: what happened, where, what next. Exit codes: 0 good,
1 stopped by a gate, 2 wrong usage, 3 infrastructure."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys

from include.errors import InfrastructureError, KawError, UsageError
from include.local.cli import (
    airflow,
    bench,
    bi,
    code,
    erasing,
    findings,
    kit,
    logins,
    nights,
    own_data,
    pending,
    published,
    safekeeping,
)
from include.local.server import make_private
from include.settings import mask_secrets, settings
from include.upkeep import FREE_SPACE, is_disk_full

GROUPS = (nights, own_data, findings, pending, published, safekeeping, erasing, kit, bi, logins, bench, airflow, code)

EXAMPLES = """examples:
  ./kaw run                              one night, yesterday's, on the simulated utility
  ./kaw run --from 2026-11-01 --to 2026-11-07   one night after the other
  ./kaw run --defects 7                  the same night with planted defects, and how many were found
  ./kaw findings --state open            what the gate holds against the data
  ./kaw sql "select * from marts.mart_key_account_ranking limit 5"
"""


def main(argv: list[str] | None = None) -> int:
    arguments, rest = parser().parse_known_args(argv)
    if rest and "pytest_arguments" not in arguments:
        parser().error(f"unrecognized arguments: {' '.join(rest)}; see --help")
    arguments.pytest_arguments = rest
    # Airflow's and dbt's objects are very many and live as long as the process: looking through them is a twentieth of a night
    gc.set_threshold(50_000, 20, 20)
    umask = os.umask(0o077)  # what a home holds is its owner's alone
    try:
        with contextlib.suppress(UsageError):  # a setting that cannot be used is the command's to tell
            make_private(settings().home)
        return arguments.command(arguments) or 0
    except KawError as error:
        if error.exit_code == InfrastructureError.exit_code and is_disk_full(error):
            error.next_step = FREE_SPACE
        print(f"kaw: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("kaw: stopped by hand; the same command goes on from where it was.", file=sys.stderr)
        return 130
    except Exception as error:
        if is_disk_full(error):
            print(f"kaw: The disk is full.\nNext: {FREE_SPACE}", file=sys.stderr)
            return InfrastructureError.exit_code
        import traceback

        log = settings().home / "logs" / "error.log"
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(mask_secrets(traceback.format_exc()))
        except OSError:
            log = f"{log} (could not be written)"
        print(f"kaw: {type(error).__name__}: {mask_secrets(' '.join(str(error).split())[:300])}", file=sys.stderr)
        print(
            f"Where: {log}\nNext: repeat the command; if it fails again, report the file with its first lines.",
            file=sys.stderr,
        )
        return 3
    finally:
        os.umask(umask)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./kaw",
        description="The key-account warehouse of a power utility: land, check, build, publish, report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    for group in GROUPS:
        group.add_to(commands)
    return parser
