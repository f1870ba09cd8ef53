"""sqlfluff over models and rules, as [tool.sqlfluff] in pyproject.toml says.

A rule file holds two queries with a marker between them; sqlfluff reads a copy in which the marker ends the first one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from include.errors import InfrastructureError
from include.local.lint.problem import Problem, one_line

FOLDERS = ("dbt_project/models", "expectations")
_PLACEHOLDER = re.compile(r"(?<!:):(business_date|run_id)\b")


def sql_files(root: Path) -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.sql"))]


def check_sql_style(root: Path, files: Iterable[Path], processes: int = 2) -> Iterator[Problem]:
    """sqlfluff's findings in these files."""
    with tempfile.TemporaryDirectory() as copies:
        for path in files:
            copy = Path(copies) / path.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(_readable(path.read_text(encoding="utf-8")), encoding="utf-8")
        if not any(Path(copies).iterdir()):
            return
        told = _sqlfluff(root, Path(copies), processes)
    for file in told:
        for violation in file["violations"]:
            code = violation["name"] or violation["code"]
            name = str(Path(file["filepath"]).relative_to(copies))
            what = one_line(f"{code}: {violation['description']}")
            yield Problem(name, violation["start_line_no"], what, next_step="write it as the files beside it do")


def _readable(text: str) -> str:
    ended = re.sub(r"^-- violations[ \t]*$", "; -- violations", text, flags=re.MULTILINE)
    return _PLACEHOLDER.sub("'2026-01-01'", ended) if ended != text else text


def _sqlfluff(root: Path, folder: Path, processes: int) -> list[dict]:
    command = ["lint", "--format", "json", "--processes", str(processes), "--config", str(root / "pyproject.toml")]
    done = subprocess.run(
        [Path(sys.executable).with_name("sqlfluff"), *command, "--disable-progress-bar", str(folder)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise InfrastructureError(
            f"sqlfluff does not run: {one_line(done.stderr or done.stdout)[-500:]}",
            where="[tool.sqlfluff] in pyproject.toml",
        ) from None
