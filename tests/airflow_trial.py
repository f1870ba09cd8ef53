"""What the tests ask of Airflow, in a process of its own: importing it changes logging and settings for everything after.

`python -m tests.airflow_trial read DAGS CASES` describes every DAG of a folder and finds the business date of each case,
`... prepare` makes Airflow's metadata, `... run` runs DAGs as `./kaw run` does, with a recorder in place of the work. Each
prints one line of JSON, the last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("pandas", "numpy", "dbt", "great_expectations", "pyarrow", "openpyxl")


def ask(*arguments: str, module: str = "tests.airflow_trial", **variables: str) -> dict:
    """Starts this module, or another like it, in a process of its own and reads its answer."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def read(folder: str, cases: str) -> dict:
    from airflow.dag_processing.dagbag import DagBag

    before = set(sys.modules)
    started = time.monotonic()
    bag = DagBag(folder)
    seconds = time.monotonic() - started
    return {
        "import_errors": bag.import_errors,
        "seconds": seconds,
        "heavy_modules": sorted({name.split(".")[0] for name in set(sys.modules) - before} & set(HEAVY)),
        "work_modules": sorted(name for name in sys.modules if name.startswith("include.")),
        "dates": _dates(json.loads(cases)),
        "dags": {dag.dag_id: _described(dag) for dag in bag.dags.values()},
    }


def _described(dag) -> dict:
    return {
        "file": dag.fileloc,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "owner": dag.owner,
        "pools": sorted({task.pool for task in dag.tasks}),
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "run_timeout_s": dag.dagrun_timeout and dag.dagrun_timeout.total_seconds(),
        "deadlines_s": [alert.interval for alert in dag.deadline or []],
        "params": {name: param.value for name, param in dag.params.items()},
        "timetable": type(dag.timetable).__name__,
        "starts_by": sorted(asset.name for asset in getattr(dag.timetable.asset_condition, "objects", [])),
        "tasks": {
            task.task_id: {
                "retries": task.retries,
                "timeout_s": task.execution_timeout and task.execution_timeout.total_seconds(),
                "outlets": [asset.name for asset in task.outlets],
                "after": sorted(task.upstream_task_ids),
                "operator": type(task).__name__,
                "links": sorted(link.name for link in task.operator_extra_links),
            }
            for task in dag.tasks
        },
    }


def _dates(cases: list) -> list[str]:
    """The business date of a run by its partition key, its parameter and its moment, or the name of the error."""
    from include.orchestration import business_date

    found = []
    for key, given, moment, _ in cases:
        moment = datetime.fromisoformat(moment)
        run = SimpleNamespace(partition_key=key, run_after=moment)
        both = set()
        for logical_date in (None, moment):  # a run that assets or a schedule started has no logical date
            try:
                context = {"dag_run": run, "params": {"business_date": given}, "logical_date": logical_date}
                both.add(business_date(context).isoformat())
            except ValueError:
                both.add("ValueError")
        found.append(" and ".join(sorted(both)))
    return found


def prepare() -> dict:
    """Airflow's metadata of this home."""
    from include.local import scheduler

    scheduler.prepare()
    return {"marker": str(scheduler.home() / "migrated")}


def run() -> dict:
    """A landing that succeeds, one that fails, a night that passes, and one that its gate stops."""
    from include import night
    from include.errors import GateBlocked
    from include.landing import extract as landing
    from include.local import scheduler
    from include.records import runs
    from include.records.warehouse import Warehouse

    scheduler.prepare()
    calls: list[list] = []

    def record(name: str, error: Exception | None = None):
        def recorder(*arguments, **_):
            calls.append([name, *(str(given) for given in arguments if not isinstance(given, Warehouse))])
            if error:
                raise error
            return []

        return recorder

    def answers(dag_id: str, day: str) -> dict:
        calls.clear()
        good = scheduler.run_dag(dag_id, date.fromisoformat(day))
        return {"succeeded": good, "calls": list(calls)}

    landing.extract = record("extract")
    answer = {"landing": answers("extract_metering", "2026-03-29")}
    landing.extract = record("extract", OSError("the source does not answer"))
    answer["failed_landing"] = answers("extract_metering", "2026-03-30")
    for step in (
        "build_staging",
        "check_staged",
        "build_warehouse_and_marts",
        "check_marts",
        "publish_marts",
        "write_report",
    ):
        setattr(night, step, record(step))
    night.begin_run = lambda _, day: runs.Run(1, day, "trial:1").as_dict()
    answer["night"] = answers("build_warehouse", "2026-03-31")
    night.check_staged = record("check_staged", GateBlocked("stopped by the gate"))
    answer["blocked_night"] = answers("build_warehouse", "2026-04-01")
    logs = scheduler.home() / "logs"
    answer["logs"] = {
        task: [json.loads(line) for path in _newest(logs, task) for line in path.read_text().splitlines()]
        for task in ("land_tables", "check_staged")
    }
    return answer


def _newest(logs: Path, task: str) -> list[Path]:
    """The log of the last try of a task in this process, where Airflow's page looks for it."""
    return sorted(logs.glob(f"dag_id=*/run_id=*/task_id={task}/attempt=1.log"), key=lambda path: path.stat().st_mtime)[
        -1:
    ]


if __name__ == "__main__":
    print("\n" + json.dumps({"read": read, "prepare": prepare, "run": run}[sys.argv[1]](*sys.argv[2:])))
