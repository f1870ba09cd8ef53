"""`./kaw lint` over SQL: rules and models against the empty warehouse. Each mistake is planted, and the whole message expected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
import yaml

from include.local.lint.empty import empty_warehouse
from include.local.lint.headers import read_rules
from include.local.lint.models import compile_models, make_models
from include.local.lint.rule_queries import check_queries
from include.quality.base_rules import load_base_rules
from include.records.database import connect
from include.transform.models import published_models

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 22)
RULE = "expectations/contract/CON-02_contract_dates_are_in_order.sql"
MODEL = "dbt_project/models/staging/contract/stg_contract__amendments.sql"
AGAIN = "Next: fix it and repeat ./kaw lint"

RIGHT = """-- tested
with contracts as (
    select _raw_id, account_no, valid_from, valid_to
    from staging.stg_contract__contracts
)

select contracts._raw_id as raw_id, contracts.valid_from, contracts.valid_to, 1 as copies
from contracts
-- violations
select raw_id, 'valid_to' as column_name, valid_to::text as observed, 'later' as expected
from tested
where valid_to < valid_from
"""


@pytest.fixture(scope="module")
def empty(server, session_home: Path) -> Iterator[tuple[psycopg.Connection, list]]:
    """A connection to the empty warehouse of the tree as it is, and the problems of its models; made once a session."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KAW_HOME", str(session_home))
        with empty_warehouse(server, ROOT) as (url, problems):
            pass
    with connect(url) as connection:
        yield connection, problems


def test_the_models_and_rules_of_the_tree_have_no_problem(empty):
    connection, problems = empty
    assert problems == []
    relations = connection.execute(
        "select count(*) from pg_class where relkind = 'r' and relnamespace::regnamespace::text"
        " in ('staging', 'warehouse', 'candidate')"
    ).fetchone()[0]
    connection.rollback()
    assert relations > len(list((ROOT / "dbt_project/models").rglob("*.sql")))
    rules = [*read_rules(ROOT)[0], *load_base_rules()]
    assert len(rules) > 300
    assert check_queries(connection, ROOT, rules, DAY) == []


def test_the_empty_warehouse_is_kept_while_nothing_changed(empty, server, session_home: Path, monkeypatch):
    def unwanted(*_: object) -> None:
        raise AssertionError("it is built anew")

    monkeypatch.setattr("include.local.lint.empty.compile_models", unwanted)
    monkeypatch.setenv("KAW_HOME", str(session_home))
    with empty_warehouse(server, ROOT) as (_, problems):
        assert problems == []
    monkeypatch.setattr("include.local.lint.empty.checksum", lambda _: "of another tree")
    monkeypatch.setattr("include.local.lint.empty.DATABASE", "lint_of_another_tree")
    with pytest.raises(AssertionError, match="built anew"), empty_warehouse(server, ROOT):
        pass


RULE_MISTAKES = [
    # mistaken text, what it becomes, line from the marker `-- tested`, message
    (
        "contracts.valid_to,",
        "contracts.valid_too,",
        6,
        "column contracts.valid_too does not exist; did you mean valid_to?; allowed: _raw_id, account_no, valid_from, valid_to",
    ),
    (
        "select _raw_id, account_no",
        "select _raw_id, acount_no",
        2,
        'column "acount_no" does not exist; did you mean account_no?; allowed: account_no, ',
    ),
    (
        "staging.stg_contract__contracts",
        "staging.stg_contract__contract",
        3,
        'relation "staging.stg_contract__contract" does not exist; did you mean staging.stg_contract__contracts?;'
        " allowed: staging.stg_contract__contracts, ",
    ),
    (
        "where valid_to < valid_from",
        "where valid_to < copies",
        11,
        "operator does not exist: date < integer; allowed: ",
    ),
    (
        "1 as copies",
        "quality.parameter('MET-02', 'slotts', :business_date) as copies",
        6,
        "the seed quality_parameters has no slotts of MET-02 on 2026-11-22; did you mean slots?;"
        " allowed: quarantine_below_slots, slots",
    ),
    ("'later' as expected", "'later' as expects", 0, "the violations have unknown columns expects"),
    ("select raw_id, 'valid_to'", "select 'valid_to'", 0, "the query `violations` lacks raw_id"),
]


@pytest.mark.parametrize(
    ("old", "new", "after", "message"),
    RULE_MISTAKES,
    ids=["column_of_a_step", "column_of_a_relation", "relation", "type", "parameter", "output_column", "no_key"],
)
def test_a_mistake_in_a_rule(empty, tmp_path: Path, old: str, new: str, after: int, message: str):
    connection, _ = empty
    header = (ROOT / RULE).read_text(encoding="utf-8").partition("*/\n")[0] + "*/\n"
    assert RIGHT.count(old) == 1
    path = tmp_path / RULE
    path.parent.mkdir(parents=True)

    path.write_text(header + RIGHT, encoding="utf-8")
    assert check_queries(connection, tmp_path, read_rules(tmp_path)[0], DAY) == []

    path.write_text(header + RIGHT.replace(old, new), encoding="utf-8")
    (problem,) = check_queries(connection, tmp_path, read_rules(tmp_path)[0], DAY)
    line = header.count("\n") + 1 + after if after else 1
    assert str(problem).startswith(f"{RULE}:{line}: {message}")
    assert str(problem).endswith(AGAIN)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch) -> Path:
    """A dbt project of one staging model, which dbt reads in a second."""
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    project = ROOT / "dbt_project"
    target = tmp_path / "tree" / "dbt_project"
    shutil.copytree(project / "macros", target / "macros")
    (tmp_path / "tree" / MODEL).parent.mkdir(parents=True)
    for path in (
        project / "dbt_project.yml",
        project / "profiles.yml",
        project / "models" / "_quality__sources.yml",
        *(ROOT / MODEL).parent.glob("_*__sources.yml"),
        ROOT / MODEL,
    ):
        shutil.copy(path, target / path.relative_to(project))
    return tmp_path / "tree"


def model_problems(url: str, root: Path) -> list[str]:
    compiled, problems = compile_models(url, root)
    with connect(url) as connection:
        return [str(problem) for problem in problems + make_models(connection, compiled)]


def test_a_macro_that_is_none(tree: Path, database: str):
    text = (tree / MODEL).read_text(encoding="utf-8")
    line = text[: text.index("newest_landed(")].count("\n") + 1
    (tree / MODEL).write_text(text.replace("newest_landed(", "newest_landet("), encoding="utf-8")
    (message,) = model_problems(database, tree)
    assert message.startswith(
        f"{MODEL}:{line}: newest_landet is neither a macro nor a variable; did you mean newest_landed?; allowed: newest_landed, "
    )


def test_a_jinja_tag_that_is_not_closed(tree: Path, database: str):
    path = tree / MODEL
    path.write_text(path.read_text(encoding="utf-8") + "{% if true %}\n", encoding="utf-8")
    (message,) = model_problems(database, tree)
    assert message.startswith(f"{MODEL}:")
    assert "Unexpected end of template" in message


def test_an_unknown_column_in_a_model(tree: Path, database: str):
    assert model_problems(database, tree) == []
    path = tree / MODEL
    text = path.read_text(encoding="utf-8")
    line = text[: text.index("trim(app_no)")].count("\n") + 1
    path.write_text(text.replace("trim(app_no)", "trim(ap_no)"), encoding="utf-8")
    with connect(database) as connection:
        connection.execute("drop table staging.stg_contract__amendments")
    (message,) = model_problems(database, tree)
    assert message.startswith(f'{MODEL}:{line}: column "ap_no" does not exist; did you mean app_no?; allowed: ')


def test_a_model_that_is_not_as_declared(tree: Path, database: str):
    (tree / MODEL).with_name("_models.yml").write_text(
        """
models:
  - name: stg_contract__amendments
    config: {contract: {enforced: true}}
    columns:
      - {name: amendment_no, data_type: date}
""",
        encoding="utf-8",
    )
    messages = model_problems(database, tree)
    assert len(messages) == 12  # eleven columns that are not declared, and a type
    assert f"{MODEL}:8: stg_contract__amendments.amendment_no is text, but declared as date" in messages[-1]


def test_a_model_that_is_built_by_what_it_has_not(tree: Path, database: str):
    path = tree / MODEL
    touched_by = "{'unit': 'point_no', 'day': 'signed_on', 'reaches': 1}"
    told = "{{ config(meta={'touched_by': " + touched_by + ", 'changed_days': ['signed_at', 'null']}) }}\n"
    path.write_text(told + path.read_text(encoding="utf-8"), encoding="utf-8")
    messages = model_problems(database, tree)
    assert [message.partition(": ")[2].partition(";")[0] for message in messages] == [
        "reaches is no key of touched_by",
        "point_no is no unit of which changes are known",
        "stg_contract__amendments has no column point_no",
        "stg_contract__amendments has no column signed_on",
        'changed_days: column "signed_at" does not exist',
    ]
    assert all(message.startswith(f"{MODEL}:1: ") for message in messages)


# -- what models say of their columns


def test_the_columns_of_a_model_are_described_all_of_them_or_none(empty):
    """All of them: what is published, the steps that rules share, and each model that describes any."""
    connection, _ = empty
    described: dict[str, list[str]] = {}
    for path in (ROOT / "dbt_project/models").rglob("_*__models.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            columns = model.get("columns") or []
            described[model["name"]] = [c["name"] for c in columns if c.get("description")]
    read_by_rules = {name for rule in read_rules(ROOT)[0] for name in rule.reads if name.startswith("int_")}
    shared = {path.stem for path in (ROOT / "dbt_project/models/intermediate").rglob("*.sql")}
    wanted = {*published_models(), *read_by_rules, *shared, *(name for name, columns in described.items() if columns)}
    made = dict(
        connection.execute(
            "select attrelid::regclass::text, array_agg(attname::text order by attnum) from pg_attribute"
            " where attrelid in (select oid from pg_class where relnamespace::regnamespace::text"
            " in ('staging', 'warehouse', 'candidate')) and attnum > 0 and not attisdropped group by attrelid"
        ).fetchall()
    )
    connection.rollback()
    made = {relation.rpartition(".")[2]: columns for relation, columns in made.items()}
    assert len(wanted) > 90
    assert {
        name: sorted({*made[name]} ^ {*described.get(name, [])})
        for name in wanted
        if sorted(made[name]) != sorted(described.get(name, []))
    } == {}
