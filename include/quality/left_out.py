"""Which rules rest on a table that the profile leaves out: they are *not delivered*, test nothing and stop nothing.

A rule is not delivered where none of the tables whose rows it judges is delivered, where of the sides that it compares fewer
than two are, or where it reads a left-out table itself. One that reads it through models alone is evaluated: where it then has
nothing to test, that is why. No rule on what is delivered is switched off otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path

from include.contracts import all_tables
from include.quality.rules import Rule
from include.transform.dbt import manifest_path
from include.transform.models import essential_tables, published_models, required_tables, staging_relations


def not_delivered(rule: Rule, left: Collection[str]) -> tuple[str, ...]:
    """The left-out tables for which a rule cannot be judged, in the order of the contracts; empty where it can be."""
    if not left:
        return ()
    judged = rule.subjects or ((rule.table_name,) if rule.table_name in all_tables() else ())
    sides = tuple(dict.fromkeys(side.split(".")[1] for side in rule.compares))
    lacking: set[str] = set()
    if judged and all(name in left for name in judged):
        lacking |= set(judged)
    if len(sides) > 1 and len([name for name in sides if name not in left]) < 2:
        lacking |= {name for name in sides if name in left}
    if len(judged) < 2 and (not is_made(rule) or rule.id.startswith("REF-") or rule.id.endswith("-REFERENCE")):
        lacking |= {name for name in read_directly(rule) if name in left}
    if rule.id.startswith("MART-FILLED-"):
        lacking |= _of_empty_mart(rule.id.removeprefix("MART-FILLED-"), left)
    return tuple(name for name in all_tables() if name in lacking)


def _of_empty_mart(name: str, left: Collection[str]) -> set[str]:
    """The left-out tables for which a mart has no rows: it requires one, or each of its measures rests on one."""
    if required := set(required_tables().get(name, ())) & set(left):
        return required
    measures = (published_models()[name].meta.get("partial") or {}).get("measures") or []
    absent = [{essential_tables().get(family) for family in measure["needs"]} & set(left) for measure in measures]
    return set().union(*absent) if absent and all(absent) else set()


def is_made(rule: Rule) -> bool:
    """Whether a contract implies it. What such a rule compares with a row elsewhere is silent where there is none; but
    references are what it says is there."""
    return rule.path.startswith("include/contracts/")


def reached(rule: Rule, left: Collection[str]) -> tuple[str, ...]:
    """The left-out tables of which models that the rule reads are made; empty where dbt has not read the project yet."""
    if not left:
        return ()
    path = manifest_path()
    below = _made_of(path, path.stat().st_mtime_ns) if path.exists() else {}
    found = set(read_directly(rule)).union(*(below.get(read.rpartition(".")[2], ()) for read in rule.reads))
    return tuple(name for name in all_tables() if name in found and name in left)


def read_directly(rule: Rule) -> tuple[str, ...]:
    """Contract tables whose raw or staging table a rule reads."""
    return tuple(dict.fromkeys(name for read in rule.reads if (name := _of_relation().get(read))))


def told(tables: Collection[str], reasons: dict[str, str]) -> str:
    """Why a rule tested nothing, as the report and the marts show it."""
    shown = [f"{name} ({reasons[name]})" for name in list(tables)[:4]]
    more = f" and {len(tables) - 4} more tables" if len(tables) > 4 else ""
    return f"Not delivered: {', '.join(shown)}{more}."


@cache
def _of_relation() -> dict[str, str]:
    """Relation as rules name it -> the contract table whose rows it has."""
    staged = {relation.removeprefix("staging."): name for name, relation in staging_relations().items()}
    return staged | {table.raw_name: name for name, table in all_tables().items()}


@lru_cache(maxsize=1)
def _made_of(path: Path, _changed: int) -> dict[str, frozenset[str]]:
    """Model -> the contract tables that it is made of, at any distance."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    parents = manifest["parent_map"]
    tables = {
        key: source["identifier"] for key, source in manifest["sources"].items() if source["identifier"] in all_tables()
    }
    known: dict[str, frozenset[str]] = {}

    def of(key: str) -> frozenset[str]:
        if key not in known:
            own = {tables[key]} if key in tables else set()
            known[key] = frozenset(own.union(*(of(parent) for parent in parents.get(key, ()))))
        return known[key]

    return {node["name"]: of(key) for key, node in manifest["nodes"].items()}
