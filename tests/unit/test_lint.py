"""`./kaw lint` without a database: each mistake is planted in a copy of what it concerns, and the whole message is expected."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from include.choices import choices, did_you_mean
from include.local.lint.contracts import check_contracts
from include.local.lint.headers import read_rules
from include.local.lint.names import check_names
from include.local.lint.problem import Problem
from include.local.lint.seeds import check_seeds
from include.local.lint.tools import check_dags, check_imports, check_python

ROOT = Path(__file__).resolve().parents[2]
RULE = "expectations/contract/CON-02_contract_dates_are_in_order.sql"


def copy(root: Path, *parts: str) -> Path:
    """The tree `root` with these files and folders of the project."""
    for part in parts:
        target = root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, target)
    return root


def change(path: Path, old: str, new: str) -> int:
    """Replaces the one place; the number of the line on which it was."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_tree_as_it_is_has_no_problem():
    rules, problems = read_rules(ROOT)
    assert len(rules) > 100
    assert problems == []
    assert check_contracts(ROOT) == []
    assert check_seeds(ROOT) == []


def test_every_rule_contract_and_seed_is_read(tmp_path: Path):
    """An empty tree has nothing to find fault with; that the real one was read shows in what it finds when emptied."""
    copy(tmp_path, "expectations", "dbt_project/seeds")
    rules = list((tmp_path / "expectations").rglob("*.sql"))
    seeds = list((tmp_path / "dbt_project/seeds").rglob("*.csv"))
    for path in [*rules, *seeds]:
        path.write_text("")
    assert {p.file for p in read_rules(tmp_path)[1]} == {str(path.relative_to(tmp_path)) for path in rules}
    assert {p.file for p in check_seeds(tmp_path)} == {str(path.relative_to(tmp_path)) for path in seeds}


# -- rule headers


def test_an_unknown_header_key(tmp_path: Path):
    copy(tmp_path, RULE)
    line = change(tmp_path / RULE, "severity: ", "severty: high\nseverity: ")
    (problem,) = read_rules(tmp_path)[1]
    assert (problem.file, problem.line) == (RULE, line)
    assert problem.what == "the header has the unknown key severty"
    assert problem.allowed.startswith("sentence, axis, dimension, severity, owner, reason, source, ")


def test_a_severity_that_is_none(tmp_path: Path):
    copy(tmp_path, RULE)
    change(tmp_path / RULE, "quarantines: con_contract\n", "")
    line = change(tmp_path / RULE, "severity: quarantine", "severity: fatal")
    (problem,) = read_rules(tmp_path)[1]
    assert str(problem) == (
        f"{RULE}:{line}: severity is 'fatal'; allowed: warn, quarantine, block; Next: fix it and repeat ./kaw lint"
    )


def test_a_source_that_nobody_can_follow(tmp_path: Path):
    copy(tmp_path, RULE)
    line = change(tmp_path / RULE, "source: project rule", "source: catalogue CON-02")
    (problem,) = read_rules(tmp_path)[1]
    assert (problem.file, problem.line) == (RULE, line)
    assert problem.what.startswith(
        "the source begins with none of: a standard of STANDARDS, project rule, requirement Snn"
    )


# -- contracts

CONTRACT = "include/contracts/contract.odcs.yaml"


def test_a_contract_with_an_unknown_type(tmp_path: Path):
    copy(tmp_path, "include/contracts")
    old = "      - name: kind\n        businessName: Kind of contract\n        logicalType: string\n        physicalType: text"
    line = change(tmp_path / CONTRACT, old, old.replace("physicalType: text", "physicalType: txt"))
    (problem,) = check_contracts(tmp_path)
    assert str(problem) == (
        f"{CONTRACT}:{line}: con_contract.kind has the unknown type txt; did you mean text?; allowed: text, numeric,"
        " timestamptz, date, integer, smallint, bigint, boolean, char, varchar, time; Next: fix it and repeat ./kaw lint"
    )


def test_a_contract_with_a_column_twice(tmp_path: Path):
    copy(tmp_path, "include/contracts")
    line = change(tmp_path / CONTRACT, "      - name: signer\n", "      - name: party_a\n")
    first = (tmp_path / CONTRACT).read_text(encoding="utf-8").split("- name: party_a\n")[0].count("\n") + 1
    (problem,) = check_contracts(tmp_path)
    assert (problem.file, problem.line) == (CONTRACT, line)
    assert problem.what == f"con_contract has the column party_a twice, first on line {first}"


def test_a_contract_whose_key_is_no_column(tmp_path: Path):
    copy(tmp_path, "include/contracts")
    line = change(tmp_path / CONTRACT, "value: [contract_no, version]", "value: [contract_no, revision]")
    (problem,) = check_contracts(tmp_path)
    assert (problem.line, problem.what) == (
        line - 1,
        "keyColumns of con_contract names revision, which is no column of it",
    )


# -- seeds

RATES = "dbt_project/seeds/accounts/penalty_rates.csv"


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "allowed"),
    [
        ("RESIDENT,0.001,", "RESIDENT,low,", 2, "penalty_rates.current_year_rate is 'low'", "a value of type numeric"),
        (
            "OTHER,",
            "RESIDENT,",
            4,
            "the key RESIDENT is a duplicate of line 2",
            "one row for each payer_class_code, valid_from",
        ),
        (
            "1996-10-08,2024-06-01,",
            "1996-10-08,1996-10-08,",
            2,
            "valid_from 1996-10-08 is not before valid_to 1996-10-08",
            "valid_to is",
        ),
        ("供电营业规则 (1996)", "", 2, "penalty_rates.source_doc is empty", "a value in every row"),
        ("least_cny", "lest_cny", 1, "the undeclared column lest_cny; did you mean least_cny?", "payer_class_code, "),
    ],
    ids=["wrong_type", "duplicate_key", "dates_out_of_order", "no_source", "undeclared_column"],
)
def test_a_wrong_row_of_a_seed(tmp_path: Path, old: str, new: str, line: int, what: str, allowed: str):
    copy(tmp_path, "dbt_project/seeds")
    change(tmp_path / RATES, old, new)
    problem = check_seeds(tmp_path)[0]
    assert (problem.file, problem.line) == (RATES, line)
    assert what in problem.what
    assert problem.allowed.startswith(allowed)


def test_a_seed_whose_validities_overlap(tmp_path: Path):
    copy(tmp_path, "dbt_project/seeds")
    path = tmp_path / RATES
    path.write_text(
        path.read_text(encoding="utf-8") + "OTHER,0.002,0.003,1,2025-06-01,,rules,again,M?,,\n", encoding="utf-8"
    )
    (problem,) = check_seeds(tmp_path)
    assert (problem.line, problem.what) == (6, "penalty_rates: the key OTHER is valid on the same days as on line 5")


# -- what other programs find


def test_a_dag_that_cannot_be_imported(tmp_path: Path):
    copy(tmp_path, "dags", "include")
    line = change(
        tmp_path / "dags/extract_contract.py", "from include.orchestration import", "from include.orchestra import"
    )
    (problem,) = check_dags(tmp_path)
    assert str(problem) == (
        f"dags/extract_contract.py:{line}: Airflow cannot read it: ModuleNotFoundError: No module named 'include.orchestra';"
        " Next: fix it and repeat ./kaw lint"
    )


def test_the_python_of_the_tree_has_no_problem():
    assert [str(problem) for problem in check_python(ROOT)] == []


def test_the_import_contracts_hold():
    assert [str(problem) for problem in check_imports(ROOT)] == []


def test_the_product_imports_the_laboratory(tmp_path: Path):
    copy(tmp_path, "include", "pyproject.toml")
    path = tmp_path / "include" / "report" / "worklists.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nimport include.lab.bench.speed\n", encoding="utf-8")
    line = path.read_text(encoding="utf-8").count("\n")
    product, circle = check_imports(tmp_path)
    assert circle.what == "include.report and include.lab import each other in a circle"
    assert str(product) == (
        f"include/report/worklists.py:{line}: include.report.worklists imports include.lab.bench.speed: the product imports neither this machine"
        " nor the laboratory; Next: hand in what it needs"
    )


def test_a_circle_of_modules(tmp_path: Path):
    copy(tmp_path, "include", "pyproject.toml")
    path = tmp_path / "include" / "errors.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nimport include.settings\n", encoding="utf-8")
    problems = list(check_imports(tmp_path))
    assert [p.what for p in problems] == ["include.settings and include.errors import each other in a circle"]


def test_what_ruff_finds(tmp_path: Path):
    copy(tmp_path, "pyproject.toml", "include/errors.py", "include/records/fence.py")
    change(
        tmp_path / "include/errors.py",
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\nimport os\n",
    )
    with (tmp_path / "include/records/fence.py").open("a") as file:
        file.write("SPACED  =  1\n")
    problems = sorted(check_python(tmp_path))
    assert [str(p) for p in problems] == [
        "include/errors.py:8: F401 `os` imported but unused; Next: fix it, or run ruff check",
        "include/records/fence.py:18: unformatted File would be reformatted; Next: fix it, or run ruff format",
    ]


# -- imports that lead nowhere


def test_every_imported_name_is_there():
    assert [str(problem) for problem in check_names(ROOT)] == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("from include.transform.dbt import dbt as transform", "include.transform.dbt has no dbt"),
        (
            "from include.transforms import dbt",
            "there is no module include.transforms; did you mean include.transform?",
        ),
        (
            "import include.transform.dbts",
            "there is no module include.transform.dbts; did you mean include.transform.dbt?",
        ),
        ("def later():\n    from tests import nights, night", "tests has no night; did you mean nights?"),
        ("from include.transform.dbt import target", "include.transform.dbt has no target"),  # a name inside a function
    ],
)
def test_an_import_that_leads_nowhere(tmp_path: Path, line: str, what: str):
    copy(tmp_path, "include/transform", "tests/nights.py")
    (tmp_path / "include/transform/dbt.py").write_text(
        "import os\n\ntry:\n    here = os.curdir\nexcept OSError:\n    here, there = '', ''\n\n\ndef run_dbt():\n    target = 1\n    return target\n"
    )
    path = tmp_path / "tests" / "test_it.py"
    path.write_text(f"import pytest\nfrom include.transform.dbt import here, os, run_dbt, there\n{line}\n")
    problems = [problem for problem in check_names(tmp_path) if problem.file == "tests/test_it.py"]
    assert [(p.line, p.what.split(";")[0]) for p in problems] == [(2 + line.count("\n") + 1, what.split(";")[0])]
    assert problems[0].what.startswith(what)


# -- messages


def test_a_long_list_is_cut_to_what_is_most_like_the_wrong_name():
    known = [f"column_{n:02}" for n in range(40)] + ["billed_kwh"]
    assert choices("biled_kwh", known) == "billed_kwh, ... (41 in all)"
    assert did_you_mean("biled_kwh", known) == "; did you mean billed_kwh?"
    assert choices("x", ["a", "b"]) == "a, b"
    assert did_you_mean("x", ["alpha", "beta"]) == ""


def test_a_problem_is_one_line():
    assert str(Problem("a.sql", 3, "it is wrong", "right")) == (
        "a.sql:3: it is wrong; allowed: right; Next: fix it and repeat ./kaw lint"
    )
