"""Imports of the project's own modules: each module and each imported name is there, also where a function imports.

Read from the syntax alone: importing everything takes long, and what was imported before hides what is missing.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from include.choices import choices, did_you_mean
from include.local.lint.problem import Problem

FOLDERS = ("include", "dags", "plugins", "tests")


def check_names(root: Path) -> Iterator[Problem]:
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    trees = {str(path.relative_to(root)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    known = _known(trees)
    for file, tree in trees.items():
        for line, module, name in _imports(tree):
            if module.partition(".")[0] not in known:
                continue  # of another project
            if module not in known:
                what, wrong, names = f"there is no module {module}", module, known
            elif name and name not in known[module]:
                what, wrong, names = f"{module} has no {name}", name, known[module]
            else:
                continue
            yield Problem(file, line, what + did_you_mean(wrong, names), choices(wrong, sorted(names)))


def _known(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """The names in each module; in a folder, with or without __init__.py, also its modules."""
    known: dict[str, set[str]] = defaultdict(set)
    for file, tree in trees.items():
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        known[module].update(_defined(tree.body))
        while "." in module:
            module, _, name = module.rpartition(".")
            known[module].add(name)
    return dict(known)


def _defined(body: Iterable[ast.AST]) -> Iterator[str]:
    """What a module names itself; what its functions and classes name inside is theirs."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        else:
            yield from _defined(ast.iter_child_nodes(node))


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, str | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)
