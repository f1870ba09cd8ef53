"""What a rule's header declares beyond its words: its population, what touches it, what it reads and compares, its thresholds.

Nothing of it is guessed from the rule's SQL. Tests hold each declaration to what PostgreSQL itself says of the queries.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from string import Formatter

from include.contracts import all_tables, load_contracts
from include.quality.parameters import FORMS, names_of, parameter_on, shown

DBT = Path(__file__).parents[2] / "dbt_project"
SCHEMAS = {
    "staging": "",
    "intermediate": "",
    "warehouse": "warehouse.",
    "marts": "candidate.",
}  # folder -> name in a header

# Everything, tonight as ever; records of a stated span of days before the business date; the rows that landed since the last
# passed gate, with those of open findings; or the records of the metering points and days of such rows.
TESTS = ("everything", "window", "touched rows", "touched points")
SHARE = "% of "  # a form of a threshold in a sentence: {part:% of whole}
OF_THE_RUN = ("business_date", "run_id")  # what a query may name beside the thresholds of its rule: `:business_date`
_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|--[^\n]*|(?<![:\w]):(?P<name>[a-z]\w*)")


@cache
def relations() -> frozenset[str]:
    """Relations that a rule may read, as headers name them: those of staging bare, others with their schema."""
    models = {
        f"{prefix}{path.stem}"
        for folder, prefix in SCHEMAS.items()
        for path in (DBT / "models" / folder).rglob("*.sql")
    }
    seeds = {path.stem for path in (DBT / "seeds").rglob("*.csv")}
    return frozenset(models | seeds | {table.raw_name for table in all_tables().values()})


def declared(header: dict, rule_id: str, subjects: tuple[str, ...]) -> dict:
    """The declarations of a header as fields of a Rule. Raises ValueError, which says the key and what is allowed."""
    tests = header.get("tests", "everything")
    if tests not in TESTS:
        raise ValueError(f"tests is {tests!r}; it is one of {', '.join(TESTS)}.")
    touches = tests.startswith("touched")
    if "touched_by" in header and not touches:
        raise ValueError(f"touched_by is for a rule that tests what is touched; this one tests {tests}.")
    found = {
        "population": header["population"],
        "tests": tests,
        "touched_by": _names(header, "touched_by", list(subjects)) if touches else (),
        "reads": _names(header, "reads"),
        "compares": _names(header, "compares", []),
        "parameters": _names(header, "parameters", []),
    }
    if touches and not found["touched_by"]:
        raise ValueError("touched_by is missing: a rule with a stated grain names the tables whose rows touch it.")
    _known("touched_by", found["touched_by"], all_tables(), "tables of the contracts")
    known = [n for n in found["reads"] if n not in relations() and not n.startswith(("quality.", "publish.", "vault."))]
    if known:
        raise ValueError(
            f"reads names {', '.join(known)}, which is no relation; a model or seed of staging is named alone, any other"
            " with its schema: warehouse, candidate, raw_<source>, quality, publish or vault."
        )
    for side in found["compares"]:
        _check_side(side)
    for name in found["parameters"]:
        of_rule, own_name = _split(name, rule_id)
        if own_name not in names_of(of_rule):
            known = ", ".join(names_of(of_rule)) or "none"
            raise ValueError(f"parameters names {name}; the seed quality_parameters has of {of_rule}: {known}.")
    _check_sentence(header["sentence"], found["parameters"])
    return found


def with_thresholds(query: str, rule_id: str, names: tuple[str, ...]) -> str:
    """A query in which `:share` is the threshold of that name, one of the rule's `parameters`, as of the business date.

    Of two of one name it is the rule's own. Raises ValueError for a name that is no threshold of the rule nor of the run.
    """
    split = [_split(name, rule_id) for name in names]
    rule_of = {own_name: of_rule for of_rule, own_name in split}
    rule_of |= {own_name: rule_id for of_rule, own_name in split if of_rule == rule_id}

    def called(found: re.Match) -> str:
        name = found["name"]
        if name is None or name in OF_THE_RUN:
            return found[0]
        if name not in rule_of:
            known = ", ".join(f":{n}" for n in (*OF_THE_RUN, *rule_of))
            raise ValueError(f"a query has :{name}, which parameters does not name; known are {known}.")
        return f"quality.parameter('{rule_of[name]}', '{name}', :business_date)"

    return _PLACEHOLDER.sub(called, query)


def systems(compares: tuple[str, ...]) -> tuple[str, ...]:
    """The systems of the sides compared, in the order of the contracts."""
    named = {side.split(".")[0] for side in compares}
    return tuple(system for system in load_contracts() if system in named)


def filled(sentence: str, rule_id: str, day: date) -> str:
    """A sentence with the values of its parameters on a day. Raises LookupError where the seed has none for that day."""
    parts = []
    for text, name, form, _ in Formatter().parse(sentence):
        parts.append(text)
        if name is None:
            continue
        parameter = parameter_on(*_split(name, rule_id), day)
        if form.startswith(SHARE):
            whole = parameter_on(*_split(form.removeprefix(SHARE), rule_id), day)
            parts.append(f"{round(100 * parameter.value / whole.value)} %")
        else:
            parts.append(shown(parameter, form))
    return "".join(parts)


def _split(name: str, rule_id: str) -> tuple[str, str]:
    """`share` of the rule itself, or `MET-02.slots` of another one, as (rule id, name)."""
    of_rule, _, own_name = name.rpartition(".")
    return of_rule or rule_id, own_name


def _names(header: dict, key: str, default: list | None = None) -> tuple[str, ...]:
    listed = header.get(key, default)
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise ValueError(f"{key} is a list of names, like [a, b].")
    if twice := sorted({name for name in listed if listed.count(name) > 1}):
        raise ValueError(f"{key} names {', '.join(twice)} twice.")
    return tuple(listed)


def _known(key: str, names: tuple[str, ...], allowed, what: str) -> None:
    if unknown := [name for name in names if name not in allowed]:
        raise ValueError(f"{key} names {', '.join(unknown)}; allowed are {what}.")


def _check_side(side: str) -> None:
    system, table_name, column = [*side.split("."), "", ""][:3]
    table = all_tables().get(table_name)
    if side.count(".") != 2 or table is None or table.source != system:
        raise ValueError(f"compares names {side}; a side is system.table.column of a contract.")
    if column not in {c.name for c in table.columns}:
        known = ", ".join(c.name for c in table.scalar_columns)
        raise ValueError(f"compares names {side}; {table_name} has the columns {known}.")


def _check_sentence(sentence: str, names: tuple[str, ...]) -> None:
    try:
        fields = [(name, form) for _, name, form, _ in Formatter().parse(sentence) if name is not None]
    except ValueError as error:
        raise ValueError(f"the sentence has a brace too many or too few: {error}.") from None
    for name, form in fields:
        if name not in names:
            raise ValueError(f"the sentence shows {{{name}}}, which parameters does not name.")
        if form not in FORMS and not (form.startswith(SHARE) and form.removeprefix(SHARE) in names):
            known = ", ".join([*FORMS[1:], f"{SHARE}<another parameter>"])
            raise ValueError(f"the sentence shows {{{name}:{form}}}; after the colon stands one of {known}.")
