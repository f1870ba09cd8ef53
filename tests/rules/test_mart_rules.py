"""Rules of gate 2 over small stand-ins of the candidate marts: the good ones pass, one fault each breaks one rule.

The written rules have their stand-ins in `marts_<theme>.py` beside this file and their cases beside themselves. The rules that
are made from the models' description are tried on tables of the described shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from include.quality.mart_rules import load_mart_rules
from include.quality.rules import Rule, load_rules
from include.transform.metrics import Shown, compared_metrics
from include.transform.models import Model, measure_families, published_models
from tests.rules.cases import Case, answer, cases_of_the_book
from tests.rules.partial_cases import TYPED, Lack, lacks
from tests.rules.staged import Staged
from tests.rules.stand_ins import THEMES, good_marts, theme_of

WRITTEN = {rule.id: rule for rule in load_rules() if rule.area == "marts"}
MADE = {rule.id: rule for rule in load_mart_rules()}
FAULTS = [case for rule_id in WRITTEN for case in cases_of_the_book().get(rule_id, ()) if case.breaks is not None]
MODELS = published_models()
COMPARED = compared_metrics()
FILLED = [name for name, model in MODELS.items() if not model.meta.get("may_be_empty")]
A_VALUE = {"date": "'2026-11-05'", "timestamp": "'2026-11-05'", "boolean": "'true'", "text": "'A'", "jsonb": "'{}'"}


def broken(staged: Staged, theme: str) -> set[str]:
    return {rule_id for rule_id in THEMES[theme].RULES if staged.violations(WRITTEN[rule_id])}


@pytest.mark.parametrize("theme", THEMES)
def test_good_marts_break_no_rule(staged: Staged, theme: str):
    for statement in good_marts(theme):
        staged.connection.execute(statement)
    assert broken(staged, theme) == set()


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.rule_id)
def test_a_fault_in_a_mart_breaks_only_its_rule(staged: Staged, case: Case):
    case.prepare(staged, WRITTEN[case.rule_id])
    assert broken(staged, theme_of(case.rule_id)) == {case.rule_id} | case.breaks


def test_every_rule_on_marts_has_a_fault_and_is_of_gate_2():
    assert {case.rule_id for case in FAULTS} == set(WRITTEN)
    assert sorted(rule_id for module in THEMES.values() for rule_id in module.RULES) == sorted(WRITTEN)
    assert {rule.gate for rule in [*WRITTEN.values(), *MADE.values()]} == {2}


# -- rules that are made from the models' description


def facts_of(model: Model) -> list[str]:
    return model.meta.get("filled_from", [])


def stand_in(staged: Staged, model: Model, with_facts: bool = True) -> sql.Identifier:
    """An empty table of the model's columns, and empty tables of the facts that it reads."""
    relation = sql.Identifier(*model.relation.split("."))
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in model.columns.items()]
    staged.connection.execute(sql.SQL("create table {} ({})").format(relation, sql.SQL(", ").join(columns)))
    for fact in facts_of(model) if with_facts else ():
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
    publish(staged, model.published_name)
    assert verdicts(staged, name)["FILLED"] == [("no row", "block")]


@pytest.mark.parametrize("name", FILLED)
def test_a_mart_without_a_row_is_good_where_a_fact_has_none_and_readers_saw_none(staged: Staged, name: str):
    model = MODELS[name]
    stand_in(staged, model)
    for fact in facts_of(model):
        with staged.connection.transaction(force_rollback=True):
            fill_facts(staged, model, but=fact)
            assert verdicts(staged, name)["FILLED"] == []
    publish(staged, model.published_name, rows=0)
    assert verdicts(staged, name)["FILLED"] == []
    staged.connection.execute("update publish.versions set mart = 'another', rows = 7")
    assert verdicts(staged, name)["FILLED"] == []


PARTIAL = {name: model for name, model in MODELS.items() if model.meta.get("partial", {}).get("account")}


def withhold(staged: Staged, table: str, column: str, account: str, day: str | None = None, **numbers: str) -> None:
    """A withheld row of a table, or where a column is named a withheld value."""
    relation, names = (
        ("withheld_values", "column_name, rule_ids") if column else ("quarantined_rows", "state, rule_ids")
    )
    staged.connection.execute(
        f"insert into quality.{relation} (source_name, table_name, raw_id, {names}, record_key, account_no, fact_date,"
        " identifiers, from_run) values ('s', %s, 1, %s, '{T-1}', '{}', %s, %s, %s, 1)",
        (table, column or "quarantined", account, day, json.dumps(numbers)),
    )


@pytest.mark.parametrize("name", PARTIAL)
def test_a_measure_that_lacks_something_and_does_not_say_so_blocks(staged: Staged, name: str):
    model, rule = PARTIAL[name], MADE[f"MART-PARTIAL-{name}"]
    relation = stand_in(staged, model)
    insert(staged, model, relation)
    staged.connection.execute(sql.SQL("update {} set account_no = 'A'").format(relation))
    assert staged.violations(rule) == []
    for measure in model.meta["partial"]["measures"]:
        if measure.get("over") == "all":
            continue
        for part in (part for family in measure["needs"] for part in measure_families()[family]):
            with staged.connection.transaction(force_rollback=True):
                table, _, column = part.partition(".")
                withhold(staged, table, column, "A")
                (found,) = staged.violations(rule)
                assert found["severity"] == "block"
                assert set(measure["columns"]) <= set(found["observed"].removeprefix("complete: ").split(", "))
                told = sql.Literal(found["observed"].removeprefix("complete: ").split(", "))
                staged.connection.execute(sql.SQL("update {} set partial_measures = {}").format(relation, told))
                assert staged.violations(rule) == []
    withhold(staged, "mkt_bill", "", "another account")
    assert staged.violations(rule) == []


def with_a_lack(staged: Staged, model: Model, lack: Lack, named: frozenset[str] = frozenset()) -> None:
    """A row of account A that names these measures as partial, the same row of account B, and something withheld of A."""
    relation = stand_in(staged, model)
    planted = sql.SQL(
        "update {} set account_no = {}, partial_measures = {}::text[], {} = '2026-11-05' where partial_measures is null"
    )
    month = sql.Identifier(model.meta["published_month"])
    for account, names in (("A", sorted(named)), ("B", [])):
        insert(staged, model, relation)
        staged.connection.execute(planted.format(relation, sql.Literal(account), sql.Literal(names), month))
    withhold(staged, lack.table, lack.column, "A", lack.day, **lack.identifiers)


def lacking(staged: Staged, rule: Rule) -> set[tuple[str | None, str | None, frozenset[str]]]:
    """Whose rows read as complete and are not, how severe that is, and which measures."""
    _, found = answer(staged, rule)
    return {
        (row["account_no"], row["severity"], frozenset(row["observed"].removeprefix("complete: ").split(", ")))
        for row in found
    }


def of_account_a(measures: frozenset[str]) -> set[tuple[str | None, str | None, frozenset[str]]]:
    return {("A", "block", measures)} if measures else set()


def nights_of_partial_measures(mart: str) -> Iterator[tuple[Lack, frozenset[str], frozenset[str]]]:
    """What is withheld, the measures that the row names as partial, and those that then read as complete and are not.

    The first row that lacks something also names all of it, and all but one.
    """
    cases = lacks(mart)
    for case in cases:
        yield case, frozenset(), case.measures
    case = next(case for case in cases if case.measures)
    one = frozenset([min(case.measures)])
    yield case, case.measures, frozenset()
    yield case, case.measures - one, one


@pytest.mark.parametrize("name", TYPED)
def test_a_row_that_lacks_a_part_blocks_where_it_does_not_say_so(staged: Staged, name: str):
    for lack, named, told in nights_of_partial_measures(name):
        with staged.connection.transaction(force_rollback=True):
            with_a_lack(staged, PARTIAL[name], lack, named)
            assert lacking(staged, MADE[f"MART-PARTIAL-{name}"]) == of_account_a(told), (lack.name, named)


def test_the_parts_of_every_mart_with_an_account_are_typed():
    assert set(TYPED) == set(PARTIAL)
    for name in TYPED:
        assert {bool(case.measures) for case in lacks(name)} == {True, False}
        for case in lacks(name):
            assert case.measures <= set(PARTIAL[name].columns), (name, case.name)


def test_a_part_counts_in_the_months_and_for_the_records_that_a_measure_looks_at(staged: Staged):
    def broken(name: str, day: str, column: str = "", **numbers: str) -> bool:
        with staged.connection.transaction(force_rollback=True):
            relation = stand_in(staged, PARTIAL[name])
            insert(staged, PARTIAL[name], relation)
            staged.connection.execute(sql.SQL("update {} set account_no = 'A'").format(relation))
            withhold(staged, "mkt_bill", column, "A", day, **numbers)
            return bool(staged.violations(MADE[f"MART-PARTIAL-{name}"]))

    # November 2026 ranks November 2025 to October 2026
    days = ["2025-10-31", "2025-11-01", "2026-10-31", "2026-11-01"]
    assert [broken("mart_key_account_ranking", day) for day in days] == [False, True, True, False]
    # bill A alone lacks what is withheld of bill A, not its neighbour
    bills = ["A", "B"]
    assert [broken("mart_payment_behaviour", "2026-10-01", "acct_no", bill_no=bill) for bill in bills] == [True, False]


def with_two_marts(
    staged: Staged,
    pair: tuple[Shown, Shown],
    values: tuple[str | None, str | None],
    named: int | None = None,
    account: str = "A",
    month: str = "2026-11-05",
) -> None:
    """A row of account A and November 2026 in one mart, a row in the other; one of them may name its measure as partial."""
    for number, (shown, value) in enumerate(zip(pair, values, strict=True)):
        columns = {
            "account_no": "A" if number == 0 else account,
            shown.month: "2026-11-01" if number == 0 else month,
            shown.column: value,
            "partial_measures": [shown.column] if number == named else [],
        }
        relation = stand_in(staged, shown.model, with_facts=False)
        staged.connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                relation,
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(map(sql.Literal, columns.values())),
            )
        )


# What two marts show, and how many rows differ: a typed verdict for every rule of this kind.
TWO_MARTS = [
    ({"values": ("7", "7")}, 0),
    ({"values": ("7", "8")}, 1),
    ({"values": ("7", None)}, 1),
    ({"values": (None, "7")}, 1),
    ({"values": (None, None)}, 0),
    ({"values": ("7", "8"), "named": 0}, 0),
    ({"values": ("7", "8"), "named": 1}, 0),
    ({"values": ("7", "8"), "account": "B"}, 0),
    ({"values": ("7", "8"), "month": "2026-10-31"}, 0),
]


@pytest.mark.parametrize("name", COMPARED)
def test_two_marts_that_show_a_metric_differently_block(staged: Staged, name: str):
    (pair,) = COMPARED[name]
    for given, differing in TWO_MARTS:
        with staged.connection.transaction(force_rollback=True):
            with_two_marts(staged, pair, **given)
            found = staged.violations(MADE[f"MART-METRIC-{name}"])
            assert [row["severity"] for row in found] == ["block"] * differing, given


def test_every_mart_has_both_rules_and_only_what_waits_for_somebody_may_be_empty():
    marts = {path.stem for path in (Path(__file__).parents[2] / "dbt_project" / "models" / "marts").rglob("mart_*.sql")}
    assert marts <= set(MODELS)
    assert set(MADE) == {
        *(f"MART-GRAIN-{name}" for name in MODELS),
        *(f"MART-FILLED-{name}" for name in FILLED),
        *(f"MART-PARTIAL-{name}" for name in PARTIAL),
        *(f"MART-METRIC-{name}" for name in COMPARED),
    }
    assert len(PARTIAL) == 21
    # nothing withheld, nothing due, no month old enough to be held to what became of it
    assert set(MODELS) - set(FILLED) == {"fct_quarantined_rows", "star_manager_tasks", "star_churn_backtest"}
