"""`preview`: what a change would do, before it does."""

from __future__ import annotations

import argparse
from pathlib import Path

from include.local.cli.access import writing
from include.local.cli.options import command, day


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


def _preview(arguments: argparse.Namespace) -> int:
    from include.local.preview import preview_and_print

    with writing() as warehouse:
        preview_and_print(warehouse, arguments.seed, arguments.as_of, as_json=arguments.json)
    return 0
