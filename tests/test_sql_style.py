"""sqlfluff over every model and rule, in parts that the workers share: together it is minutes of one core."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from include.local.lint.sql_style import check_sql_style, sql_files

ROOT = Path(__file__).resolve().parent.parent
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


@pytest.mark.parametrize("part", [*PARTS, "the rest"])
def test_the_sql_keeps_its_style(part: str):
    files = [path for path in sql_files(ROOT) if part_of(path) == part]
    assert files
    assert [str(problem) for problem in check_sql_style(ROOT, files, processes=1)] == []


def test_a_file_in_another_style_is_named_with_its_line(tmp_path: Path):
    """A model, and the second query of a rule, whose line is that of the file and not of the query."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "dbt_project" / "macros", tmp_path / "dbt_project" / "macros")
    model = tmp_path / "dbt_project" / "models" / "staging" / "stg_bills.sql"
    rule = tmp_path / "expectations" / "marketing" / "MKT-99_bill_is_one.sql"
    for path, text in (
        (model, "select bill_no\nFROM bills\n"),
        (
            rule,
            "/*\nsentence: One.\n*/\n-- tested\nselect bill_no\nfrom bills\n-- violations\nselect bill_no\nFROM tested\n",
        ),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert [(p.file, p.line, p.what) for p in check_sql_style(tmp_path, [model, rule], processes=1)] == [
        (str(model.relative_to(tmp_path)), 2, "capitalisation.keywords: Keywords must be consistently lower case"),
        (str(rule.relative_to(tmp_path)), 9, "capitalisation.keywords: Keywords must be consistently lower case"),
    ]
