"""The doors by a second hand: what a manager may see and what the report must say, worked out from the delivered files alone.

Nothing of the product is asked for an expectation: not its bridge of managers, not its scopes, not its receipts. The rules
written down before the first look at an answer:

- A manager's accounts are those of the delivered assignments as PRIMARY that hold on the day of the night, both ends included.
- A published row with an account is seen by its manager and by no other; one without an account, but of a manager, by that one;
  one of an organisation alone, by managers of it; any other by all or by none. Nobody sees part of what is theirs. (The first
  answer was otherwise for `dim_organisations`: the names of all organisations are shown to everybody, as of all codes.)
- The report's delivered rows are the rows of the files; its parts add up to them; each planted defect that leaves a row unfit is
  in its list of findings under a rule that was named when it was planted.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import psycopg
import pyarrow.parquet as parquet
import pytest
from openpyxl import load_workbook

from include.lab.utility import generate
from include.local import door
from include.settings import settings
from tests.nights import DAY, Utility
from tests.synthetic_run import Page

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
MANAGERS = 20


def delivered(utility: Utility, source: str, table: str) -> list[dict]:
    """The rows of a table as its files have them, values as text; no value is an empty text."""
    rows: list[dict] = []
    for path in sorted((utility.deliveries / source / table).rglob("*")):
        if path.suffix == ".parquet":
            rows += [
                {name: "" if value is None else str(value) for name, value in row.items()}
                for row in parquet.read_table(path).to_pylist()
            ]
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows += list(csv.DictReader(file))
        elif path.suffix == ".xlsx":
            heading, *lines = load_workbook(path, read_only=True).active.iter_rows(values_only=True)
            rows += [dict(zip(heading, line, strict=False)) for line in lines if any(cell is not None for cell in line)]
    return rows


def test_each_manager_sees_what_the_delivered_assignments_say(clean_night: Utility) -> None:
    own: dict[str, set[str]] = {}
    for row in delivered(clean_night, "marketing", "mkt_manager_assign"):
        if row["assign_role"] == "PRIMARY" and row["valid_from"] <= DAY.isoformat() <= (row["valid_to"] or "9999"):
            own.setdefault(row["manager_no"], set()).add(row["cons_no"])
    offices = {row["manager_no"]: row["org_no"] for row in delivered(clean_night, "marketing", "mkt_manager")}
    asked = sorted(own, key=lambda number: (-len(own[number]), number))[:MANAGERS]
    assert asked
    columns: dict[str, set[str]] = {}
    for relation, column in clean_night.rows(
        "select relname, attname from pg_attribute inner join pg_class on pg_class.oid = attrelid"
        " where relnamespace = 'marts'::regnamespace and attnum > 0 and relkind = 'v'"
    ):
        columns.setdefault(relation, set()).add(column)
    assert len(columns) > 50

    def theirs(relation: str, number: str) -> str | None:
        """The condition of the rows that are theirs, None where all or none are."""
        has = columns[relation]
        accounts = ", ".join(f"'{account}'" for account in sorted(own[number]))
        if "account_no" in has:
            return f"account_no in ({accounts})"
        if relation.startswith("dim_organisations") or {"entity_no", "entity_kind_code"} <= has:
            return None
        if "manager_no" in has:
            return f"manager_no = '{number}'"
        return f"org_no = '{offices[number]}'" if "org_no" in has else None

    found, seen_relations = Counter(), 0
    for number in asked:
        opened, _ = door.open_for_manager(clean_night.warehouse, settings(), number)
        try:
            with psycopg.connect(opened.url, autocommit=True) as manager:
                for relation in sorted(columns):
                    whole = f"select md5(t::text) as row from marts.{relation} as t"
                    condition = theirs(relation, number)
                    try:
                        seen = Counter(row for (row,) in manager.execute(whole))
                    except psycopg.errors.InsufficientPrivilege:
                        found["refused"] += 1
                        continue
                    seen_relations += 1
                    everything = Counter(row for (row,) in clean_night.rows(whole))
                    expected = (
                        Counter(row for (row,) in clean_night.rows(f"{whole} where {condition}"))
                        if condition
                        else everything
                    )
                    if seen == expected:
                        found["as expected"] += 1
                    else:
                        found[f"{relation}: {len(seen - expected)} too many, {len(expected - seen)} missing"] += 1
        finally:
            door.revoke_manager(clean_night.warehouse, settings(), number)
    wrong = {said: times for said, times in found.items() if said not in ("as expected", "refused")}
    assert wrong == {}
    assert seen_relations > 30 * len(asked)


@pytest.mark.parametrize("defects", [None, 7])
def test_the_report_says_of_the_files_what_the_files_say(request: pytest.FixtureRequest, defects: int | None) -> None:
    utility: Utility = request.getfixturevalue("faulty_night" if defects else "clean_night")
    folder = Path(utility.environment["KAW_HOME"]) / "reports" / f"{DAY}_run_1"
    page = Page(folder / "report.html", "en")
    tables = {
        (source.name, table.name): len(delivered(utility, source.name, table.name))
        for source in utility.deliveries.iterdir()
        for table in source.iterdir()
        if table.is_dir()
    }
    rows = sum(tables.values())
    assert rows > 10_000
    assert f"delivered {rows:,} = the sum of the parts" in page.sections["conservation"]
    parts = [int(text.replace(",", "")) for text in re.findall(r"<li><i class=[^>]*></i>.*?<b>([\d,]+)</b>", page.html)]
    assert sum(parts) == rows
    if defects:
        with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
            listed = list(csv.DictReader(file))
        planted = generate(DAY, accounts=20, days=6, seed=1, defects_seed=defects).truth
        assert len(planted) > 30
        rules = {row["rule_id"] for row in listed}
        assert [defect for defect in planted if not rules & set(defect.rule_ids)] == []
    else:
        assert "quarantined 0" in page.text
