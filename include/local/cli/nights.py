"""`run`, `backfill`, `simulate`, `check-sources`: nights, and the sources that they land."""

from __future__ import annotations

import argparse
import contextlib
import json
from datetime import date, timedelta
from pathlib import Path

from include.errors import UsageError
from include.local.cli.options import check_folder, command, day, positive
from include.profiles import profile
from include.settings import SOURCE_NAMES, Settings, default_business_date, settings


def add_to(commands) -> None:
    run = command(commands, "run", _run, "run a night: land the sources, check, build, publish, report")
    run.add_argument("--date", type=day, metavar="D", help="business date (default: yesterday in Asia/Shanghai)")
    run.add_argument("--from", type=day, metavar="D", dest="first", help="first business date of several")
    run.add_argument("--to", type=day, metavar="D", dest="last", help="last business date of several")
    run.add_argument("--accounts", type=positive, help="accounts of the simulated utility (default 200)")
    run.add_argument("--days", type=positive, help="days of curves of the simulated utility (default 45)")
    run.add_argument("--seed", type=int, help="seed of the simulated utility (default 1)")
    run.add_argument(
        "--rich",
        action="store_true",
        default=None,
        help="let the simulated utility live through the stories of docs/reference/simulated-utility.md",
    )
    planted = run.add_mutually_exclusive_group()
    planted.add_argument("--defects", type=int, metavar="SEED", help="plant defects and print how many were found")
    planted.add_argument("--defects-blocking", action="store_true", help="plant a bulk edit that the gate must stop")
    run.add_argument(
        "--expect", metavar="HASH", help="exit with 1 unless the marts published in the end have this hash in all"
    )
    run.add_argument("--fresh", action="store_true", help="forget everything in this home first")
    run.add_argument(
        "--plan", action="store_true", help="run nothing; tell what the next night builds because code or seeds changed"
    )
    run.add_argument("--json", action="store_true", help="with --plan: everything, for a program")

    back = command(commands, "backfill", _backfill, "load the history of months or years; repeated, it goes on")
    back.add_argument("--from", type=day, metavar="D", dest="first", required=True, help="first business date")
    back.add_argument("--to", type=day, metavar="D", dest="last", help="last business date (default: yesterday)")

    simulate = command(
        commands, "simulate", _simulate, "write the simulated utility as folders of deliveries (synthetic)"
    )
    simulate.add_argument("directory", type=Path, metavar="DIR", help="folder to write to; made where it is missing")
    simulate.add_argument("--accounts", type=positive, default=200, help="accounts of the utility (default 200)")
    simulate.add_argument("--days", type=positive, default=45, help="days of curves (default 45)")
    simulate.add_argument("--seed", type=int, default=1, help="the same number makes the same utility (default 1)")
    simulate.add_argument("--rich", action="store_true", help="with the stories of docs/reference/simulated-utility.md")
    simulate.add_argument("--defects", type=int, metavar="SEED", help="plant defects; DIR/truth.csv lists them")
    simulate.add_argument("--date", type=day, metavar="D", help="last day (default: yesterday)")

    check = command(
        commands,
        "check-sources",
        _check_sources,
        "connect to the sources, compare columns, count, look at values; writes nothing",
    )
    check.add_argument("--all", action="store_true", help="look at the values of every row, not of a sample")
    check.add_argument("--json", action="store_true", help="everything, for a program")


def _run(arguments: argparse.Namespace) -> int:
    from include.local.run import run_nights

    if arguments.plan or arguments.json:
        return _plan(arguments)
    if (arguments.date and (arguments.first or arguments.last)) or bool(arguments.first) != bool(arguments.last):
        raise UsageError("Give either --date, or --from and --to together.", next_step="see ./kaw run --help.")
    day = arguments.date or default_business_date()
    first, last = _complete_days(arguments.first or day, arguments.last or day)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return run_nights(
        days,
        accounts=arguments.accounts,
        days_of_curves=arguments.days,
        seed=arguments.seed,
        rich=arguments.rich,
        defects=arguments.defects,
        blocking=arguments.defects_blocking,
        fresh=arguments.fresh,
        expect=arguments.expect,
    )


def _plan(arguments: argparse.Namespace) -> int:
    from include.local.cli.access import reading
    from include.local.preview import plan_and_print

    given = {name for name, value in vars(arguments).items() if value is not None and value is not False}
    if not arguments.plan or given - {"plan", "json", "command", "pytest_arguments"}:
        raise UsageError("--plan goes with --json alone, and --json with --plan.", next_step="see ./kaw run --help.")
    with reading() as warehouse:
        plan_and_print(warehouse, as_json=arguments.json)
    return 0


def _complete_days(first: date, last: date) -> tuple[date, date]:
    if first > last:
        raise UsageError(f"--from {first} is later than --to {last}.", next_step="give the earlier date first.")
    if last > default_business_date():
        raise UsageError(
            f"{last} is not complete yet; a business date is run on the day after.",
            next_step=f"give {default_business_date()} or an earlier date.",
        )
    return first, last


def _backfill(arguments: argparse.Namespace) -> int:
    from include.local.backfill import backfill_and_print

    return backfill_and_print(*_complete_days(arguments.first, arguments.last or default_business_date()))


def _simulate(arguments: argparse.Namespace) -> int:
    from include.lab.simulate import main as simulator

    check_folder(arguments.directory)
    given = [
        str(arguments.directory),
        "--accounts",
        str(arguments.accounts),
        "--days",
        str(arguments.days),
        "--seed",
        str(arguments.seed),
        "--business-date",
        str(arguments.date or default_business_date()),
    ]
    given += ["--rich"] if arguments.rich else []
    return simulator(given + (["--defects", str(arguments.defects)] if arguments.defects is not None else []))


def _check_sources(arguments: argparse.Namespace) -> int:
    from include.landing.check import SAMPLE_ROWS, check_sources, print_checks
    from include.local import server
    from include.local.in_use import server_in_use

    # a simulated source may live in the embedded server; where there is none yet, none is made to look at it
    with server_in_use() if server.exists(settings()) else contextlib.nullcontext():
        sample = None if arguments.all else SAMPLE_ROWS
        checks = check_sources(addresses_to_check(), default_business_date(), sample)
    if arguments.json:
        print(json.dumps([c.as_dict() for c in checks], ensure_ascii=False, indent=1))
    else:
        print_checks(checks, sample)
    return 3 if any(c.problem for c in checks) else 1 if any(c.values for c in checks) else 0


def addresses_to_check() -> dict[str, str | None]:
    """Source -> address; that of a simulated one once it has delivered, None before."""
    from include.lab import source as simulated
    from include.local import server

    given = settings()
    stated = profile().addresses
    found = {name: given.source(name) or stated.get(name) for name in (*SOURCE_NAMES, "forms")}
    has_delivered = server.exists(given) and simulated.folder(given).is_dir()
    for name in filter(simulated.is_simulated, SOURCE_NAMES):
        found[name] = _simulated(name, given) if has_delivered else None
    return found


def _simulated(name: str, given: Settings) -> str:
    from include.lab import source as simulated
    from include.local import identities

    if name in ("metering", "forms"):
        return simulated.address_of(name, "")
    return identities.simulation_url(name, given)
