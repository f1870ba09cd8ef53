"""`./kaw run`: the DAGs of `dags/` one after the other in this process, with progress step by step."""

from __future__ import annotations

import contextlib
import importlib
import logging
import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import date

import psycopg
from rich.console import Console

from include import progress
from include.environment import set_variables
from include.errors import GateBlocked, InfrastructureError, KawError, NotReproduced, UsageError
from include.lab import source as simulated
from include.local import identities, scheduler, server, superset
from include.local.console import Progress, output_to
from include.local.in_use import server_in_use
from include.local.postgres import Cluster
from include.records import ledger, locks, runs
from include.records.database import SCHEMAS, connect
from include.records.warehouse import Warehouse
from include.settings import Settings, settings
from include.transform import beside
from include.upkeep import FREE_SPACE, is_disk_full, require_space


def run_nights(
    days: list[date],
    *,
    accounts: int | None,
    days_of_curves: int | None,
    seed: int | None,
    rich: bool | None,
    defects: int | None,
    blocking: bool,
    fresh: bool,
    expect: str | None = None,
) -> int:
    """Runs the nights in order of date and stops at the first that does not publish. Returns the exit code.

    Raises NotReproduced where the marts published in the end have another hash in all than `expect`.
    """
    scheduler.refuse_while_up()
    given = settings()
    any_simulated = any(simulated.is_simulated(s) for s in ("metering", "marketing", "contract"))
    if not any_simulated and (
        blocking or any(asked is not None for asked in (accounts, days_of_curves, seed, rich, defects))
    ):
        raise UsageError(
            "--accounts, --days, --seed, --rich and --defects are of the simulated utility; all three sources here are yours.",
            where="KAW_SOURCE_METERING, KAW_SOURCE_MARKETING, KAW_SOURCE_CONTRACT",
            next_step="leave the options out, or unset the addresses.",
        )
    if fresh:
        _forget(given)
    if any_simulated:
        simulated.choose(accounts, days_of_curves, seed, rich, defects, blocking, fresh)
    with nights_of(given, f"run_{days[-1]}.log", expect) as (warehouse, hear, console):
        for day in days:
            night(warehouse.address, day, hear, console, any_simulated)
            if any_simulated and defects is not None:
                from include.lab.score import print_score

                print_score(warehouse.address, simulated.simulate(day).truth, console)
    return 0


@contextlib.contextmanager
def nights_of(
    given: Settings, log_name: str, expect: str | None = None
) -> Iterator[tuple[Warehouse, Progress, Console]]:
    """Server and Airflow's metadata for nights in this process, one command at a time; who hears and who prints. Tells in the end
    what is published.

    Raises NotReproduced where the marts published in the end have another hash in all than `expect`.
    """
    log = given.home / "logs" / log_name
    require_space(given.home, *([Cluster(given.home).base] if given.warehouse is None else []))
    started = time.monotonic()
    with server_in_use(), _airflow_let_go(), output_to(log) as console:
        hear = Progress(console)
        progress.listen(hear)
        try:
            with hear.step("start server and Airflow metadata"):
                warehouse = identities.opened(given)
                scheduler.prepare()
                scheduler.read_dags()
            _import_beside()
            with only_one(warehouse.address):
                _forget_killed_preview(given)
                yield warehouse, hear, console
            _follow_publish(given, console)
            _tell_result(warehouse, console, time.monotonic() - started)
            if same := compare(warehouse.address, expect):
                console.print(same, highlight=False, markup=False)
        except KawError as error:
            error.where = error.where or str(log)
            raise
        finally:
            progress.listen(None)


def _import_beside() -> None:
    """Imports what the steps after landing need, seconds of it, while the sources land and the database is at work.

    A step that needs a library before then waits for it. Airflow is imported already: both at once would import much of the same.
    """
    set_variables({"GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"})  # both are asked for as they are imported
    logging.getLogger("great_expectations").setLevel(logging.WARNING)

    def imports() -> None:
        for name in ("dbt.cli.main", "dbt.adapters.postgres", "great_expectations", "great_expectations.expectations"):
            with contextlib.suppress(ImportError):  # the step that needs it says so
                importlib.import_module(name)

    threading.Thread(target=imports, name="imports", daemon=True).start()


@contextlib.contextmanager
def _airflow_let_go():
    """Airflow's own connections end before the server does, or its exit hook complains about a lost one."""
    try:
        yield
    finally:
        if airflow := sys.modules.get("airflow.settings"):
            airflow.dispose_orm(do_log=False)


def night(url: str, day: date, hear: Progress, console: Console, any_simulated: bool) -> None:
    console.print(
        f"[bold]Night of {day}[/bold]" + (" (simulated utility: every row is synthetic)" if any_simulated else "")
    )
    with hear.around("start and end tasks in Airflow"):
        land(url, day, hear)
        build(url, day, hear)


def land(url: str, day: date, hear: Progress) -> None:
    for dag_id in scheduler.EXTRACTS:
        _run(url, dag_id, day, hear)


def build(url: str, day: date, hear: Progress) -> None:
    _run(url, scheduler.BUILD, day, hear)
    state = runs.state_of(url, day)
    if state != "published":
        raise InfrastructureError(f"The night of {day} ended as {state}.", next_step="repeat the command.")


def _run(url: str, dag_id: str, day: date, hear: Progress) -> None:
    """One DAG. Whether a gate stopped it is read from the database; the words for it come from the step that failed."""
    hear.errors.clear()
    if scheduler.run_dag(dag_id, day):
        return
    blocked = dag_id == scheduler.BUILD and runs.state_of(url, day) == "blocked"
    for error in hear.errors:
        if isinstance(error, KawError) and isinstance(error, GateBlocked) is blocked:
            raise error
    if blocked:
        raise GateBlocked(f"A gate stopped the night of {day}.", next_step="see ./kaw findings and ./kaw report.")
    if any(map(is_disk_full, hear.errors)):
        raise InfrastructureError(f"{dag_id} failed: the disk is full.", next_step=FREE_SPACE)
    what = f": {type(hear.errors[0]).__name__}: {' '.join(str(hear.errors[0]).split())[:300]}" if hear.errors else ""
    raise InfrastructureError(f"{dag_id} failed{what}.", next_step="repeat the command; it goes on from where it was.")


def _forget_killed_preview(given: Settings) -> None:
    with Warehouse(server.warehouse_url(given)).connect() as connection:
        beside.drop(connection)


def _follow_publish(given: Settings, console) -> None:
    """A manager who left by this publish loses the user in Superset too; what fails there does not fail the night."""
    if not superset.is_set_up(given):
        return
    try:
        left = superset.retire_who_left(Warehouse(server.warehouse_url(given)), given)
    except psycopg.Error:
        console.print("Users of managers who left were not looked for in Superset; ./kaw bi does it.", highlight=False)
        return
    if left:
        console.print(f"Superset: no log-in any more for {', '.join(left)}.", highlight=False, markup=False)


def _tell_result(warehouse: Warehouse, console, seconds: float) -> None:
    """What the night answers, in sentences; hashes and versions are of ./kaw status."""
    from include.night import newest_report, write_overview
    from include.publish import status
    from include.report.overview_text import TITLES, sentences

    def tell(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    found, folder = status(warehouse.address), settings().home / "reports"
    tell(
        f"\nPublished as of {found['business_date']}: {len(found['months'])} months of {len(found['marts'])} marts,"
        " dimensions and facts"
    )
    shown = write_overview(warehouse)
    for name, sentence in sentences(shown).items() if shown else ():
        tell(textwrap.fill(sentence.en, 124, initial_indent=f"  {TITLES[name].en:<22}", subsequent_indent=" " * 24))
    counts = dict(_finding_counts(warehouse.address))
    tell("Open findings: " + (", ".join(f"{n} {severity}" for severity, n in counts.items()) or "none"))
    tell(
        f"Overview: {folder / 'overview.html' if shown else 'could not be made, see the log; the marts are published'}"
    )
    tell(f"Report: {newest_report(folder)}")
    tell(f"Done in {seconds:.0f} s. Next: open the overview, ./kaw bi, ./kaw findings, ./kaw status")


def compare(url: str, expect: str | None) -> str | None:
    """What is to be told where the marts that readers see have the expected hash in all; None where nothing is expected.

    Raises NotReproduced where they have another.
    """
    from include.publish import status

    found = status(url)["hash"]
    if expect and found != expect:
        raise NotReproduced(
            f"The published marts are not the expected ones: their hash is {found}, expected was {expect}.",
            where="marts.publication",
            next_step="compare ./kaw status --json with the report mart by mart, and code version and deliveries with its own.",
        )
    return f"Reproduced: the hash of all marts is the expected one, {found}." if expect else None


def _finding_counts(url: str) -> list:
    with connect(url) as connection:
        return connection.execute(
            "select severity, count(*) from quality.findings where state = 'open' group by severity order by severity"
        ).fetchall()


@contextlib.contextmanager
def only_one(url: str):
    """One run at a time in a warehouse; a second one is told so instead of waiting."""
    with locks.held(url, locks.RUN) as is_free:
        if not is_free:
            raise _another_run()
        yield


def _another_run() -> InfrastructureError:
    return InfrastructureError(
        "Another ./kaw run is at work in this warehouse.", next_step="wait until it ends and repeat the command."
    )


def _forget(given: Settings) -> None:
    """Everything of this home: the embedded server's data, or the project's schemas in a warehouse of one's own."""
    scheduler.down()
    superset.down(given)
    if given.warehouse is None:
        server.purge(given)
    else:
        if runs.at_work(given.warehouse):
            raise _another_run()
        with connect(given.warehouse) as connection:
            for schema in SCHEMAS:
                connection.execute(f"drop schema if exists {schema} cascade")
    for name in ("sources", "reports", "evidence", "dbt", "heads"):
        shutil.rmtree(given.home / name, ignore_errors=True)
    for path in (given.home / simulated.STATE, ledger.default_head_file(), scheduler.home() / "migrated"):
        path.unlink(missing_ok=True)
