"""sqlfluff over models and rules, as [tool.sqlfluff] in pyproject.toml says.

A rule file holds two queries with a marker between them; sqlfluff reads a copy in which the marker ends the first one.
Files that were found clean are remembered by a checksum of all that decides it, for sqlfluff needs a minute for the tree. A new
clone remembers what is committed, which went through `./kaw test`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from include.errors import InfrastructureError
from include.local.lint.problem import Problem, one_line

FOLDERS = ("dbt_project/models", "expectations")
_MACRO = re.compile(r"{%-?\s*macro\s+(\w+)")
_PLACEHOLDER = re.compile(r"(?<![:\w]):[a-z]\w*")


def sql_files(root: Path) -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.sql"))]


def check_sql_style(
    root: Path, files: Iterable[Path], *, memory: Path | None = None, processes: int = 2
) -> list[Problem]:
    """sqlfluff's findings in these files, but for those that `memory` knows to be clean; it then knows the clean ones of these."""
    texts = {str(path.relative_to(root)): _readable(path.read_text(encoding="utf-8")) for path in files}
    checksums = _checksums(root, texts)
    clean = _remembered(root, memory, checksums) if memory else set()
    unknown = {name: text for name, text in texts.items() if checksums[name] not in clean}
    problems = list(_findings(root, unknown, processes)) if unknown else []
    if memory:
        with_problems = {problem.file for problem in problems}
        _write(memory, sorted(checksums[name] for name in texts.keys() - with_problems))
    return problems


def _remembered(root: Path, memory: Path, checksums: dict[str, str]) -> set[str]:
    """The checksums of files that are clean: those of the memory, in a new clone those of the files that are as committed."""
    if memory.is_file():
        return set(json.loads(memory.read_text()))
    if not shutil.which("git"):
        return set()
    decides = ["pyproject.toml", "dbt_project/macros"]
    options = ["--porcelain", "-z", "--no-renames", "--untracked-files=all", "--"]
    told = subprocess.run(
        ["git", "-C", str(root), "status", *options, *decides, *FOLDERS], capture_output=True, text=True, check=False
    )
    changed = {entry[3:] for entry in told.stdout.split("\0") if entry}
    if told.returncode or any(name.startswith(tuple(decides)) for name in changed):
        return set()
    return {checksum for name, checksum in checksums.items() if name not in changed}


def _readable(text: str) -> str:
    ended = re.sub(r"^-- violations[ \t]*$", "; -- violations", text, flags=re.MULTILINE)
    # a word without quotes: a macro is given the placeholder inside a string
    return _PLACEHOLDER.sub("current_date", ended) if ended != text else text


def _checksums(root: Path, texts: dict[str, str]) -> dict[str, str]:
    """Of each file: its text, the files of the macros that it calls, the settings and the version of sqlfluff."""
    with (root / "pyproject.toml").open("rb") as file:
        settings = json.dumps(tomllib.load(file)["tool"]["sqlfluff"], sort_keys=True)
    version = importlib.metadata.version("sqlfluff")
    macros = {}
    for path in sorted((root / "dbt_project" / "macros").rglob("*.sql")):
        text = path.read_text(encoding="utf-8")
        macros |= dict.fromkeys(_MACRO.findall(text), text)
    return {
        name: hashlib.sha256("\0".join([version, settings, text, *_called(text, macros)]).encode()).hexdigest()
        for name, text in texts.items()
    }


def _called(text: str, macros: dict[str, str]) -> list[str]:
    """The texts of the macro files that this one calls, and that those call."""
    called: set[str] = set()
    unread = {text}
    while unread:
        words = set(re.findall(r"\w+", unread.pop()))
        named = {macros[word] for word in words & macros.keys()} - called
        called |= named
        unread |= named
    return sorted(called)


def _write(memory: Path, checksums: list[str]) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=memory.parent, delete=False) as file:
        json.dump(checksums, file, indent=0)
    Path(file.name).replace(memory)


def _findings(root: Path, texts: dict[str, str], processes: int) -> Iterator[Problem]:
    with tempfile.TemporaryDirectory() as copies:
        for name, text in texts.items():
            copy = Path(copies) / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, encoding="utf-8")
        told = _sqlfluff(root, Path(copies), processes)
    for file in told:
        for violation in file["violations"]:
            code = violation["name"] or violation["code"]
            name = str(Path(file["filepath"]).relative_to(copies))
            what = one_line(f"{code}: {violation['description']}")
            yield Problem(name, violation["start_line_no"], what, next_step="write it as the files beside it do")


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
