"""The dbt models: compiled by dbt, then made as empty tables in the order in which they read each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from include.choices import choices, did_you_mean
from include.local.lint.problem import Problem, line_of, one_line
from include.local.lint.sql_errors import Source, problem_of
from include.records.warehouse import Warehouse
from include.settings import settings
from include.transform.builds import TOUCHED_BY, UNITS
from include.transform.dbt import dbt_environment, project_arguments
from include.transform.quicker import make_quicker

PROJECT = "dbt_project"
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)")
_UNDEFINED = re.compile(r"'(?P<name>\w+)' is undefined")
_NOT_FOUND = re.compile(r"depends on a (?:node|source) named '(?P<name>[^']+)' which was not found")
_FILE = re.compile(r"\((?P<file>(?:models|macros|seeds|tests|snapshots)/[^)\s]+)\)")
# types that dbt's own check does not tell apart; the table it makes has the declared one
_FAMILY = {"smallint": "integer", "real": "double precision", "character": "text", "character varying": "text"}


@dataclass(frozen=True)
class Compiled:
    """A model as dbt compiled it. `reads` are unique ids; `declared` the columns of an enforced contract with their types."""

    id: str
    schema: str
    name: str
    file: str
    text: str
    statement: str
    reads: tuple[str, ...]
    declared: dict[str, str]
    yaml_file: str
    meta: dict


def compile_models(url: str, root: Path) -> tuple[list[Compiled], list[Problem]]:
    """Every model in order, as far as dbt can compile it."""
    from dbt.cli.main import dbtRunner

    make_quicker()
    project, target = root / PROJECT, settings().home / "lint"
    target.mkdir(parents=True, exist_ok=True)
    before = ["--quiet", "--no-use-colors", "--log-path", str(target / "logs"), "--log-level", "none"]
    after = project_arguments(project, target)
    with dbt_environment(Warehouse(url)):
        parsed = dbtRunner().invoke([*before, "parse", *after])
        if not parsed.success:
            return [], [_refused(root, str(parsed.exception))]
        selection = [
            "compile",
            "--no-populate-cache",
            "--select",
            "resource_type:model",
            "--indirect-selection",
            "empty",
        ]
        outcome = dbtRunner(parsed.result).invoke([*before, *selection, *after])
    if outcome.exception is not None:
        return [], [_refused(root, str(outcome.exception))]
    problems = [
        _refused(root, r.message, r.node.original_file_path) for r in outcome.result if str(r.status) == "error"
    ]
    made = [_compiled(root, r.node) for r in outcome.result if str(r.status) == "success"]
    return _in_order(made), problems


def _compiled(root: Path, node) -> Compiled:
    path = root / PROJECT / node.original_file_path
    enforced = node.config.contract.enforced
    return Compiled(
        id=node.unique_id,
        schema=node.schema,
        name=node.name,
        file=str(path.relative_to(root)),
        text=path.read_text(encoding="utf-8"),
        statement=node.compiled_code,
        reads=tuple(node.depends_on.nodes),
        declared={c.name: c.data_type for c in node.columns.values()} if enforced else {},
        yaml_file=f"{PROJECT}/{(node.patch_path or '').partition('://')[2]}",
        meta=dict(node.config.meta or {}),
    )


def _in_order(models: list[Compiled]) -> list[Compiled]:
    known = {model.id: model for model in models}
    ordered: dict[str, Compiled] = {}

    def add(model: Compiled) -> None:
        if model.id not in ordered:
            for read in model.reads:
                if read in known:
                    add(known[read])
            ordered[model.id] = model

    for model in models:
        add(model)
    return list(ordered.values())


def make_models(connection: psycopg.Connection, models: list[Compiled]) -> list[Problem]:
    """Makes each model as an empty table. What reads a model that failed is left out: its own errors would be that one's."""
    problems: list[Problem] = []
    made = {model.id for model in models}
    for model in models:
        if any(read.startswith("model.") and read not in made for read in model.reads):
            made.discard(model.id)
            continue
        table = sql.Identifier(model.schema, model.name)
        create = sql.SQL("create table {} as\n").format(table).as_string(connection)
        statement = create + model.statement.strip().rstrip(";")
        try:
            with connection.transaction():
                connection.execute(statement + "\nwith no data")
        except psycopg.Error as error:
            made.discard(model.id)
            problems.append(problem_of(connection, error, Source(model.file, model.text, statement)))
            continue
        found = dict(
            connection.execute(
                "select attname::text, format_type(atttypid, -1) from pg_attribute"
                " where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass and attnum > 0",
                (model.schema, model.name),
            ).fetchall()
        )
        problems += _check_declared(connection, model, found) + _check_touched(connection, model, found)
    return problems


def _check_touched(connection: psycopg.Connection, model: Compiled, found: dict[str, str]) -> list[Problem]:
    """What is built by touched units and days says by which of its columns, and the days that it tells are expressions over it."""
    touched_by, told = model.meta.get("touched_by") or {}, model.meta.get("changed_days") or []
    wrong = [
        (f"{key} is no key of touched_by", choices(key, TOUCHED_BY)) for key in touched_by if key not in TOUCHED_BY
    ]
    unit, day = touched_by.get("unit"), touched_by.get("day")
    if touched_by and unit not in UNITS:
        wrong.append((f"{unit} is no unit of which changes are known", choices(str(unit), UNITS)))
    if touched_by:
        wrong += [(f"{model.name} has no column {c}", choices(str(c), found)) for c in (unit, day) if c not in found]
    elif re.search(r"\b(is_)?touched\(", model.text):
        wrong.append(
            (f"{model.name} reads what is touched, and does not say by what", "config(meta={'touched_by': ...})")
        )
    problems = [Problem(model.file, line_of_word(model.text, "touched_by") or 1, what, next_) for what, next_ in wrong]
    for expression in told:
        query = sql.SQL("select ({})::date from {} as changed limit 0").format(
            sql.SQL(expression), sql.Identifier(model.schema, model.name)
        )
        try:
            with connection.transaction():
                connection.execute(query)
        except psycopg.Error as error:
            what = f"changed_days: {error.diag.message_primary}"
            problems.append(Problem(model.file, line_of_word(model.text, "changed_days") or 1, what, "two dates"))
    return problems


def _check_declared(connection: psycopg.Connection, model: Compiled, found: dict[str, str]) -> list[Problem]:
    """The columns of an enforced contract are those of the query, with their types."""
    if not model.declared:
        return []
    problems = []
    for column in sorted(found.keys() - model.declared.keys()):
        line = line_of_word(model.text, column)
        what = f"{model.name}.{column} is not declared in {model.yaml_file}{did_you_mean(column, model.declared)}"
        problems.append(Problem(model.file, line, what, choices(column, model.declared)))
    for column, type_ in model.declared.items():
        if column not in found:
            what = f"{model.name} does not select the declared column {column}{did_you_mean(column, found)}"
            problems.append(Problem(model.file, 1, what, choices(column, found)))
            continue
        (spelled,) = connection.execute("select format_type(%s::regtype, -1)", (type_,)).fetchone()
        if _FAMILY.get(spelled, spelled) == _FAMILY.get(found[column], found[column]):
            alter = sql.SQL("alter table {} alter column {} type {}")
            names = sql.Identifier(model.schema, model.name), sql.Identifier(column)
            connection.execute(alter.format(*names, sql.SQL(type_)))
        else:
            what = f"{model.name}.{column} is {found[column]}, but declared as {type_} in {model.yaml_file}"
            problems.append(Problem(model.file, line_of_word(model.text, column), what, type_))
    return problems


def line_of_word(text: str, word: str) -> int:
    """The last line with the word: the final step of a model is the one that names its columns."""
    found = [n for n, line in enumerate(text.splitlines(), 1) if re.search(rf"\b{word}\b", line)]
    return found[-1] if found else 1


def _refused(root: Path, message: str, file: str = "") -> Problem:
    """What dbt could not parse or compile, in its words."""
    named = _FILE.search(message)
    file = f"{PROJECT}/{file or (named['file'] if named else 'dbt_project.yml')}"
    allowed = meant = wrong = ""
    if undefined := _UNDEFINED.search(message):
        wrong = undefined["name"]
        known = [m for path in (root / PROJECT / "macros").rglob("*.sql") for m in _MACRO.findall(path.read_text())]
        allowed, meant = choices(wrong, sorted(known)), did_you_mean(wrong, known)
        what = f"{wrong} is neither a macro nor a variable"
    elif missing := _NOT_FOUND.search(message):
        wrong = missing["name"].rpartition(".")[2]
        known = [path.stem for part in ("models", "seeds") for path in (root / PROJECT / part).rglob("*.[sc][qs][lv]")]
        allowed, meant = choices(wrong, sorted(known)), did_you_mean(wrong, known)
        what = f"ref or source {missing['name']} does not exist"
    else:
        what = re.sub(r"^(Compilation|Parsing|Runtime) Error in \S+ \S+ \(\S+\) ", "", one_line(message))[:300]
    path = root / file
    stated = re.search(r"\bline (\d+)", message)
    line = line_of(path, wrong) if wrong and path.is_file() else int(stated[1]) if stated else 1
    return Problem(file, line, what + meant, allowed)
