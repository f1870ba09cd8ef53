"""Parameters of another company or province are in the seed's file, and not in the warehouse."""

from __future__ import annotations

import csv
from pathlib import Path

from include.records.database import connect
from tests.scenarios.conftest import Project

CLOCKS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "service" / "service_clocks.csv"


def test_clocks_of_another_company_are_left_out_and_those_of_all_stay(project: Project) -> None:
    with CLOCKS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["company_code"] for row in rows} == {"SGCC", "CSG", ""}
    with connect(project.url) as connection:
        query = "select coalesce(company_code, ''), count(*) from staging.service_clocks group by 1 order by 1"
        loaded = dict(connection.execute(query).fetchall())
    assert loaded == {name: sum(row["company_code"] == name for row in rows) for name in ("SGCC", "")}
