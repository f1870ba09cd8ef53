"""The commands of `./kaw`. Every error is one message: what happened, where, what next. Exit codes: 0 good, 1 stopped by
a gate, 2 wrong usage, 3 infrastructure."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg

from include.errors import InfrastructureError, KawError, UsageError
from include.records.warehouse import Warehouse
from include.settings import ROOT, SOURCE_NAMES, default_business_date, mask_secrets, settings

EXAMPLES = """examples:
  ./kaw run                              one night, yesterday's, on the simulated utility
  ./kaw run --from 2026-11-01 --to 2026-11-07   one night after the other
  ./kaw run --defects 7                  the same night with planted defects, and how many were found
  ./kaw findings --state open            what the gate holds against the data
  ./kaw sql "select * from marts.mart_key_account_ranking limit 5"
"""


def main(argv: list[str] | None = None) -> int:
    arguments, rest = _parser().parse_known_args(argv)
    if rest and arguments.command is not _test:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}; see --help")
    arguments.pytest_arguments = rest
    try:
        return arguments.command(arguments) or 0
    except KawError as error:
        print(f"kaw: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("kaw: stopped by hand; the same command goes on from where it was.", file=sys.stderr)
        return 130
    except Exception as error:
        import traceback

        log = settings().home / "logs" / "error.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(mask_secrets(traceback.format_exc()))
        print(f"kaw: {type(error).__name__}: {mask_secrets(' '.join(str(error).split())[:300])}", file=sys.stderr)
        print(
            f"Where: {log}\nNext: repeat the command; if it fails again, report the file with its first lines.",
            file=sys.stderr,
        )
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./kaw",
        description="The key-account warehouse of a power utility: land, check, build, publish, report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.set_defaults(command=function)
        return made

    run = command("run", _run, "run a night: land the sources, check, build, publish, report")
    run.add_argument("--date", type=_day, metavar="D", help="business date (default: yesterday in Asia/Shanghai)")
    run.add_argument("--from", type=_day, metavar="D", dest="first", help="first business date of several")
    run.add_argument("--to", type=_day, metavar="D", dest="last", help="last business date of several")
    run.add_argument("--accounts", type=_positive, help="accounts of the simulated utility (default 200)")
    run.add_argument("--days", type=_positive, help="days of curves of the simulated utility (default 45)")
    run.add_argument("--seed", type=int, help="seed of the simulated utility (default 1)")
    planted = run.add_mutually_exclusive_group()
    planted.add_argument("--defects", type=int, metavar="SEED", help="plant defects and print how many were found")
    planted.add_argument("--defects-blocking", action="store_true", help="plant a bulk edit that the gate must stop")
    run.add_argument(
        "--expect", metavar="HASH", help="exit with 1 unless the marts published in the end have this hash in all"
    )
    run.add_argument("--fresh", action="store_true", help="forget everything in this home first")

    simulate = command("simulate", _simulate, "write the simulated utility as folders of deliveries (synthetic)")
    simulate.add_argument("directory", type=Path, metavar="DIR")
    simulate.add_argument("--accounts", type=_positive, default=200)
    simulate.add_argument("--days", type=_positive, default=45)
    simulate.add_argument("--seed", type=int, default=1)
    simulate.add_argument("--defects", type=int, metavar="SEED", help="plant defects; DIR/truth.csv lists them")
    simulate.add_argument("--date", type=_day, metavar="D", help="last day (default: yesterday)")

    check = command("check-sources", _check_sources, "connect to the sources, compare columns, count; writes nothing")
    check.add_argument("--json", action="store_true")

    findings = command("findings", _findings, "list findings: rule, record, what was seen and what was expected")
    findings.add_argument("--json", action="store_true")
    findings.add_argument(
        "--state",
        choices=["open", "changed", "expired", "waived", "fixed", "all"],
        default="open",
        help="default open; changed and expired (its waiver ended) are open ones whose last news was that",
    )
    _add_selection(findings)
    findings.add_argument("--office", metavar="NAME", help="owner of the rule, for example 'metering office'")
    findings.add_argument(
        "--limit", type=_positive, default=50, help="rows on the terminal (default 50; --json lists all)"
    )

    worklists = command("worklists", _worklists, "write what each office has to fix: open findings as xlsx and CSV")
    worklists.add_argument("directory", type=Path, metavar="DIR")

    replay = command(
        "replay", _replay, "judge quarantined rows again without landing anything, and admit those that pass now"
    )
    _add_selection(replay)
    replay.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")

    trace = command("trace", _trace, "follow a published row back to the source rows: files, lines, rules, versions")
    trace.add_argument("mart", metavar="MART", help="its name, with or without mart_")
    trace.add_argument(
        "key", metavar="KEY", help="column=value,... or a JSON object; a part of the key lists the rows it fits"
    )
    trace.add_argument("--json", action="store_true", help="everything, for a program")

    waive = command(
        "waive", _waive, "let a rule's findings pass until a date, on somebody's responsibility, or end that before"
    )
    waive.add_argument("rule", metavar="RULE", nargs="?", help="rule id, for example PIP-03")
    waive.add_argument("--scope", help='all, table=NAME, account=NO, or key={"mp_no": "..."}')
    waive.add_argument("--approver", required=True, help="who takes responsibility")
    waive.add_argument("--reason", required=True)
    waive.add_argument("--until", metavar="DATE", help="last business date it holds for")
    waive.add_argument(
        "--end",
        type=_positive,
        metavar="NO",
        help="end this waiver before its date, instead of RULE, --scope and --until",
    )

    report = command(
        "report",
        _report,
        "write the auditors' report of a run (HTML, with CSV, JSON and xlsx beside it), or rebuild it to the same bytes",
    )
    report.add_argument("--run", type=_positive, metavar="ID", help="another run than the last")

    docs = command(
        "docs",
        _docs,
        "write the documentation of all models as one static page: columns, tests, lineage, who reads what",
    )
    docs.add_argument(
        "--code", action="store_true", help="instead, write docs/rules.md and docs/rooms.svg anew; needs no warehouse"
    )

    rollback = command("rollback", _rollback, "show readers the version before, and keep it until released")
    rollback.add_argument("--approver", required=True)
    rollback.add_argument("--reason", required=True)
    rollback.add_argument(
        "--release", action="store_true", help="release what was rolled back; the next run publishes again"
    )

    status = command("status", _status, "what is published: version, rows and hash of every mart")
    status.add_argument("--json", action="store_true")

    sql = command("sql", _sql, "run one query, read-only")
    sql.add_argument("query")
    sql.add_argument("--csv", action="store_true")

    bench = commands.add_parser(
        "bench", help="measure the warehouse on simulated utilities", description="Measure the warehouse."
    )
    benches = bench.add_subparsers(title="benches", required=True, metavar="BENCH")
    text = "how many planted defects gate 1 finds, class by class, and how quiet clean days are"
    quality = benches.add_parser(
        "quality", help=text, description=text[0].upper() + text[1:] + ". Exit code 1 where a figure misses its bar."
    )
    quality.set_defaults(command=_bench_quality)
    quality.add_argument(
        "--seeds", type=_count, default=5, metavar="N", help="so many seeds (default 5; 0 for clean days alone)"
    )
    quality.add_argument("--first-seed", type=_count, default=1, metavar="K", help="seeds from K on (default 1)")
    quality.add_argument(
        "--shares", type=_shares, default=[0.001, 0.01, 0.05], metavar="S,...", help="default 0.001,0.01,0.05"
    )
    quality.add_argument("--accounts", type=_positive, default=900, help="accounts of a cell (default 900)")
    quality.add_argument(
        "--days",
        type=_positive,
        default=14,
        help="days of curves of a cell (default 14; fewer than 7 have no room for class X2)",
    )
    quality.add_argument(
        "--least", type=_positive, default=20, metavar="N", help="records of every class, at least (default 20)"
    )
    quality.add_argument(
        "--clean-days",
        type=_count,
        default=30,
        metavar="N",
        help="clean nights after the cells (default 30; 0 for none)",
    )
    quality.add_argument("--json", action="store_true", help="everything, for a program")

    text = "landing, the gate and publishing as ratios to what the database can do at least, and beside other tools"
    speed = benches.add_parser("speed", help=text, description=text[0].upper() + text[1:] + ".")
    speed.set_defaults(command=_bench_speed)
    speed.add_argument(
        "--accounts", type=_positive, default=1000, help="accounts of the synthetic utility (default 1000)"
    )
    speed.add_argument("--days", type=_positive, default=3, help="days of curves (default 3)")
    speed.add_argument("--repeats", type=_positive, default=3, metavar="N", help="medians of N (default 3)")
    speed.add_argument("--json", action="store_true", help="everything, for a program")

    command("up", _up, "start Airflow with scheduler and page on 127.0.0.1")
    down = command("down", _down, "stop Airflow and the embedded server")
    down.add_argument("--purge", action="store_true", help="and delete everything this home holds")

    lint = command("lint", _lint, "look for mistakes in rules, contracts, seeds, models, DAGs and Python, in seconds")
    lint.add_argument("--all", action="store_true", help="the style of all SQL, not only of changed files (minutes)")
    lint.add_argument("--json", action="store_true")

    test = command("test", _test, "run the tests; what ./kaw does not know is passed on to pytest")
    length = test.add_mutually_exclusive_group()
    length.add_argument("--soak", action="store_true", help="the long ones too")
    length.add_argument("--fast", action="store_true", help="unit tests and what ./kaw lint finds without a server")
    return parser


def _add_selection(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rule", metavar="ID")
    command.add_argument("--source", choices=SOURCE_NAMES)
    command.add_argument("--account", metavar="NO")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date YYYY-MM-DD") from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _shares(text: str) -> list[float]:
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if not shares or not all(0 < share <= 0.05 for share in shares):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of shares up to 0.05, such as 0.001,0.01")
    return shares


@contextlib.contextmanager
def _warehouse(must_exist: bool = True, migrates: bool = True) -> Iterator[Warehouse]:
    """The warehouse for a command that writes, brought to the state of this code; a dry run asks that it is in it."""
    from include.local import server
    from include.local.in_use import server_in_use
    from include.records.migrations import migrate, require_current

    if must_exist:
        _require_warehouse()
    with server_in_use():
        warehouse = Warehouse(server.warehouse_url())
        (migrate if migrates else require_current)(warehouse)
        yield warehouse


@contextlib.contextmanager
def _reading() -> Iterator[Warehouse]:
    """The warehouse for a command that changes nothing: read-only, in the reading role, never migrated."""
    from include.local import server
    from include.local.in_use import server_in_use
    from include.records.migrations import require_current

    _require_warehouse()
    with server_in_use():
        warehouse = Warehouse(server.warehouse_url())
        require_current(warehouse)
        try:
            yield warehouse.reader()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            raise InfrastructureError(
                f"Reading took too long: {error.diag.message_primary}.",
                where=mask_secrets(warehouse.address),
                next_step="let the run that is at work end (pg_stat_activity lists it), and repeat the command.",
            ) from error


def _require_warehouse() -> None:
    from include.local import server

    given = settings()
    if given.warehouse is None and not server.exists(given):
        raise UsageError(
            "There is no warehouse in this home yet.", where=str(given.home), next_step="make one with ./kaw run."
        )


def _run(arguments: argparse.Namespace) -> int:
    from include.local.run import run_nights

    first, last = arguments.first, arguments.last
    if (arguments.date and (first or last)) or bool(first) != bool(last):
        raise UsageError("Give either --date, or --from and --to together.", next_step="see ./kaw run --help.")
    day = arguments.date or default_business_date()
    first, last = first or day, last or day
    if first > last:
        raise UsageError(f"--from {first} is later than --to {last}.", next_step="give the earlier date first.")
    if last > default_business_date():
        raise UsageError(
            f"{last} is not complete yet; a business date is run on the day after.",
            next_step=f"give {default_business_date()} or an earlier date.",
        )
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return run_nights(
        days,
        accounts=arguments.accounts,
        days_of_curves=arguments.days,
        seed=arguments.seed,
        defects=arguments.defects,
        blocking=arguments.defects_blocking,
        fresh=arguments.fresh,
        expect=arguments.expect,
    )


def _simulate(arguments: argparse.Namespace) -> int:
    from include.lab.simulate import main as simulator

    _check_folder(arguments.directory)
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
    return simulator(given + (["--defects", str(arguments.defects)] if arguments.defects is not None else []))


def _check_sources(arguments: argparse.Namespace) -> int:
    from include.landing.check import check_sources, print_checks
    from include.local import server
    from include.local.in_use import server_in_use

    # a simulated source may live in the embedded server; where there is none yet, none is made to look at it
    with server_in_use() if server.exists(settings()) else contextlib.nullcontext():
        checks = check_sources(_addresses_to_check(), default_business_date())
    if arguments.json:
        print(json.dumps([c.as_dict() for c in checks], ensure_ascii=False, indent=1))
    else:
        print_checks(checks)
    return 3 if any(c.problem for c in checks) else 0


def _addresses_to_check() -> dict[str, str | None]:
    """Source -> address; that of a simulated one once it has delivered, None before."""
    from include.lab import source as simulated
    from include.local import server

    given = settings()
    found = {name: given.source(name) for name in (*SOURCE_NAMES, "forms")}
    has_delivered = server.exists(given) and simulated.folder(given).is_dir()
    for name in filter(simulated.is_simulated, SOURCE_NAMES):
        found[name] = simulated.address_of(name, server.warehouse_url(given)) if has_delivered else None
    return found


def _findings(arguments: argparse.Namespace) -> int:
    from include.records.tables import print_rows, read_rows

    where, values = _selection(arguments).condition(arguments.state)
    columns = (
        "rule_id, axis, severity, source_name, table_name, record_key, column_name, account_no, business_date, observed,"
        " expected, suspect_side, energy_at_stake_kwh, amount_at_stake_cny, state, first_seen_at, last_seen_at, source_reference,"
        " office, age_days, last_change, waiver_id, fixed_at"
    )
    query = f"select {columns} from quality.findings where {where} order by rule_id, table_name, record_key::text, column_name, finding_id"
    with _reading() as warehouse:
        _check_known(warehouse, arguments)
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
        "source_reference",
    ]
    picked = [names.index(name) for name in shown]
    print_rows(shown, [[row[i] for i in picked] for row in rows[: arguments.limit]])
    print(f"{len(rows)} findings" + (f", the first {arguments.limit} shown" if len(rows) > arguments.limit else ""))
    return 0


def _check_known(warehouse: Warehouse, arguments: argparse.Namespace) -> None:
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


def _check_folder(path: Path) -> None:
    if any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
        raise UsageError(
            f"{path} is not a folder.", where="DIR", next_step="give a folder; it is made where it is missing."
        )


def _selection(arguments: argparse.Namespace):
    from include.quality.findings import Selection

    return Selection(arguments.rule, arguments.source, getattr(arguments, "office", None), arguments.account)


def _worklists(arguments: argparse.Namespace) -> int:
    from include.report.worklists import write_worklists

    _check_folder(arguments.directory)
    with _reading() as warehouse:
        lists = write_worklists(warehouse, arguments.directory)
    for made in lists:
        print(f"{made.office:<22} {made.rows:>9,} findings   {', '.join(str(path) for path in made.files)}")
    print(f"{sum(made.rows for made in lists):,} open findings" if lists else "No open findings: nothing was written.")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from include.local.replay import replay_and_print

    with _warehouse(migrates=not arguments.dry_run) as warehouse:
        _check_known(warehouse, arguments)
        replay_and_print(warehouse, _selection(arguments), is_dry_run=arguments.dry_run)
    return 0


def _trace(arguments: argparse.Namespace) -> int:
    from include.report.trace import trace
    from include.report.trace_text import print_trace

    with _reading() as warehouse:
        found = trace(warehouse, arguments.mart, arguments.key)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        print_trace(found)
    return 0


def _waive(arguments: argparse.Namespace) -> int:
    from include.quality.waivers import check_asked, end_waiver, waive

    check_asked(arguments.rule, arguments.scope, arguments.until, arguments.end)
    if arguments.end:
        with _warehouse() as warehouse:
            end_waiver(warehouse.address, arguments.end, arguments.approver, arguments.reason)
        print(
            f"Waiver {arguments.end} is ended, by {arguments.approver}. Its findings are open again from the next gate on."
        )
        return 0
    with _warehouse() as warehouse:
        number = waive(
            warehouse.address, arguments.rule, arguments.scope, arguments.approver, arguments.reason, arguments.until
        )
    print(f"Waiver {number}: {arguments.rule} {arguments.scope} until {arguments.until}, by {arguments.approver}.")
    print("Next: repeat the command that the gate stopped, on the same delivery.")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from include.report import write_report

    with _reading() as warehouse:
        written = write_report(warehouse, arguments.run, settings().home / "reports", notes=False)
    print(f"{written.path}\nsha256 {written.sha256}: {written.told()}")
    return 0


def _docs(arguments: argparse.Namespace) -> int:
    if arguments.code:
        from include.local.documents import write_documents

        print(*(path.relative_to(ROOT) for path in write_documents()), sep="\n")
        return 0
    from include.transform.dbt import write_docs

    with _reading() as warehouse:
        print(write_docs(warehouse, settings().home / "docs"))
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    from include.publish import release, rollback

    with _warehouse() as warehouse:
        if arguments.release:
            months = release(warehouse.address, approver=arguments.approver, reason=arguments.reason)
            print(f"Released {len(months)} months; the next ./kaw run publishes them again.")
        else:
            moved = rollback(warehouse.address, approver=arguments.approver, reason=arguments.reason)
            for month, version in sorted(moved.items()):
                print(
                    f"{month:%Y-%m} shows version {version}"
                    if version
                    else f"{month:%Y-%m} shows nothing: it had no earlier version"
                )
            print("Pinned until ./kaw rollback --release --approver NAME --reason TEXT")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from include.publish import status
    from include.records.tables import print_rows

    with _reading() as warehouse:
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

    with _reading() as warehouse:
        names, rows = read_rows(warehouse, arguments.query)
    if arguments.csv:
        write_csv(names, rows, sys.stdout)
    else:
        print_rows(names, rows)
    return 0


def _bench_quality(arguments: argparse.Namespace) -> int:
    from include.lab.bench import quality

    plan = quality.Plan(
        arguments.seeds,
        arguments.first_seed,
        arguments.shares,
        arguments.accounts,
        arguments.days,
        arguments.least,
        arguments.clean_days,
    )
    outcome = _measured(quality, arguments.json, plan)
    return 1 if outcome.shortfalls else 0


def _bench_speed(arguments: argparse.Namespace) -> int:
    from include.lab.bench import speed

    _measured(speed, arguments.json, arguments.accounts, arguments.days, arguments.repeats)
    return 0


def _measured(bench, as_json: bool, *plan):
    """What the bench measured, printed as its table or as JSON; its progress is then on the error output."""
    from include.local.console import Progress, output_to
    from include.local.run import only_one

    log = settings().home / "logs" / f"{bench.__name__.replace('include.lab.bench.', 'bench_')}.log"
    with (
        _warehouse(must_exist=False) as warehouse,
        only_one(warehouse.address),
        output_to(log, on_stderr=as_json) as console,
    ):
        outcome = bench.measure(*plan, warehouse, Progress(console))
        if not as_json:
            bench.print_outcome(outcome, console)
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False, indent=1, default=str))
    return outcome


def _up(_: argparse.Namespace) -> int:
    from include.local import scheduler

    with _warehouse(must_exist=False):
        print("Airflow is up already." if scheduler.is_up() else "Starting Airflow (about a minute) ...", flush=True)
        login = scheduler.up()
    print(
        f"Airflow   {login['address']}\nUser      {login['user']}\nPassword  {login['password']}\nStop it with ./kaw down"
    )
    return 0


def _down(arguments: argparse.Namespace) -> int:
    from include.local import scheduler, server

    stopped = scheduler.down()
    given = settings()
    running = server.is_running(given)
    if arguments.purge:
        server.purge(given)
        if given.warehouse:
            print("KAW_WAREHOUSE is a server of yours: its database was left alone.")
        print(f"Deleted {given.home}.")
        return 0
    server.stop(given)
    print("Stopped." if stopped or running else "Nothing was running.")
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    from include.local.lint import lint

    outcome = lint(ROOT, all_sql=arguments.all)
    return _tell_problems(outcome, arguments.json)


def _tell_problems(outcome, as_json: bool) -> int:
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False, indent=1))
        return 2 if outcome.problems else 0
    for problem in outcome.problems:
        print(problem)
    print(f"{len(outcome.problems) or 'No'} problems" if len(outcome.problems) != 1 else "1 problem")
    print(", ".join(f"{name} {seconds} s" for name, seconds in outcome.seconds.items()), file=sys.stderr)
    return 2 if outcome.problems else 0


def _test(arguments: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "pytest", *(["--soak"] if arguments.soak else [])]
    if "-n" not in arguments.pytest_arguments and not arguments.soak:
        command += ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"]
    command += ["tests/unit"] if arguments.fast else []
    command += arguments.pytest_arguments
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if arguments.fast:
        from include.local.lint import lint

        code = code or _tell_problems(lint(ROOT, without_database=True), as_json=False)
    return code


if __name__ == "__main__":
    sys.exit(main())
