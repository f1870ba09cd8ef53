"""Scenarios that a domain expert can read: `tests/scenarios/<model>/<scenario_in_words>/given/*.csv` -> `expected/*.csv`.

A given file holds all rows of one input, named like the model, seed or source table (`quality.receipts.csv`) that it stands
for; of the run, `_current_run.csv` gives business_date and collection_start. Columns that it leaves out are null, an empty
cell is null, `""` an empty text. Whatever lies between given and expected is computed, whether it has a file or not: a
scenario that gives sources and expects a mart names no step of today's way. Inputs without a file: seeds are the project's,
dim_dates, dim_months and what comes from seeds alone are computed, everything else is empty. An expected file lists the
columns to be compared, all rows; `<model>.some.csv` lists only some of the rows that come out. `wrong/<model>.csv` lists rows that a
former definition gave and that may not come out again; `worked.md` says how the expected numbers were worked out by hand.

The SQL is what dbt compiled (`conftest.py`); each scenario works in a transaction that is rolled back.
"""

from __future__ import annotations

import csv
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from include.records.database import connect
from tests.scenarios.conftest import Project

FOLDER = Path(__file__).parent
SCENARIOS = sorted(path.parent for path in FOLDER.glob("*/*/expected"))
COMPUTED = ("dim_dates", "dim_months")
SHOWN = 20


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_scenario_gives_what_is_expected(project: Project, scenario: Path) -> None:
    given = {path.stem: path for path in sorted((scenario / "given").glob("*.csv"))}
    expected = {path.stem.removesuffix(".some"): path for path in sorted((scenario / "expected").glob("*.csv"))}
    assert given, "a scenario has files in given/"
    assert expected, "a scenario has files in expected/"
    assert set(expected) <= set(project.nodes), "an expected file is named like a model"
    computed = project.between(set(given), set(expected))
    read = set().union(*(project.inputs(name) for name in computed))
    assert set(given) - {"_current_run"} <= read, f"given, but read by nothing that leads to {', '.join(expected)}"
    computed = [n for n in project.order if n in computed or (n in COMPUTED and n in read and n not in given)]
    with connect(project.url) as connection:
        if "_current_run" in given:
            _set_run(connection, given.pop("_current_run"))
        for name, path in given.items():
            _load(connection, _relation(connection, name), path)
        for name in computed:
            _compute(connection, project.nodes[name], name)
        differences = [text for name, path in expected.items() if (text := _difference(connection, name, path))]
        former = {path.stem: path for path in sorted((scenario / "wrong").glob("*.csv"))}
        assert set(former) <= set(expected), "a file in wrong/ is named like one in expected/"
        differences += [text for name, path in former.items() if (text := _former_answer(connection, name, path))]
        connection.rollback()
    assert not differences, "\n\n".join(["", *differences])


def _set_run(connection: psycopg.Connection, path: Path) -> None:
    (row,) = csv.DictReader(path.open(encoding="utf-8", newline=""))
    days = (row["business_date"], row.get("collection_start") or row["business_date"])
    connection.execute("insert into quality.runs (business_date) values (%s)", days[:1])
    connection.execute(
        "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
        " select max(run_id), %s, 'admit', 0, %s from quality.runs",
        days,
    )


def _relation(connection: psycopg.Connection, name: str) -> sql.Identifier:
    if "." in name:
        return sql.Identifier(*name.split("."))
    (schema,) = connection.execute(
        "select schemaname from pg_tables where tablename = %s and schemaname in ('staging', 'warehouse', 'candidate')",
        (name,),
    ).fetchone()
    return sql.Identifier(schema, name)


def _load(connection: psycopg.Connection, relation: sql.Identifier, path: Path) -> None:
    """The file's rows in place of the relation's."""
    connection.execute(sql.SQL("delete from {}").format(relation))
    with connection.cursor().copy(
        sql.SQL("copy {} ({}) from stdin (format csv, header true)").format(
            relation, sql.SQL(", ").join(map(sql.Identifier, _header(path)))
        )
    ) as copy:
        copy.write(path.read_text(encoding="utf-8"))


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def _compute(connection: psycopg.Connection, node: dict, name: str) -> None:
    relation = sql.Identifier(node["schema"], name)
    query = sql.SQL(node["sql"])
    columns = [
        c.name for c in connection.execute(sql.SQL("select * from ({}) as rows limit 0").format(query)).description
    ]
    connection.execute(sql.SQL("delete from {}").format(relation))
    connection.execute(
        sql.SQL("insert into {} ({}) {}").format(relation, sql.SQL(", ").join(map(sql.Identifier, columns)), query)
    )


def _difference(connection: psycopg.Connection, name: str, path: Path) -> str | None:
    """Expected rows that did not come out and rows that came out unexpected, in the types of the model; None if none."""
    relation, columns = _relation(connection, name), sql.SQL(", ").join(map(sql.Identifier, _header(path)))
    connection.execute(
        sql.SQL("create temporary table expected on commit drop as select {} from {} limit 0").format(columns, relation)
    )
    _load(connection, sql.Identifier("pg_temp", "expected"), path)
    sides = {
        "expected, not there": "select {0} from pg_temp.expected except all select {0} from {1}",
        "there, not expected": "select {0} from {1} except all select {0} from pg_temp.expected",
    }
    if path.stem.endswith(".some"):
        del sides["there, not expected"]
    found = {
        side: connection.execute(sql.SQL(query + " order by {0} limit {2}").format(columns, relation, SHOWN)).fetchall()
        for side, query in sides.items()
    }
    connection.execute("drop table pg_temp.expected")
    if not any(found.values()):
        return None
    lines = [f"{name}: {', '.join(_header(path))}"]
    for side, rows in found.items():
        lines += [f"  {side}: {', '.join('' if v is None else str(v) for v in row)}" for row in rows]
    return "\n".join(lines)


def _former_answer(connection: psycopg.Connection, name: str, path: Path) -> str | None:
    """Rows of a former, wrong answer that came out again; None if none."""
    relation, columns = _relation(connection, name), sql.SQL(", ").join(map(sql.Identifier, _header(path)))
    connection.execute(
        sql.SQL("create temporary table former on commit drop as select {} from {} limit 0").format(columns, relation)
    )
    _load(connection, sql.Identifier("pg_temp", "former"), path)
    came_out = connection.execute(
        sql.SQL("select {0} from pg_temp.former intersect select {0} from {1} order by {0}").format(columns, relation)
    ).fetchall()
    given = connection.execute("select count(*) from pg_temp.former").fetchone()[0]
    connection.execute("drop table pg_temp.former")
    assert given, f"{path} lists no wrong answer"
    return f"{name}: the former answer came out again: {came_out}" if came_out else None


def test_every_folder_under_scenarios_holds_scenarios() -> None:
    folders = {path for path in FOLDER.glob("*/*") if path.is_dir()}
    assert folders == set(SCENARIOS)
    assert {path.parent.name for path in FOLDER.rglob("*.csv")} <= {"given", "expected", "wrong"}
