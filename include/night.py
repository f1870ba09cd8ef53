"""The steps of a night after the sources have landed, each a plain function over a Warehouse and one Airflow task.

All state between them is in the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path

from include import lineage
from include.alerts import alert, clear, clear_where
from include.errors import GateBlocked, KawError, LedgerBroken
from include.landing import withdrawals
from include.landing.extract import LOADER
from include.profiles import left_out, refuse_what_was_delivered
from include.progress import step as telling
from include.quality.gate import GateResult, check_candidates, check_staged_data
from include.records import ledger, locks, runs
from include.records.receipts import delivered_tables
from include.records.runs import Run
from include.records.warehouse import Warehouse
from include.settings import settings
from include.transform.clusters import cluster_loads
from include.transform.dbt import Built, load_seeds, manifest_path, run_dbt
from include.transform.models import staging_relation
from include.upkeep import clean_quietly, require_space

log = logging.getLogger(__name__)
Progress = Callable[[object], None]
ENDING_S = 30  # a task that Airflow stops may be at its last statement when the next night begins
# after begin_run, in this order; each is a function of this module and a task of dags/build_warehouse.py
STEPS = ("build_staging", "check_staged", "build_warehouse_and_marts", "check_marts", "publish_marts", "write_report")


def _quiet(_: object) -> None:
    return None


def _alone(step: Callable) -> Callable:
    """One night at a time: no step starts while one of another night is at work. One that fails ends the night's lineage."""

    @wraps(step)
    def alone(warehouse: Warehouse, run: dict, *arguments, **options):
        with runs.alone(warehouse.address):
            try:
                return step(warehouse, run, *arguments, **options)
            except BaseException:
                lineage.night(warehouse, run, ended=False)
                raise

    return alone


def begin_run(warehouse: Warehouse, business_date: date) -> dict:
    """Takes the fence and the run number; what a killed run left is closed as failed.

    First a waiver of missing rows, signed after they were missed, withdraws them: the run counts what that changes.
    Raises InfrastructureError where the disk of the home has too little room.
    """
    require_space()
    with telling(""), runs.alone(warehouse.address, ENDING_S) as holder:
        if left := left_out():
            with warehouse.reader().connect() as connection:
                refuse_what_was_delivered(delivered_tables(connection, list(left)))
        with warehouse.as_role(LOADER).connect(autocommit=True) as connection:
            connection.execute(f"set idle_in_transaction_session_timeout = '{locks.SILENCE_S}s'")
            withdrawals.settle(connection, business_date)
        run = runs.begin(holder, business_date).as_dict()
    lineage.night(warehouse, run)
    return run


@_alone
def build_staging(warehouse: Warehouse, run: dict, progress: Progress = _quiet) -> list[Built]:
    """Seeds and staging, as delivered: quarantined rows count too, so that a fix is seen."""
    own = warehouse.fenced(run["fence"])
    with lineage.models(own, run, progress) as hear:
        return load_seeds(own, hear) + run_dbt(["run", "--select", "tag:staging"], own, progress=hear)


@_alone
def check_staged(
    warehouse: Warehouse, run: dict, progress: Progress = _quiet, report_at: str | None = None
) -> GateResult:
    """Gate 1. A block is reported, put on record and raised; `report_at` is where a browser finds the report, if anywhere."""
    return _gate(warehouse, check_staged_data, 1, "check_staged", Run.from_dict(run), progress, report_at)


@_alone
def build_warehouse_and_marts(warehouse: Warehouse, run: dict, progress: Progress = _quiet) -> list[Built]:
    """The staging models that gate 1 took rows from, once more and without them, the warehouse, load clusters, candidate marts."""
    own = warehouse.fenced(run["fence"])
    selected = [*staging_with_withheld_rows(own), "tag:warehouse"]
    models = ["run", "--select", *selected, "--exclude", "tag:after_clusters", "tag:as_delivered"]
    with lineage.models(own, run, progress) as hear:
        built = run_dbt(models, own, progress=hear)
        began = datetime.now(UTC)
        cluster_loads(own)
        lineage.made_here(own, run, began)
        return built + run_dbt(["run", "--select", "tag:after_clusters", "tag:marts"], own, progress=hear)


def staging_with_withheld_rows(warehouse: Warehouse) -> list[str]:
    """dbt selectors of the staging models that differ between what was delivered and what is admitted."""
    with warehouse.connect() as connection:
        tables = connection.execute(
            "select table_name from quality.withheld union select table_name from quality.withheld_now order by 1"
        ).fetchall()
    return [f"{staging_relation(name).removeprefix('staging.')}+,tag:staging" for (name,) in tables]


@_alone
def check_marts(
    warehouse: Warehouse, run: dict, progress: Progress = _quiet, report_at: str | None = None
) -> GateResult:
    """Gate 2 over the candidates."""
    return _gate(warehouse, check_candidates, 2, "check_marts", Run.from_dict(run), progress, report_at)


@_alone
def publish_marts(warehouse: Warehouse, run: dict, progress: Progress = _quiet):
    """Moves the pointer of every month that changed; readers see all marts of a month change at once."""
    from include.publish import publish

    given, began = Run.from_dict(run), datetime.now(UTC)
    try:
        result = publish(warehouse.fenced(given.fence), given.run_id, given.business_date, manifest_path())
    except LedgerBroken as broken:
        alert("ledger_broken", broken.what, {"run_id": given.run_id}, cause="ledger_broken", next_step=broken.next_step)
        raise
    clear("ledger_broken")
    lineage.published(warehouse, run, began)
    lineage.night(warehouse, run, ended=True)
    tell_state(warehouse, given.business_date)
    progress(result)
    return result


def tell_state(warehouse: Warehouse, business_date: date) -> None:
    """Alerts that follow from what is published now: too much that is wrong, units that are silent; and what has cleared.

    A block of this date or of one before is over with the publish. Whatever fails here is logged: readers have their marts.
    """
    try:
        clear_where(lambda cause: cause.startswith("blocked:") and cause.partition(":")[2] <= business_date.isoformat())
        with warehouse.reader().connect() as connection:
            (number, error_cny) = connection.execute(
                "select count(*), coalesce(sum(error_cny), 0) from quality.findings where state = 'open'"
            ).fetchone()
            refused = {
                table
                for (table,) in connection.execute(
                    "select table_name from quality.receipts where state = 'refused' and business_date = %s",
                    [business_date],
                )
            }
            unprotected = connection.execute("select relation, reason from publish.unprotected order by 1").fetchall()
            silent = connection.execute(
                "select unit_no, source_name, org_no, round(silent_hours)::integer from marts.mart_access_list"
                " where status_code = 'SILENT' and as_of_date = (select max(as_of_date) from marts.mart_access_list)"
                " order by unit_no"
            ).fetchall()
    except Exception:
        log.exception("what is published could not be looked at for alerts")
        return
    clear_where(lambda cause: cause.startswith("file_refused:") and _is_over(cause, business_date.isoformat(), refused))
    for relation, reason in unprotected:
        message = f"{relation} is {reason}: a manager could be shown the rows of others."
        log.warning("%s", message)
        next_step = "drop it, or make it a view with (security_invoker = true)."
        alert("unprotected", message, {"relation": relation}, cause=f"unprotected:{relation}", next_step=next_step)
    clear("unprotected:", but={f"unprotected:{relation}" for relation, _ in unprotected})
    given = settings()
    for what, limit, value, told in (
        ("number", given.alert_findings, number, f"{number:,} findings are open"),
        (
            "cny",
            given.alert_findings_cny,
            error_cny,
            f"The errors of {number:,} open findings are {error_cny:,.0f} yuan",
        ),
    ):
        cause = f"findings_over_limit:{what}"
        if limit is not None and value > limit:
            detail = {"business_date": business_date.isoformat(), "limit": limit, "value": value}
            message = f"{told}, more than the limit of {limit:,.0f}."
            alert("findings_over_limit", message, detail, cause=cause, next_step="./kaw findings, ./kaw worklists DIR")
        else:
            clear(cause)
    for unit_no, source_name, org_no, hours in silent:
        message = f"The {source_name} unit {unit_no} of organisation {org_no} has been silent for {hours:,} hours."
        detail = {"business_date": business_date.isoformat(), "unit_no": unit_no, "source": source_name}
        next_step = "ask the unit; marts.mart_access_list lists all of them."
        alert("source_silent", message, detail, cause=f"source_silent:{unit_no}:{source_name}", next_step=next_step)
    clear("source_silent:", but={f"source_silent:{unit_no}:{source_name}" for unit_no, source_name, *_ in silent})


def _is_over(refusal: str, day: str, refused: set[str]) -> bool:
    """Whether a refusal, `file_refused:<table>:<file>:<date>`, is history once `day` is published."""
    table, when = refusal.split(":")[1], refusal.rsplit(":", 1)[1]
    return when < day or (when == day and table not in refused)


def write_report(warehouse: Warehouse, run: dict, progress: Progress = _quiet) -> Path:
    """The auditors' report of the run, whatever its verdict, and the overview of what is published now, if anything is."""
    from include.report import write_report as write

    folder = settings().home / "reports"
    path = write(warehouse, run["run_id"], folder).path
    write_overview(warehouse)
    clean_quietly()
    progress(path)
    return path


def _is_anything_published(warehouse: Warehouse) -> bool:
    with warehouse.reader().connect() as connection:
        return connection.execute("select exists (select 1 from marts.publication)").fetchone()[0]


def newest_report(folder: Path) -> Path | None:
    return max(folder.glob("*/report.html"), key=lambda path: path.stat().st_mtime, default=None)


def write_overview(warehouse: Warehouse):
    """The page that readers open first, beside the reports; returns what it shows.

    Called wherever the pointers moved; None where nothing is published. A page that cannot be made is logged and None: what
    readers see does not rest on it.
    """
    try:
        from include.report import overview

        if not _is_anything_published(warehouse):
            return None
        folder = settings().home / "reports"
        report = newest_report(folder)
        shown = overview.read_overview(warehouse)
        beside = report.relative_to(folder).as_posix() if report else None
        overview.write_overview(shown, folder, settings().language, report=beside)
    except Exception:
        log.exception("the overview could not be made")
        return None
    return shown


def _gate(
    warehouse: Warehouse, check, gate: int, step: str, run: Run, progress: Progress, report_at: str | None
) -> GateResult:
    began = datetime.now(UTC)
    try:
        result = check(warehouse, run, progress)
        lineage.judged(warehouse, run.as_dict(), gate, step, began, True)
        return result
    except GateBlocked as blocked:
        lineage.judged(warehouse, run.as_dict(), gate, step, began, False)
        ledger.write_head(warehouse.address)  # before the report, which compares it
        try:
            written = write_report(warehouse, run.as_dict())
            blocked.next_step = f"{blocked.next_step}\nReport: {report_at or written}"
        except KawError as error:  # a gate that judges a run again has noted its report already
            blocked.next_step = f"{blocked.next_step}\nThe report was not written anew: {error.what}"
        except Exception:  # the block is what counts, and who waits for it is told
            log.exception("the report of a blocked run could not be written")
            blocked.next_step = f"{blocked.next_step}\nThe report was not written; the log says why. Next: ./kaw report"
        detail = {"run_id": run.run_id, "business_date": run.business_date.isoformat()}
        alert("blocked", str(blocked), detail, cause=f"blocked:{run.business_date}")
        raise
    finally:
        ledger.write_head(warehouse.address)
