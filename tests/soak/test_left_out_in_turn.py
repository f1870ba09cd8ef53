"""Each table of the contracts is left out of a whole utility in turn: the night publishes, and what rests on the table says so.

Run by `./kaw test --soak -k in_turn`; on two cores it takes about half an hour. `-k "in_turn and mkt_bill"` tries one table.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from include.bi.declared import dashboards
from include.bi.queries import chart_sql
from include.contracts import all_tables
from include.publish.marts import read_marts
from include.transform import dbt
from include.transform.dbt import manifest_path
from include.transform.models import essential_tables, published_models, required_tables
from tests import databases
from tests.nights import DAY, Utility

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3 * 3600)]

REASON = "not exported before spring"
SAID = {  # of these nothing says less without saying why
    "met_collect_task",
    "met_event_alarm",
    "met_feeder",
    "met_it",
    "met_meter",
    "met_pq_sample",
    "met_voltage_daily",
    "mkt_bill",
    "mkt_bill_line",
    "mkt_inspection",
    "mkt_penalty",
    "mkt_ticket",
}
OF_RULES = {"fct_rule_results", "fct_findings", "mart_dq_scorecard", "mart_catalog", "dim_dq_rules"}


@dataclass
class Night:
    """What a published night shows: rule -> (tested rows, why it tested nothing), mart -> figures, findings, rows of charts."""

    rules: dict[str, tuple[int, str | None]]
    rows: dict[str, int]
    sums: dict[str, dict[str, tuple]] = field(default_factory=dict)  # mart -> column -> (values, sum of the magnitudes)
    findings: set[tuple[str, str]] = field(default_factory=set)
    charts: dict[str, int] = field(default_factory=dict)
    report: str = ""
    overview: str = ""


def seen(utility: Utility, run: dict) -> Night:
    found = Night(
        rules={
            rule: (tested, why)
            for rule, tested, why in utility.rows(
                "select rule_id, tested_rows, not_tested_reason from quality.rule_results where run_id = %s",
                run["run_id"],
            )
        },
        rows={},
        findings=set(utility.rows("select distinct rule_id, severity from quality.findings where state = 'open'")),
    )
    with psycopg.connect(utility.url) as connection:
        for mart in read_marts(manifest_path()):
            types = published_models()[_model(mart.name)].columns
            numbers = [
                n for n, type_ in types.items() if type_.startswith(("numeric", "integer", "bigint", "smallint"))
            ]
            asked = ", ".join(["count(*)", *(f"count({n}), sum(abs({n}::numeric))" for n in numbers)])
            row = connection.execute(f"select {asked} from marts.{mart.name}").fetchone()
            found.rows[mart.name] = row[0]
            found.sums[mart.name] = {n: (row[1 + 2 * i], row[2 + 2 * i]) for i, n in enumerate(numbers)}
        for board in dashboards().values():
            for chart in board.charts:
                query = chart_sql(chart, "en", {"month": f"{DAY:%Y-%m}"})
                found.charts[chart.name] = len(connection.execute(query).fetchall())
    reports = Path(utility.environment["KAW_HOME"]) / "reports"
    found.report = next(reports.glob(f"*_run_{run['run_id']}/report.html")).read_text(encoding="utf-8")
    found.overview = (reports / "overview.html").read_text(encoding="utf-8")
    return found


def _model(published: str) -> str:
    return next(name for name, model in published_models().items() if model.published_name == published)


def wrong(full: Night, night: Night, table: str) -> list[str]:
    """What says less without the table and does not say why, and what says anything false."""
    said = f"{table} ({REASON})"
    found = []
    if not any(why and said in why for _, why in night.rules.values()):
        found.append("no rule is not delivered")
    for rule, (tested, why) in night.rules.items():
        before = full.rules.get(rule, (0, None))[0]
        if before and not tested and said not in (why or ""):
            found.append(f"{rule} tested {before}, now nothing: {why}")
    found += [f"finding of {rule} ({severity})" for rule, severity in sorted(night.findings - full.findings)]
    for mart, columns in night.sums.items():
        if mart in OF_RULES:
            continue
        if not night.rows[mart] and full.rows[mart] and not _is_declared_empty(mart, table):
            found.append(f"{mart} has no rows, {full.rows[mart]} before")
        if night.rows[mart] > full.rows[mart]:
            found.append(f"{mart} has {night.rows[mart]} rows, {full.rows[mart]} before")
        for name, (values, total) in columns.items():
            before = full.sums[mart][name]
            if before[1] and values and not total:
                found.append(f"{mart}.{name} is zero in {values} rows, {before[1]} before")
            elif total and before[1] and total > before[1] * 2 and total - before[1] > 5:
                found.append(f"{mart}.{name} grew from {before[1]} to {total}")
    if REASON not in night.report or table not in night.report:
        found.append("the report does not say it")
    return found


def _is_declared_empty(mart: str, table: str) -> bool:
    model = published_models()[_model(mart)]
    if table in required_tables().get(model.name, ()):
        return True
    measures = (model.meta.get("partial") or {}).get("measures") or []
    return bool(measures) and all(table in {essential_tables().get(f) for f in m["needs"]} for m in measures)


def a_night(server, template: str, folder: Path, deliveries: Path, left: str | None) -> Night:
    with databases.copied(server, template, "left") as name, pytest.MonkeyPatch.context() as own:
        utility = Utility(server.url(name), folder, own)
        shutil.rmtree(utility.deliveries)
        utility.deliveries.symlink_to(deliveries)
        utility.enter()
        if left:
            (folder / "profile").mkdir()
            (folder / "profile" / "profile.yaml").write_text(f"left_out: {{{left}: {REASON}}}\n")
            own.setenv("KAW_PROFILE", str(folder / "profile"))
            if f"'{left}'" in (dbt.PROJECT / "macros" / "left_out.sql").read_text():  # the project is parsed otherwise
                own.setattr(dbt, "_parsed", {})
        return seen(utility, utility.run())


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory, server, session_home) -> Path:
    with pytest.MonkeyPatch.context() as own:
        utility = Utility(server.url("none"), tmp_path_factory.mktemp("full"), own)
        utility.deliver(rich=True)
        return utility.deliveries


@pytest.fixture(scope="module")
def full(server, template, tmp_path_factory, deliveries) -> Night:
    return a_night(server, template, tmp_path_factory.mktemp("night"), deliveries, None)


NOT_YET = pytest.mark.xfail(
    strict=False,
    reason="publishes; some count may be zero that should be empty, or a mart of no row not be declared so",
)


@pytest.mark.parametrize(
    "table", [name if name in SAID else pytest.param(name, marks=NOT_YET) for name in all_tables()]
)
def test_a_table_is_left_out_in_turn(server, template, tmp_path, deliveries, full: Night, table: str):
    assert wrong(full, a_night(server, template, tmp_path, deliveries, table), table) == []
