"""`./kaw lint`: what is wrong with the files of the project, in seconds and before anything is landed.

Each step looks at one kind of file and gives a list of problems, each with its file, its line and what is allowed there.
The steps that need other programs run beside the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from include.local.lint.problem import Problem
from include.settings import default_business_date, settings

Step = Callable[[Path], list[Problem]]


@dataclass(frozen=True)
class Outcome:
    """The problems in order of file and line, and the seconds of each step."""

    problems: list[Problem]
    seconds: dict[str, float]

    def as_dict(self) -> dict:
        return {"problems": [vars(p) for p in self.problems], "seconds": self.seconds}


def lint(root: Path, *, without_database: bool = False) -> Outcome:
    """Every step over the tree. Without the database no SQL is tried.

    Raises InfrastructureError where a program or the server does not run.
    """
    from include.local.lint.tools import check_dags, check_imports, check_python

    beside: dict[str, Step] = {
        "DAGs": lambda tree: list(check_dags(tree)),
        "Python": lambda tree: list(check_python(tree)),
        "imports": lambda tree: list(check_imports(tree)),
        "SQL style": _check_style,
    }
    here: dict[str, Step] = {
        "contracts": _check_contracts,
        "seeds": _check_seeds,
        "headers": _check_headers,
        "names": _check_names,
    }
    if not without_database:
        here["SQL"] = _check_sql
    seconds: dict[str, float] = {}
    with ThreadPoolExecutor(1) as other:
        running = [other.submit(_timed, name, step, root, seconds) for name, step in beside.items()]
        found = []
        for name, step in here.items():
            found.append(_timed(name, step, root, seconds))
            if name == "contracts" and found[-1]:
                break  # every later step reads the contracts
        found += [future.result() for future in running]
    problems = sorted({problem for part in found for problem in part})
    return Outcome(problems, seconds)


def _timed(name: str, step: Step, root: Path, seconds: dict[str, float]) -> list[Problem]:
    started = time.monotonic()
    problems = step(root)
    seconds[name] = round(time.monotonic() - started, 1)
    return problems


def _check_contracts(root: Path) -> list[Problem]:
    from include.local.lint.contracts import check_contracts

    return check_contracts(root)


def _check_seeds(root: Path) -> list[Problem]:
    from include.local.lint.seeds import check_seeds

    return check_seeds(root)


def _check_headers(root: Path) -> list[Problem]:
    from include.local.lint.headers import read_rules

    return read_rules(root)[1]


def _check_names(root: Path) -> list[Problem]:
    from include.local.lint.names import check_names

    return list(check_names(root))


def _check_sql(root: Path) -> list[Problem]:
    """Models, then the rules of the files and those that contracts and marts imply, against the empty warehouse."""
    from include.local import scheduler, server
    from include.local.lint.empty import empty_warehouse
    from include.local.lint.headers import read_rules
    from include.local.lint.rule_queries import check_queries
    from include.quality.base_rules import load_base_rules
    from include.records.database import connect

    was_running = server.is_running()
    try:
        with empty_warehouse(server.ensure(), root) as (url, problems), connect(url) as connection:
            if problems:
                return problems  # a rule that reads a model which is not there would only repeat it
            rules = [*read_rules(root)[0], *load_base_rules()]
            return problems + check_queries(connection, root, rules, default_business_date())
    finally:
        if not was_running and not scheduler.is_up():
            server.stop()


def _check_style(root: Path) -> list[Problem]:
    from include.local.lint.sql_style import check_sql_style, sql_files

    return check_sql_style(root, sql_files(root), memory=settings().home / "clean_sql.json")
