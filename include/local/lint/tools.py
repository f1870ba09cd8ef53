"""What other programs find: ruff, the import contracts, Airflow's reading of the DAGs. Each runs in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from include.errors import InfrastructureError
from include.local.lint.problem import Problem, one_line

_IMPORT = re.compile(r"- (?P<importer>include[\w.]*) -> (?P<imported>include[\w.]*) \(l\.(?P<line>\d+)")
_CIRCLE = re.compile(r"- (?P<importer>\.\w+) -> (?P<imported>\.\w+) \(\d+ imports?\)")


def check_python(root: Path) -> Iterator[Problem]:
    """ruff: what is wrong, and what is not formatted."""
    for command in (["check"], ["format", "--check"]):
        for found in json.loads(_run(root, "ruff", *command, "--output-format", "json", ".") or "[]"):
            file = str(Path(found["filename"]).relative_to(root.resolve()))
            what = one_line(f"{found['code'] or 'syntax'} {found['message']}")
            yield Problem(file, found["location"]["row"], what, next_step=f"fix it, or run ruff {command[0]}")


def check_imports(root: Path) -> Iterator[Problem]:
    """The import contracts of pyproject.toml."""
    with tempfile.TemporaryDirectory() as cache:
        told = _run(root, "lint-imports", "pyproject.toml", "--no-logo", "--cache-dir", cache)
    contract, package, found = "", "", False
    for before, line in _pairs(told.splitlines()):
        if re.fullmatch(r"-+", line) and before and before not in ("Contracts", "Broken contracts"):
            contract = before
        if line.startswith("No cycles are allowed in "):
            package = line.removeprefix("No cycles are allowed in ").rstrip(".")
        if breach := _IMPORT.search(line):
            found = True
            what = f"{breach['importer']} imports {breach['imported']}: {contract}"
            yield Problem(
                _file_of(root, breach["importer"]), int(breach["line"]), what, next_step="hand in what it needs"
            )
        elif circle := _CIRCLE.search(line):
            found = True
            importer, imported = package + circle["importer"], package + circle["imported"]
            what = f"{importer} and {imported} import each other in a circle"
            yield Problem(_file_of(root, importer), 1, what, next_step="cut one of the two imports")
    if not found and "0 broken" not in told:
        yield Problem("pyproject.toml", 1, f"the import contracts cannot be checked: {one_line(told[-300:])}")


def check_dags(root: Path) -> Iterator[Problem]:
    """Every file of dags/ as Airflow's scheduler reads it."""
    with tempfile.TemporaryDirectory() as home:
        told = _run(root, sys.executable, "-P", "-m", "include.local.lint.dag_errors", "dags", AIRFLOW_HOME=home)
    for file, trace in json.loads(told.splitlines()[-1]).items():
        path = Path(file) if Path(file).is_absolute() else root / file
        lines = [int(n) for n in re.findall(rf'File "[^"]*{re.escape(path.name)}", line (\d+)', trace)]
        what = f"Airflow cannot read it: {one_line(trace.strip().splitlines()[-1])}"
        yield Problem(f"dags/{path.name}", lines[-1] if lines else 1, what)


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    return zip(["", *lines], lines, strict=False)


def _file_of(root: Path, module: str) -> str:
    path = Path(*module.split("."))
    return str(path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py"))


def _run(root: Path, program: str, *arguments: str, **variables: str) -> str:
    """What the program prints; that it found something is its answer, that it does not run is an error."""
    path = Path(sys.executable).with_name(program) if "/" not in program else Path(program)
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    done = subprocess.run(
        [path, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=280
    )
    if done.returncode not in (0, 1) or (not done.stdout and done.returncode):
        raise InfrastructureError(
            f"{path.name} does not run: {one_line(done.stderr)[-500:]}",
            next_step="set up the environment again: ./kaw test.",
        )
    return done.stdout
