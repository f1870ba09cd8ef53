"""sqlfluff over every model and rule, in parts that the workers share: together it is minutes of one core.

A file that the record (`tests/found_clean.py`) knows is not read again, but for one part; `./kaw test --soak` reads all.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from include.local.lint.sql_style import check_sql_style, sql_files
from tests.found_clean import ROOT, empty_memory, memory_of_the_record

ALWAYS_READ = "expectations/marts"
PARTS = (
    "dbt_project/models/staging",
    "dbt_project/models/intermediate",
    "dbt_project/models/marts",
    "dbt_project/models/warehouse/accounts",
    "dbt_project/models/warehouse/energy",
    "dbt_project/models/warehouse/service",
    "dbt_project/models/warehouse/reliability",
    "expectations/marketing",
    "expectations/marts",
    "expectations/metering",
    "expectations/reconciliation",
)


def part_of(path: Path) -> str:
    name = str(path.relative_to(ROOT))
    return next((part for part in PARTS if name.startswith(f"{part}/")), "the rest")


def files_of(part: str) -> list[Path]:
    files = [path for path in sql_files(ROOT) if part_of(path) == part]
    assert files
    return files


@pytest.mark.parametrize("part", [*PARTS, "the rest"])
def test_the_sql_keeps_its_style(part: str, tmp_path: Path):
    memory = (empty_memory if part == ALWAYS_READ else memory_of_the_record)(tmp_path)
    assert [str(problem) for problem in check_sql_style(ROOT, files_of(part), memory=memory, processes=1)] == []


@pytest.mark.soak
@pytest.mark.parametrize("part", [*PARTS, "the rest"])
def test_the_sql_keeps_its_style_whatever_is_recorded(part: str):
    assert [str(problem) for problem in check_sql_style(ROOT, files_of(part), processes=1)] == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with the project's settings and macros, and no model or rule."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "dbt_project" / "macros", tmp_path / "dbt_project" / "macros")
    return tmp_path


RULE = "/*\nsentence: One.\n*/\n-- tested\nselect bill_no\nfrom bills{}\n-- violations\nselect bill_no\nFROM tested\n"


@pytest.mark.parametrize(
    ("file", "text", "line", "what"),
    [
        ("dbt_project/models/staging/stg_bills.sql", "select bill_no\nFROM bills\n", 2, "capitalisation.keywords: "),
        # the line is that of the file and not of the query
        ("expectations/marketing/MKT-99_bill_is_one.sql", RULE.format(""), 9, "capitalisation.keywords: "),
        (
            "expectations/marketing/MKT-99_bill_is_one.sql",
            RULE.format("\nwhere {{ is_valid_on('bills', ':business_date') }}"),
            10,
            "capitalisation.keywords: ",
        ),
        (
            "dbt_project/models/staging/stg_bills.sql",
            "select {{ lacks a comma }}\n",
            1,
            "TMP: Failed to parse Jinja syntax",
        ),
        (
            "dbt_project/models/staging/stg_bills.sql",
            "select 1 as one\nfrom {{ no_macro('x') }}\n",
            2,
            "TMP: Undefined jinja template variable: ",
        ),
    ],
    ids=["model", "second_query", "day_inside_a_macro", "no_jinja", "no_such_macro"],
)
def test_a_file_in_another_style_is_named_with_its_line(tree: Path, file: str, text: str, line: int, what: str):
    path = tree / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (problem,) = check_sql_style(tree, [path], processes=1)
    assert (problem.file, problem.line) == (file, line)
    assert problem.what.startswith(what)
