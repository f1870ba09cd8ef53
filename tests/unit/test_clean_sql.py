"""`./kaw lint` asks sqlfluff of a file again when anything that decides its style has changed, and of no other."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from include.local.lint import sql_style
from include.local.lint.problem import Problem

SETTINGS = "[tool.sqlfluff.core]\ndialect = 'postgres'\n"
BILLS, RATES = "dbt_project/models/bills.sql", "dbt_project/models/rates.sql"
FILES = {
    "pyproject.toml": SETTINGS,
    BILLS: "select {{ rounded('cny') }} as cny\n",
    RATES: "select rate\n",
    "dbt_project/macros/money.sql": "{%- macro rounded(column) -%}{{ to_cents(column) }}{% endmacro %}",
    "dbt_project/macros/cents.sql": "{% macro to_cents(column) %}round({{ column }}, 2){% endmacro %}",
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Looks at the tree as it then is; the files that sqlfluff was asked of. What contains WRONG is a problem."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    seen: list[str] = []

    def findings(root: Path, texts: dict[str, str], processes: int) -> list[Problem]:
        seen.extend(texts)
        return [Problem(name, 1, "wrong") for name, text in texts.items() if "WRONG" in text]

    monkeypatch.setattr(sql_style, "_findings", findings)

    def look() -> list[str]:
        seen.clear()
        files = sql_style.sql_files(tmp_path)
        sql_style.check_sql_style(tmp_path, files, memory=tmp_path / "home" / "clean_sql.json")
        return sorted(seen)

    return look


def test_a_clean_file_is_asked_of_once(asked):
    assert asked() == [BILLS, RATES]
    assert asked() == []


@pytest.mark.parametrize(
    ("file", "text", "again"),
    [
        (RATES, "select other_rate\n", [RATES]),
        ("dbt_project/macros/cents.sql", "{% macro to_cents(column) %}{{ column }}{% endmacro %}", [BILLS]),
        ("dbt_project/macros/other.sql", "{% macro unused() %}1{% endmacro %}", []),
        ("pyproject.toml", SETTINGS + "max_line_length = 80\n", [BILLS, RATES]),
        ("pyproject.toml", SETTINGS + "[tool.ruff]\nline-length = 80\n", []),
    ],
    ids=["its_text", "macro_of_its_macro", "macro_of_none", "settings", "settings_of_others"],
)
def test_a_file_is_asked_of_again_when_something_of_it_changed(
    asked, tmp_path: Path, file: str, text: str, again: list[str]
):
    asked()
    (tmp_path / file).write_text(text)
    assert asked() == again


@pytest.mark.parametrize(
    ("file", "text", "asked_of"),
    [
        (None, None, []),
        (RATES, "select other_rate\n", [RATES]),
        ("dbt_project/models/new.sql", "select 1\n", ["dbt_project/models/new.sql"]),
        ("dbt_project/macros/cents.sql", "{% macro to_cents(column) %}{{ column }}{% endmacro %}", [BILLS, RATES]),
        ("pyproject.toml", SETTINGS + "max_line_length = 80\n", [BILLS, RATES]),
    ],
    ids=["nothing", "its_text", "a_new_file", "a_macro", "settings"],
)
def test_a_new_clone_asks_of_what_is_not_as_committed(
    asked, tmp_path: Path, file: str | None, text: str | None, asked_of: list[str]
):
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    if file:
        (tmp_path / file).write_text(text)
    assert asked() == asked_of


def test_another_version_of_sqlfluff_is_asked_of_all(asked, monkeypatch: pytest.MonkeyPatch):
    asked()
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9" if name == "sqlfluff" else "1")
    assert asked() == [BILLS, RATES]


def test_a_file_with_a_problem_is_asked_of_each_time(asked, tmp_path: Path):
    (tmp_path / RATES).write_text("select WRONG\n")
    assert asked() == [BILLS, RATES]
    assert asked() == [RATES]
    (tmp_path / RATES).write_text(FILES[RATES])
    assert asked() == [RATES]
    assert asked() == []
