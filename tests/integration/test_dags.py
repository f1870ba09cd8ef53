"""The rules that every file of dags/ keeps, read from the DAGs as Airflow reads them, and the one helper for their date."""

from __future__ import annotations

import ast
import itertools
import json
from pathlib import Path

import pytest

from tests.airflow_trial import ROOT, ask

DAGS = ROOT / "dags"
FILES = sorted(DAGS.glob("*.py"))
NAMES = [path.stem for path in FILES]
OWNERS = {  # as rule headers name them; every other DAG is that of data engineering
    "approve_waiver": "data quality office"
}
BY_HAND = {  # what is asked for, and the task that enters it when it is approved
    "approve_waiver": ({"rule", "scope", "reason", "until", "end", "confirm"}, "enter_waiver"),
    "approve_rollback": ({"action", "reason"}, "move_pointers"),
}
NIGHTLY = [name for name in NAMES if name not in BY_HAND]
GATES = ("check_staged", "check_marts")
DATES = [
    # partition key, parameter, moment of the run -> business date
    ("2026-03-01", "2026-03-02", "2026-03-09T00:00:00+00:00", "2026-03-01"),
    (None, "2026-03-02", "2026-03-09T00:00:00+00:00", "2026-03-02"),
    (None, None, "2026-03-09T00:30:00+00:00", "2026-03-08"),
    (None, None, "2026-03-09T22:15:00+00:00", "2026-03-09"),  # in Shanghai it is the 10th, 06:15
    ("north|2026-03-01", None, "2026-03-09T00:00:00+00:00", "ValueError"),
    (None, "2026-02-30", "2026-03-09T00:00:00+00:00", "ValueError"),
]


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return ask("read", str(DAGS), json.dumps(DATES), AIRFLOW_HOME=str(tmp_path_factory.mktemp("airflow")))


def test_every_file_is_one_dag_of_its_name(bag):
    assert bag["import_errors"] == {}
    assert set(bag["dags"]) == set(NAMES)
    assert {Path(dag["file"]).stem: name for name, dag in bag["dags"].items()} == {name: name for name in NAMES}
    assert {"extract_metering", "extract_marketing", "extract_contract", "build_warehouse"} <= set(NAMES)


def test_reading_the_dags_is_quick_and_imports_nothing_of_the_work(bag):
    assert bag["heavy_modules"] == []
    assert bag["work_modules"] == ["include.orchestration"]
    assert bag["seconds"] < 5


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_is_a_table_of_contents(path):
    assert len(path.read_text().splitlines()) <= 60
    top_level = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in top_level}
    assert modules <= {"datetime", "airflow.sdk", "include.orchestration"}


@pytest.mark.parametrize("name", NAMES)
def test_a_dag_says_what_it_is_and_runs_once_at_a_time(bag, name):
    dag = bag["dags"][name]
    assert len(dag["doc"]) > 100
    assert any(tag.startswith("layer:") for tag in dag["tags"])
    assert dag["owner"] == OWNERS.get(name, "data engineering")
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False
    assert set(dag["params"]) == (BY_HAND[name][0] if name in BY_HAND else {"business_date"})


@pytest.mark.parametrize("name", NIGHTLY)
def test_a_dag_has_a_deadline_before_its_timeout(bag, name):
    dag = bag["dags"][name]
    assert len(dag["deadlines_s"]) == 1
    assert dag["deadlines_s"][0] < dag["run_timeout_s"]


@pytest.mark.parametrize("name", NIGHTLY)
def test_every_task_has_a_timeout(bag, name):
    tasks = bag["dags"][name]["tasks"]
    assert tasks
    assert all(0 < task["timeout_s"] <= bag["dags"][name]["run_timeout_s"] for task in tasks.values())


def test_what_may_refuse_is_never_retried_and_a_landing_is(bag):
    """Bad data does not improve by waiting, and a second try would put the same refusal on record again."""
    build = bag["dags"]["build_warehouse"]["tasks"]
    assert {name: build[name]["retries"] for name in (*GATES, "publish_marts")} == {
        "check_staged": 0,
        "check_marts": 0,
        "publish_marts": 0,
    }
    extracts = [bag["dags"][name]["tasks"] for name in NAMES if name.startswith("extract_")]
    assert len(extracts) == 3
    assert all(task["retries"] >= 2 for tasks in extracts for task in tasks.values())


def test_a_night_goes_through_both_gates_before_it_publishes(bag):
    tasks = bag["dags"]["build_warehouse"]["tasks"]
    order = [
        "begin_run",
        "build_staging",
        "check_staged",
        "build_warehouse_and_marts",
        "check_marts",
        "publish_marts",
        "write_report",
    ]
    assert set(tasks) == set(order)
    assert all(first in tasks[second]["after"] for first, second in itertools.pairwise(order))


@pytest.mark.parametrize("name", BY_HAND)
def test_an_approval_is_asked_for_by_hand_and_entered_after_it(bag, name):
    asked, entered = bag["dags"][name], BY_HAND[name][1]
    assert asked["timetable"] == "NullTimetable"
    assert {task_id: task["after"] for task_id, task in asked["tasks"].items()} == {"approve": [], entered: ["approve"]}
    assert asked["tasks"]["approve"]["operator"] == "ApprovalOperator"
    assert all(task["retries"] == 0 and not task["outlets"] for task in asked["tasks"].values())


def test_what_reads_sources_and_what_works_in_the_warehouse_have_pools_of_their_own(bag):
    pools = {name: dag["pools"] for name, dag in bag["dags"].items()}
    assert pools == {
        "extract_metering": ["sources"],
        "extract_marketing": ["sources"],
        "extract_contract": ["sources"],
        "build_warehouse": ["warehouse"],
        "approve_waiver": ["default_pool"],
        "approve_rollback": ["default_pool"],
    }


def test_every_step_leads_to_the_report_and_a_gate_to_approvals_too(bag):
    links = {name: task["links"] for name, task in bag["dags"]["build_warehouse"]["tasks"].items()}
    assert links.pop("begin_run") == []
    assert {name for name, found in links.items() if "Approve a waiver" in found} == set(GATES)
    assert all("Report of this run" in found for found in links.values())


def test_no_night_waits_for_an_answer(bag):
    operators = {task["operator"] for name in NIGHTLY for task in bag["dags"][name]["tasks"].values()}
    assert operators == {"_PythonDecoratedOperator"}


def test_what_has_landed_starts_the_night(bag):
    nightly = {name: bag["dags"][name] for name in NIGHTLY}
    landed = {
        name: [asset for task in dag["tasks"].values() for asset in task["outlets"]] for name, dag in nightly.items()
    }
    assert landed == {
        "extract_metering": ["raw.metering"],
        "extract_marketing": ["raw.marketing"],
        "extract_contract": ["raw.contract"],
        "build_warehouse": ["marts.published"],
    }
    build = bag["dags"]["build_warehouse"]
    assert build["timetable"] == "PartitionedAssetTimetable"
    assert build["starts_by"] == ["raw.contract", "raw.marketing", "raw.metering"]
    assert {dag["timetable"] for name, dag in nightly.items() if name != "build_warehouse"} == {
        "CronPartitionTimetable"
    }


def test_the_business_date_is_the_key_else_the_parameter_else_the_day_before(bag):
    assert bag["dates"] == [expected for *_, expected in DATES]
