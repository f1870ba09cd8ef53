"""`bench quality`, `bench speed`, `bench history`: the warehouse measured on simulated utilities."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from include.local.cli.access import administering
from include.local.cli.options import count, days, positive, shares
from include.settings import settings


def add_to(commands) -> None:
    bench = commands.add_parser(
        "bench", help="measure the warehouse on simulated utilities", description="Measure the warehouse."
    )
    benches = bench.add_subparsers(title="benches", required=True, metavar="BENCH")
    text = "how many planted defects of two hands gate 1 finds, class by class, and how quiet clean days are"
    quality = benches.add_parser(
        "quality", help=text, description=text[0].upper() + text[1:] + ". Exit code 1 where a figure misses its bar."
    )
    quality.set_defaults(command=_bench_quality)
    quality.add_argument(
        "--seeds", type=count, default=5, metavar="N", help="so many seeds (default 5; 0 for clean days alone)"
    )
    quality.add_argument("--first-seed", type=count, default=1, metavar="K", help="seeds from K on (default 1)")
    quality.add_argument(
        "--shares", type=shares, default=[0.001, 0.01, 0.05], metavar="S,...", help="default 0.001,0.01,0.05"
    )
    quality.add_argument("--accounts", type=positive, default=900, help="accounts of a cell (default 900)")
    quality.add_argument(
        "--days",
        type=positive,
        default=14,
        help="days of curves of a cell (default 14; fewer than 7 have no room for class X2)",
    )
    quality.add_argument(
        "--least", type=positive, default=20, metavar="N", help="records of every class, at least (default 20)"
    )
    quality.add_argument(
        "--clean-days",
        type=count,
        default=30,
        metavar="N",
        help="clean nights after the cells (default 30; 0 for none)",
    )
    second = quality.add_argument_group("the second hand's defects and its unusual but valid data")
    second.add_argument("--second-seeds", type=count, default=3, metavar="N", help="so many seeds (default 3; 0: none)")
    second.add_argument("--second-accounts", type=positive, default=300, help="accounts (default 300, the fewest)")
    second.add_argument("--second-days", type=positive, default=20, help="days of curves (default 20; at least 14)")
    quality.add_argument(
        "--json",
        action="store_true",
        help="everything, for a program; what was measured so far is in logs/bench_quality.json of the home meanwhile",
    )

    text = "landing, the gate and publishing as ratios to what the database can do at least, and beside other tools"
    speed = benches.add_parser("speed", help=text, description=text[0].upper() + text[1:] + ".")
    speed.set_defaults(command=_bench_speed)
    speed.add_argument(
        "--accounts", type=positive, default=1000, help="accounts of the synthetic utility (default 1000)"
    )
    speed.add_argument("--days", type=positive, default=3, help="days of curves (default 3)")
    speed.add_argument("--repeats", type=positive, default=3, metavar="N", help="medians of N (default 3)")
    speed.add_argument("--json", action="store_true", help="everything, for a program")

    text = "what a night costs beside little and much history, in blocks, rows and seconds"
    history = benches.add_parser("history", help=text, description=text[0].upper() + text[1:] + ".")
    history.set_defaults(command=_bench_history)
    history.add_argument("--accounts", type=positive, default=100, help="accounts (default 100)")
    history.add_argument("--days", type=days, default=[31, 366], metavar="N,...", help="stored days (default 31,366)")
    history.add_argument("--json", action="store_true", help="everything, for a program")


def _bench_quality(arguments: argparse.Namespace) -> int:
    from include.lab.bench import quality, second_hand

    plan = quality.Plan(
        arguments.seeds,
        arguments.first_seed,
        arguments.shares,
        arguments.accounts,
        arguments.days,
        arguments.least,
        arguments.clean_days,
        second_hand.Plan(
            arguments.second_seeds, arguments.first_seed, arguments.second_accounts, arguments.second_days
        ),
    )
    kept = settings().home / "logs" / "bench_quality.json"
    outcome = _measured(quality, arguments.json, plan, keep=lambda so_far: _write(kept, _as_json(so_far)))
    return 1 if outcome.shortfalls else 0


def _bench_speed(arguments: argparse.Namespace) -> int:
    from include.lab.bench import speed

    _measured(speed, arguments.json, arguments.accounts, arguments.days, arguments.repeats)
    return 0


def _bench_history(arguments: argparse.Namespace) -> int:
    from include.lab.bench import history

    _measured(history, arguments.json, arguments.accounts, arguments.days)
    return 0


def _measured(bench, as_json: bool, *plan, **more):
    """What the bench measured, printed as its table or as JSON; its progress is then on the error output."""
    from include.local.console import Progress, output_to
    from include.local.run import only_one

    log = settings().home / "logs" / f"{bench.__name__.replace('include.lab.bench.', 'bench_')}.log"
    with (
        administering(must_exist=False) as warehouse,
        only_one(warehouse.address),
        output_to(log, on_stderr=as_json) as console,
    ):
        outcome = bench.measure(*plan, warehouse, Progress(console), **more)
        if not as_json:
            bench.print_outcome(outcome, console)
    if as_json:
        print(_as_json(outcome))
    return outcome


def _as_json(outcome) -> str:
    return json.dumps(outcome.as_dict(), ensure_ascii=False, indent=1, default=str)


def _write(path: Path, text: str) -> None:
    """At once, so that a reader, or a kill, never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
