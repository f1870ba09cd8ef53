"""Rules of gate 2 over small stand-ins of the candidate marts: the good ones pass, one fault each breaks one rule.

The written rules have their stand-ins in `marts_<theme>.py` beside this file: GOOD makes the tables, FAULTS breaks one rule
each. The rules that are made from the models' description are tried on tables of the described shape.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from psycopg import sql

from include.quality.mart_rules import load_mart_rules
from include.quality.rules import load_rules
from include.transform.models import Model, published_models
from tests.rules.mart_edges import EDGES
from tests.rules.staged import Staged

WRITTEN = {rule.id: rule for rule in load_rules() if rule.area == "marts"}
MADE = {rule.id: rule for rule in load_mart_rules()}
THEMES = {
    path.stem: importlib.import_module(f"tests.rules.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("marts_*.py"))
}
FAULTS = [(theme, rule_id) for theme, module in THEMES.items() for rule_id in module.FAULTS]
MODELS = published_models()
FILLED = [name for name, model in MODELS.items() if not model.meta.get("may_be_empty")]
A_VALUE = {"date": "'2026-11-05'", "timestamp": "'2026-11-05'", "boolean": "'true'", "text": "'A'", "jsonb": "'{}'"}


def theme_of(rule_id: str) -> str:
    """The theme of a rule on marts, whose stand-ins it needs; '' for any other rule."""
    return next((theme for theme, module in THEMES.items() if rule_id in module.FAULTS), "")


def broken(staged: Staged, theme: str) -> set[str]:
    return {rule_id for rule_id in THEMES[theme].FAULTS if staged.violations(WRITTEN[rule_id])}


@pytest.mark.parametrize("theme", THEMES)
def test_good_marts_break_no_rule(staged: Staged, theme: str):
    for statement in THEMES[theme].GOOD:
        staged.connection.execute(statement)
    assert broken(staged, theme) == set()


@pytest.mark.parametrize(("theme", "rule_id"), FAULTS)
def test_a_fault_in_a_mart_breaks_only_its_rule(staged: Staged, theme: str, rule_id: str):
    for statement in [*THEMES[theme].GOOD, THEMES[theme].FAULTS[rule_id]]:
        staged.connection.execute(statement)
    assert broken(staged, theme) == {rule_id}


@pytest.mark.parametrize(
    ("rule_id", "_", "statements", "is_broken"), EDGES, ids=[f"{rule_id}: {name}" for rule_id, name, *_ in EDGES]
)
def test_a_mart_at_the_edge_of_a_rule(staged: Staged, rule_id: str, _: str, statements: list[str], is_broken: bool):
    for statement in [*THEMES[theme_of(rule_id)].GOOD, *statements]:
        assert staged.connection.execute(statement).rowcount != 0, statement
    assert bool(staged.verdict(WRITTEN[rule_id])) is is_broken


def test_every_rule_on_marts_has_a_fault_and_is_of_gate_2():
    assert sorted(rule_id for _, rule_id in FAULTS) == sorted(WRITTEN)
    assert {rule.gate for rule in [*WRITTEN.values(), *MADE.values()]} == {2}


# -- rules that are made from the models' description


def facts_of(model: Model) -> list[str]:
    return model.meta.get("filled_from", [])


def stand_in(staged: Staged, model: Model) -> sql.Identifier:
    """An empty table of the model's columns, and empty tables of the facts that it reads."""
    relation = sql.Identifier(*model.relation.split("."))
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in model.columns.items()]
    staged.connection.execute(sql.SQL("create table {} ({})").format(relation, sql.SQL(", ").join(columns)))
    for fact in facts_of(model):
        staged.connection.execute(sql.SQL("create table warehouse.{} (n integer)").format(sql.Identifier(fact)))
    return relation


def insert(staged: Staged, model: Model, relation: sql.Identifier, without: str | None = None) -> None:
    """One row that holds its grain; the column `without` stays empty."""
    columns = [name for name in model.meta["grain"] if name != without] or [
        next(c for c in model.columns if c != without)
    ]
    values = [A_VALUE.get(model.columns[name].split()[0].split("(")[0], "'1'") for name in columns]
    staged.connection.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            relation, sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(map(sql.SQL, values))
        )
    )


def fill_facts(staged: Staged, model: Model, but: str | None = None) -> None:
    for fact in set(facts_of(model)) - {but}:
        staged.connection.execute(sql.SQL("insert into warehouse.{} values (1)").format(sql.Identifier(fact)))


def publish(staged: Staged, name: str, rows: int = 7) -> None:
    """A version of the mart, which readers see."""
    staged.connection.execute(
        "insert into publish.versions values ('2026-10-01', 1, %s, '2026-11-04', '2026-11-04', 1, %s, 'hash', now());",
        (name, rows),
    )
    staged.connection.execute(
        "insert into publish.pointer values ('2026-10-01', 1, '2026-11-04', 1, now(), 0, 0, 0, 0)"
    )


def verdicts(staged: Staged, name: str) -> dict[str, list[tuple[str, str]]]:
    return {
        kind: [(found["observed"], found["severity"]) for found in staged.violations(MADE[f"MART-{kind}-{name}"])]
        for kind in ("GRAIN", "FILLED")
        if f"MART-{kind}-{name}" in MADE
    }


@pytest.mark.parametrize("name", MODELS)
def test_a_row_twice_and_an_empty_key_break_the_grain(staged: Staged, name: str):
    model = MODELS[name]
    relation = stand_in(staged, model)
    insert(staged, model, relation)
    filled = {"FILLED": []} if name in FILLED else {}
    assert verdicts(staged, name) == {"GRAIN": []} | filled
    insert(staged, model, relation)
    assert verdicts(staged, name) == {"GRAIN": [("2 rows", "block")]} | filled
    staged.connection.execute(sql.SQL("delete from {}").format(relation))
    insert(staged, model, relation, without=model.meta["grain"][-1])
    assert verdicts(staged, name) == {"GRAIN": [("1 rows, key not filled", "block")]} | filled


@pytest.mark.parametrize("name", FILLED)
def test_a_mart_without_a_row_warns_where_it_has_input_and_blocks_where_it_is_published(staged: Staged, name: str):
    model = MODELS[name]
    stand_in(staged, model)
    assert verdicts(staged, name)["FILLED"] == []
    fill_facts(staged, model)
    assert verdicts(staged, name)["FILLED"] == ([("no row", "warn")] if facts_of(model) else [])
    publish(staged, name)
    assert verdicts(staged, name)["FILLED"] == [("no row", "block")]


@pytest.mark.parametrize("name", FILLED)
def test_a_mart_without_a_row_is_good_where_a_fact_has_none_and_readers_saw_none(staged: Staged, name: str):
    model = MODELS[name]
    stand_in(staged, model)
    for fact in facts_of(model):
        with staged.connection.transaction(force_rollback=True):
            fill_facts(staged, model, but=fact)
            assert verdicts(staged, name)["FILLED"] == []
    publish(staged, name, rows=0)
    assert verdicts(staged, name)["FILLED"] == []
    staged.connection.execute("update publish.versions set mart = 'another', rows = 7")
    assert verdicts(staged, name)["FILLED"] == []


def test_every_mart_has_both_rules_and_only_what_is_withheld_may_be_empty():
    marts = {path.stem for path in (Path(__file__).parents[2] / "dbt_project" / "models" / "marts").rglob("mart_*.sql")}
    assert marts <= set(MODELS)
    assert set(MADE) == {f"MART-GRAIN-{name}" for name in MODELS} | {f"MART-FILLED-{name}" for name in FILLED}
    assert set(MODELS) - set(FILLED) == {"fct_quarantined_rows"}
