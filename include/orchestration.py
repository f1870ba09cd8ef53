"""What the DAGs share: assets, timetable, deadline, pools, landing, links, and the one way to read the business date.

Imports Airflow and nothing of the work: every DAG file is read again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import (
    Asset,
    BaseOperatorLink,
    CronPartitionTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    PartitionedAssetTimetable,
    SyncCallback,
    get_current_context,
    task,
)
from airflow.sdk.configuration import conf

TIMEZONE_NAME = "Asia/Shanghai"
START = datetime(2026, 1, 1, tzinfo=ZoneInfo(TIMEZONE_NAME))

RAW_METERING = Asset("raw.metering")
RAW_MARKETING = Asset("raw.marketing")
RAW_CONTRACT = Asset("raw.contract")
LANDED = RAW_METERING & RAW_MARKETING & RAW_CONTRACT
MARTS_PUBLISHED = Asset("marts.published")

PARAMS = {
    "business_date": Param(
        None,
        type=["null", "string"],
        format="date",
        description="Business date YYYY-MM-DD. Empty: the day of the partition key, else yesterday.",
    )
}
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True}
BY_HAND = {
    "schedule": None,
    "start_date": START,
    "catchup": False,
    "max_active_runs": 1,
    "dagrun_timeout": timedelta(hours=25),
}
AT_ONCE = {"retries": 0, "priority_weight": 100}  # before any task of a night: somebody waits for it
# name -> slots and description; what a person waits for is in Airflow's own default pool
POOLS = {
    "sources": (3, "Landing: so many sources are read at a time."),
    "warehouse": (1, "Steps of a night: one at a time in a warehouse."),
}
APPROVALS = "/dags/approve_waiver"  # under Airflow's own address
IN_PROCESS = "in_process"  # in the configuration of a run that no scheduler started
PAGES = "/warehouse"  # under Airflow's own address: plugins/warehouse.py
REASON = Param("", type="string", minLength=1, description="Why; the ledger and the report show it.")


def nightly(cron: str) -> CronPartitionTimetable:
    """A run each morning for the day before: its partition key is the business date."""
    return CronPartitionTimetable(cron, timezone=TIMEZONE_NAME, run_offset=-1, key_format="%Y-%m-%d")


def business_date(context: dict) -> date:
    """D of a task's run: its partition key, else the parameter `business_date`, else the day before its logical date or now."""
    run = context.get("dag_run")
    key = getattr(run, "partition_key", None)
    given = key or (context.get("params") or {}).get("business_date")
    if given:
        return date.fromisoformat(str(given))
    moment = context.get("logical_date") or getattr(run, "run_after", None) or datetime.now(ZoneInfo(TIMEZONE_NAME))
    return moment.astimezone(ZoneInfo(TIMEZONE_NAME)).date() - timedelta(days=1)


def warehouse():
    """The warehouse that this Airflow works for, by the login of each role; the owner's address is not needed.

    Raises UsageError where one of them is not set.
    """
    from include.errors import UsageError
    from include.records.warehouse import GATEKEEPER, Warehouse
    from include.settings import LOGINS, settings

    given = settings()
    logins = {f"kaw_{role}": given.logins[role] for role in LOGINS if role in given.logins}
    if missing := [role for role in LOGINS if role not in given.logins]:
        raise UsageError(
            f"There is no login of the warehouse for {', '.join(missing)}.",
            where=", ".join(f"KAW_LOGIN_{role.upper()}" for role in missing),
            next_step="./kaw up sets them; elsewhere set each to postgresql://login:password@host:port/database for every process"
            " of Airflow, or make connections of these names (AIRFLOW_CONN_KAW_LOADER and so on):"
            " docs/how-to/own-postgresql-logins.md.",
        )
    return Warehouse(logins[GATEKEEPER], logins=logins)


def emit_partition(context: dict, day: date | str) -> None:
    """Makes D the partition key of what the task delivers, however its run was started: the next DAG starts by it."""
    for asset in context["task"].outlets:
        context["outlet_events"][asset].add_partitions(str(day))


class Blocked(SystemExit):
    """Ends a gate's task that has told its verdict. Of a process that exits Airflow logs no traceback, and none helps here."""


class ReportLink(BaseOperatorLink):
    """From the task of a night's step to the report of its run."""

    name = "Report of this run"

    def get_link(self, operator, *, ti_key) -> str:
        from airflow.sdk.execution_time.xcom import XCom

        run = XCom.get_one(key="return_value", dag_id=ti_key.dag_id, run_id=ti_key.run_id, task_id="begin_run")
        return pages(f"/runs/{run['run_id']}/report")


class ApprovalsLink(BaseOperatorLink):
    """From the task of a gate to the DAG on which a user lets a rule's findings pass."""

    name = "Approve a waiver"

    def get_link(self, operator, *, ti_key) -> str:
        return airflow_page(APPROVALS)


def airflow_page(path: str) -> str:
    return conf.get("api", "base_url", fallback="").rstrip("/") + path


def pages(path: str) -> str:
    """Address of a page of the warehouse beside Airflow's own."""
    return airflow_page(PAGES + path)


@contextmanager
def verdict_first(run: dict) -> Iterator[None]:
    """Around the work of a gate: the log begins with where its report and the approvals are, and a block is no traceback."""
    from include.errors import GateBlocked
    from include.progress import note

    report = pages(f"/runs/{run['run_id']}/report")
    note(f"Report of this run, as soon as the gate has judged: {report}")
    note(f"Where the gate stops the night, a user lets a rule's findings pass on {airflow_page(APPROVALS)}")
    try:
        yield
    except GateBlocked:
        raise Blocked(1) from None


def landing(source: str, cron: str, doc: str) -> dict:
    """What the DAG of a source says of itself: a run each morning at `cron`, two hours to land what was delivered."""
    return _of_a_night(nightly(cron), 2, doc, "layer:landing", f"source:{source}", pool="sources")


def build(doc: str) -> dict:
    """What the DAG of a night says of itself: it starts when all three sources have landed the same business date."""
    return _of_a_night(PartitionedAssetTimetable(assets=LANDED), 3, doc, "layer:warehouse", pool="warehouse")


def _of_a_night(schedule, hours: int, doc: str, *tags: str, pool: str) -> dict:
    """One run at a time, an alert after so many hours, an end an hour later."""
    return {
        "schedule": schedule,
        "start_date": START,
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": timedelta(hours=hours + 1),
        "deadline": done_within(hours=hours),
        "default_args": {
            "owner": "data engineering",
            "pool": pool,
            "on_failure_callback": tell_failed_task,
            "on_success_callback": tell_task_is_well,
        },
        "params": PARAMS,
        "doc_md": doc,
        "tags": list(tags),
    }


def land_tables(source: str, delivers: Asset):
    """The task that lands every table of a source, and makes the business date a partition of what it delivers."""

    @task(task_id="land_tables", outlets=[delivers], execution_timeout=timedelta(hours=2), **RETRIES)
    def land() -> dict:
        from include import lineage
        from include.landing.extract import extract
        from include.progress import say, step
        from include.settings import settings

        context = get_current_context()
        day = business_date(context)
        address, forms = settings().source(source), settings().source("forms")
        with step(f"land {source}"), lineage.landing(warehouse(), source, address, forms, day):
            receipts = extract(warehouse(), source, address, day, forms=forms, progress=say)
        emit_partition(context, day)
        return {"loads": len(receipts), "refused": sum(r.state == "refused" for r in receipts)}

    return land()


def night_step(run: dict, name: str, hours: float, *, is_gate: bool = False, **options):
    """The task of the step of this name in include/night.py. It leads to the run's report, that of a gate to approvals too."""
    around = verdict_first if is_gate else nullcontext

    @task(task_id=name, execution_timeout=timedelta(hours=hours), **options)
    def run_step(run: dict) -> None:
        from include import night
        from include.progress import say, step

        context = get_current_context()
        # nobody answers at the address of a run in a process of its own: Airflow is not up then
        has_page = is_gate and not (context["dag_run"].conf or {}).get(IN_PROCESS)
        told = {"report_at": pages(f"/runs/{run['run_id']}/report")} if has_page else {}
        with around(run), step(name.replace("_", " ")):
            getattr(night, name)(warehouse(), run, progress=say, **told)
        emit_partition(context, run["business_date"])

    done = run_step(run)
    done.operator.operator_extra_links = (ReportLink(), ApprovalsLink()) if is_gate else (ReportLink(),)
    return done


def approval(subject: str, body: str):
    """Asks on Airflow's page, and waits a day at most for an answer; who gives it takes the responsibility by name."""
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    return ApprovalOperator(
        task_id="approve",
        subject=subject,
        body=f"{body}\n\nReason: {{{{ params.reason }}}}\n\nWho approves takes the responsibility by name.",
        response_timeout=timedelta(hours=24),
        **AT_ONCE,
    )


def done_within(hours: float) -> DeadlineAlert:
    """A run that is still at work, or has failed, so long after it was queued is told to who receives alerts, once.

    A run that is cleared before then is queued anew, and so is its deadline. The interval is a number of seconds, the
    form that Airflow kept until 3.2 and still reads: 3.3 keeps a timedelta as a dict, and clearing a run whose deadline
    is pending adds that dict to a time and answers 500 (github.com/apache/airflow/issues/70368).
    """
    return DeadlineAlert(
        name=f"finished within {hours:g} hours",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours).total_seconds(),
        callback=SyncCallback(tell_missed_deadline),
    )


def tell_missed_deadline(context: dict) -> None:
    """Called by the scheduler, with the run as its interface shows it."""
    from include.alerts import alert

    run = context["dag_run"]
    deadline = context["deadline"]["deadline_time"]
    if run["state"] == "success" and datetime.fromisoformat(run["end_date"]) <= deadline:
        return  # a person marked it so: Airflow drops the deadline of a run that it sees succeed, and of no other
    day = run.get("partition_key") or (run.get("conf") or {}).get("business_date")
    message = f"{run['dag_id']} has not finished in time" + (f" for {day}." if day else ".")
    detail = {
        "dag_id": run["dag_id"],
        "run_id": run["dag_run_id"],
        "business_date": day,
        "state": run["state"],
        "deadline": deadline,
    }
    alert("deadline_missed", message, detail, cause=f"deadline_missed:{run['dag_id']}:{day}:{run['dag_run_id']}")


def tell_failed_task(context: dict) -> None:
    """Called when a task has failed for good, after its retries. A gate that stopped the night has told so itself."""
    from include.alerts import alert
    from include.errors import KawError

    error = context.get("exception")
    if isinstance(error, Blocked):
        return
    task, day = context["task_instance"], business_date(context)
    if error is None or isinstance(error, str):
        what = "it was ended or marked from outside"
    else:
        # another's text may hold an address, and dbt's a value
        what = (error.public or str(error)) if isinstance(error, KawError) else type(error).__name__
    detail = {"dag_id": task.dag_id, "task_id": task.task_id, "business_date": day.isoformat(), "log": task.log_url}
    alert(
        "task_failed",
        f"{task.dag_id}.{task.task_id} of {day} failed: {what}",
        detail,
        cause=f"task_failed:{task.dag_id}:{task.task_id}:{day}",
        next_step=f"read its log, {task.log_url}, and clear the task.",
    )


def tell_task_is_well(context: dict) -> None:
    """What was told of a task has cleared when it succeeds for that day, and a missed deadline with the last task of its DAG."""
    from include.alerts import clear

    task, day = context["task_instance"], business_date(context)
    clear(f"task_failed:{task.dag_id}:{task.task_id}:{day}")
    if not context["task"].downstream_task_ids:
        clear(f"deadline_missed:{task.dag_id}:{day}:")
