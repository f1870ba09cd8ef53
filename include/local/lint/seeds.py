"""The seeds: every CSV against the columns and types that its YAML declares, keys, validity and sources."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

import psycopg
from psycopg import sql

from include.choices import choices
from include.local.lint.problem import Problem, line_of
from include.seeds import FOLDER, declared, faults


def check_seeds(root: Path) -> list[Problem]:
    problems, known = [], declared(root)
    files = {path.stem: path for path in sorted((root / FOLDER).rglob("*.csv"))}
    for name in sorted(known.keys() - files.keys()):
        path = known[name].yaml_file
        problems.append(
            Problem(
                str(path.relative_to(root)), line_of(path, f"name: {name}"), f"the seed {name} has no file {name}.csv"
            )
        )
    for name, path in files.items():
        file = str(path.relative_to(root))
        if name not in known:
            problems.append(Problem(file, 1, f"no _*__seeds.yml declares {name}", choices(name, sorted(known))))
            continue
        seed = known[name]
        if not seed.key:
            problems.append(
                Problem(
                    str(seed.yaml_file.relative_to(root)),
                    line_of(seed.yaml_file, f"name: {name}"),
                    f"the seed {name} declares no key",
                    "data_tests unique_grain or versions_follow_each_other with its columns",
                )
            )
        with path.open(encoding="utf-8", newline="") as stream:
            problems += [Problem(file, *fault) for fault in faults(stream, seed)]
    return problems


def load_seeds(connection: psycopg.Connection, root: Path) -> None:
    """Makes the table of every seed, with its rows where the database takes them; what is wrong in them is told by `check_seeds`."""
    for seed in declared(root).values():
        table = sql.Identifier("staging", seed.name)
        columns = [sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in seed.types.items()]
        connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
        with contextlib.suppress(psycopg.Error, OSError, StopIteration), connection.transaction():
            with seed.file.open(encoding="utf-8", newline="") as stream:
                header = next(csv.reader(stream))
            names = sql.SQL(", ").join(map(sql.Identifier, header))
            command = sql.SQL("copy {} ({}) from stdin (format csv, header true)").format(table, names)
            with connection.cursor().copy(command) as copy:
                copy.write(seed.file.read_bytes())
