"""The source contracts (ODCS): shape, types, names that appear once, keys and references that lead to columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from include.choices import choices, did_you_mean
from include.local.lint.declarations import LINE, check_declarations
from include.local.lint.problem import Problem, one_line

FOLDER = Path("include") / "contracts"
TYPES = (
    "text",
    "numeric",
    "timestamptz",
    "date",
    "integer",
    "smallint",
    "bigint",
    "boolean",
    "char",
    "varchar",
    "time",
)
UPDATE_PATTERNS = ("append", "late", "in_place", "validity_rows")
_SIZED = re.compile(r"(?P<name>[a-z ]+?)(\(\d+(, ?\d+)?\))?")


class _WithLines(yaml.CSafeLoader):
    """YAML whose mappings remember the line on which they begin."""

    def construct_mapping(self, node, deep=False):
        return super().construct_mapping(node, deep=deep) | {LINE: node.start_mark.line + 1}


def check_contracts(root: Path) -> list[Problem]:
    documents, problems = {}, []
    for path in sorted((root / FOLDER).glob("*.odcs.yaml")):
        file = str(path.relative_to(root))
        try:
            documents[file] = yaml.load(path.read_text(encoding="utf-8"), _WithLines)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problems.append(Problem(file, mark.line + 1 if mark else 1, f"is not YAML: {one_line(error)}"))
            continue
        if problem := _outside_the_standard(path, file):
            problems.append(problem)
            del documents[file]
    known = {
        table["name"]: {c["name"] for c in table["properties"]} for d in documents.values() for table in d["schema"]
    }
    tables = {table["name"]: table for d in documents.values() for table in d["schema"]}
    seen: dict[str, str] = {}
    for file, document in documents.items():
        for table in document["schema"]:
            if table["name"] in seen:
                problems.append(
                    Problem(file, table[LINE], f"the table {table['name']} is also in {seen[table['name']]}")
                )
            seen.setdefault(table["name"], file)
            problems += _check_table(file, table, known)
            problems += check_declarations(file, table, tables)
    return problems


def _outside_the_standard(path: Path, file: str) -> Problem | None:
    from open_data_contract_standard.model import OpenDataContractStandard

    try:
        OpenDataContractStandard.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except ValueError as error:
        return Problem(file, 1, f"is no contract of the standard: {one_line(error)[:300]}")
    return None


def _check_table(file: str, table: dict, known: dict[str, set[str]]) -> Iterator[Problem]:
    name, columns = table["name"], known[table["name"]]
    seen: dict[str, int] = {}
    for column in table["properties"]:
        line = column[LINE]
        if column["name"] in seen:
            yield Problem(
                file, line, f"{name} has the column {column['name']} twice, first on line {seen[column['name']]}"
            )
        seen.setdefault(column["name"], line)
        type_ = str(column.get("physicalType"))
        sized = _SIZED.fullmatch(type_)
        if not sized or sized["name"] not in TYPES:
            what = f"{name}.{column['name']} has the unknown type {type_}"
            yield Problem(file, line, what + did_you_mean(type_, TYPES), ", ".join(TYPES))
        for relationship in column.get("relationships") or []:
            yield from _check_target(file, relationship, name, known)
    for relationship in table.get("relationships") or []:
        yield from _check_target(file, relationship, name, known)
    properties = {p["property"]: p for p in table.get("customProperties") or []}
    pattern = properties.get("updatePattern", {"value": None, LINE: table[LINE]})
    if pattern["value"] not in UPDATE_PATTERNS:
        what = f"updatePattern of {name} is {pattern['value']}"
        yield Problem(file, pattern[LINE], what, ", ".join(UPDATE_PATTERNS))
    for needed in ("keyColumns", "cursorColumn"):
        if needed not in properties:
            yield Problem(file, table[LINE], f"{name} has no customProperty {needed}")
            continue
        value = properties[needed]["value"]
        for column in value if isinstance(value, list) else [value]:
            if column not in columns:
                what = f"{needed} of {name} names {column}, which is no column of it"
                yield Problem(file, properties[needed][LINE], what, choices(column, sorted(columns)))


def _check_target(file: str, relationship: dict, name: str, known: dict[str, set[str]]) -> Iterator[Problem]:
    targets = relationship["to"] if isinstance(relationship["to"], list) else [relationship["to"]]
    for target in targets:
        table, _, column = re.sub(r"^.*#/schema/", "", target).replace("/properties/", ".").partition(".")
        if table not in known:
            what = f"{name} refers to {table}, which is no table of the contracts"
            yield Problem(file, relationship[LINE], what, choices(table, sorted(known)))
        elif column not in known[table]:
            what = f"{name} refers to {table}.{column}, which is no column of it"
            yield Problem(file, relationship[LINE], what, choices(column, sorted(known[table])))
