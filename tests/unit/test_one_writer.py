"""Only the room of records writes the schemas quality and publish, and one module edits the environment of the process."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "include" / "records"
WRITES = re.compile(
    r"\b(insert\s+into|update(\s+only)?|delete\s+from(\s+only)?|truncate(\s+table)?|copy|merge\s+into"
    r"|(create|alter|drop)\s+(unlogged\s+)?(table|sequence|view)(\s+if\s+(not\s+)?exists)?)\s+(quality|publish)\.",
    re.IGNORECASE,
)
SOURCE = re.compile(r"\{\{\s*source\(\s*'(\w+)'\s*,\s*'(\w+)'\s*\)\s*\}\}")
EDITS = {"update", "pop", "popitem", "setdefault", "clear"}


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string, f-strings with {} for what is filled in."""
    nodes = list(ast.walk(tree))
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def modules() -> list[Path]:
    return [*(ROOT / "include").rglob("*.py"), *(ROOT / "dags").rglob("*.py"), ROOT / "kaw"]


def sql_files() -> list[Path]:
    folders = [ROOT / "dbt_project", ROOT / "expectations"]
    return [p for folder in folders for p in folder.rglob("*") if p.suffix in (".sql", ".yml", ".jinja")]


def writers(path: Path) -> list[str]:
    """Where a file writes quality or publish, as `file:line statement`."""
    text = path.read_text(encoding="utf-8")
    found = texts(ast.parse(text)) if path.suffix in (".py", "") else [(1, SOURCE.sub(r"\1.\2", text))]
    return [
        f"{path.relative_to(ROOT)}:{line + statement.count(chr(10), 0, hit.start())} {' '.join(hit[0].split())}"
        for line, statement in found
        for hit in WRITES.finditer(statement)
    ]


def test_nothing_outside_records_has_sql_that_writes_quality_or_publish():
    assert len(modules()) > 150
    assert len(sql_files()) > 300
    outside = [path for path in [*modules(), *sql_files()] if RECORDS not in path.parents]
    assert [line for path in outside for line in writers(path)] == []


def test_records_is_where_they_are_written():
    assert len([line for path in RECORDS.glob("*.py") for line in writers(path)]) > 20


@pytest.mark.parametrize(
    ("code", "hits"),
    [
        ('x = "update quality.runs set state = %s"', 1),
        ('x = f"insert\\n into quality.{name} values (1)"', 1),
        ("x = \"delete from {{ source('quality', 'touched_keys') }}\"", 1),
        ('x = "copy publish.versions from stdin"', 1),
        ('x = "select last_update from quality.runs"', 0),
        ('x = "insert into staging.quality_placeholders select 1"', 0),
    ],
)
def test_a_statement_that_writes_is_recognised(code: str, hits: int):
    assert (
        len([hit for _, text in texts(ast.parse(code)) for hit in WRITES.finditer(SOURCE.sub(r"\1.\2", text))]) == hits
    )


def is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def edits_of_environ(tree: ast.Module) -> list[int]:
    """Lines that put something into os.environ or take it out."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Subscript) and is_environ(node.value) and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Attribute) and node.attr in EDITS and is_environ(node.value))
        or (isinstance(node, ast.Attribute) and node.attr in ("putenv", "unsetenv"))
        or (isinstance(node, ast.AugAssign) and is_environ(node.target))
    ]


def test_one_module_edits_the_environment():
    """The launcher `kaw` is a process of its own, before any of these is imported."""
    found = {str(p.relative_to(ROOT)): edits_of_environ(ast.parse(p.read_text(encoding="utf-8"))) for p in modules()}
    assert sorted(name for name, lines in found.items() if lines) == ["include/environment.py", "kaw"]


def test_no_module_keeps_state_between_calls_but_the_listener_of_progress():
    """What a process hears progress with is set once by a command; Airflow calls the steps, which cannot be handed it."""
    found = {
        str(path.relative_to(ROOT))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Global)
    }
    assert found == {"include/progress.py"}
