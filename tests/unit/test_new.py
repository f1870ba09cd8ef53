"""`./kaw new` writes files that the readers of rules, contracts and models take, and lists every line that a person has to fill in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from include.contracts.differences import read_contract
from include.errors import UsageError
from include.local.new import MARK, lines, new_mart, new_rule, new_source_table
from include.quality.rules import read_rule
from include.settings import ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A working tree of this test alone, as far as it is read or grows."""
    for folder in ("dbt_project/models", "dbt_project/metrics", "expectations/contract"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "include/contracts").mkdir(parents=True)
    shutil.copy(ROOT / "include/contracts/contract.odcs.yaml", tmp_path / "include/contracts")
    return tmp_path


def test_a_new_rule_is_read_and_finds_nothing_yet(tree: Path):
    made = new_rule("CON-90", "contract_is_not_signed_in_the_future", "con_contract", tree)
    rule = read_rule(made.files[0], tree / "expectations")
    assert (rule.id, rule.area, rule.subjects, rule.severity) == ("CON-90", "contract", ("con_contract",), "warn")
    assert "_load_id as observed_value" in rule.tested_sql
    assert rule.violations_sql.rstrip().endswith("where observed_value is null -- FILL IN what is wrong")
    (case,) = yaml.safe_load(made.files[1].read_text(encoding="utf-8"))
    assert case["given"] == [{"change": "con_contract", "set": {"contract_no": MARK}}]
    told = lines(made)
    assert len([line for line in told if MARK in line]) == sum(p.read_text().count(MARK) for p in made.files) == 9
    assert told[-1] == "Next: ./kaw lint, now and after each edit"


def test_a_rule_over_rows_without_an_account_asks_for_none(tree: Path):
    made = new_rule("CON-90", "an_amendment_is_numbered", "con_amendment", tree)
    assert "account_no" not in read_rule(made.files[0], tree / "expectations").tested_sql


def test_a_new_mart_has_a_description_a_measure_and_a_unit_test(tree: Path):
    made = new_mart("open_tickets", "service", "fct_tickets", "accepted_date", "tickets", tree)
    models, metrics, tests = (
        yaml.safe_load((tree / path).read_text(encoding="utf-8"))
        for path in (
            "dbt_project/models/marts/service/_service__models.yml",
            "dbt_project/metrics/service.yml",
            "dbt_project/models/marts/service/_service__unit_tests.yml",
        )
    )
    entry = models["models"][-1]
    assert entry["name"] == "mart_open_tickets"
    assert entry["config"]["meta"]["filled_from"] == ["fct_tickets"]
    assert metrics["metrics"][-1]["column"] == entry["columns"][1]["name"] == "open_tickets_count"
    assert tests["unit_tests"][-1]["expect"]["rows"] == [
        {
            "month_start_date": tests["unit_tests"][-1]["given"][0]["rows"][0]["month_start_date"],
            "open_tickets_count": 1,
        }
    ]
    assert "ref('fct_tickets')" in made.files[0].read_text()


def test_a_new_source_table_is_of_the_contract_and_staged(tree: Path):
    new_source_table("contract", "con_deposit", "Deposits", "保证金", "deposits", tree)
    table = read_contract(tree / "include/contracts/contract.odcs.yaml")[1]["con_deposit"]
    assert (table.key, table.name_zh, table.is_daily) == (("deposit_no",), "保证金", False)
    folder = tree / "dbt_project/models/staging/contract"
    sources = yaml.safe_load((folder / "_contract__sources.yml").read_text(encoding="utf-8"))
    staged = yaml.safe_load((folder / "_contract__models.yml").read_text(encoding="utf-8"))
    assert sources["sources"][0]["tables"][-1]["description"] == table.description
    assert staged["models"][-1]["config"]["meta"]["stages"] == "con_deposit"
    assert "newest_landed('contract', 'con_deposit')" in (folder / "stg_contract__deposits.sql").read_text()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda tree: new_rule("CON-08", "x", "con_contract", tree), "take the next number, CON-2"),
        (lambda tree: new_rule("ABC-1", "x", "con_contract", tree), "give one like CON-18"),
        (lambda tree: new_rule("CON-90", "x", "con_kontract", tree), "con_contract"),
        (lambda tree: new_rule("CON-90", "What holds", "con_contract", tree), "small letters"),
        (
            lambda tree: new_mart("ticket_sla", "service", "fct_tickets", "accepted_date", "tickets", tree),
            "another name",
        ),
        (lambda tree: new_mart("new", "money", "fct_tickets", "accepted_date", "tickets", tree), "accounts, energy"),
        (lambda tree: new_mart("new", "service", "fct_tickets", "day", "tickets", tree), "accepted_date"),
        (lambda tree: new_mart("new", "service", "fct_tickets", "accepted_date", "none", tree), "tickets"),
        (lambda tree: new_source_table("contract", "con_contract", "A", "甲", "as", tree), "edit its entry"),
    ],
)
def test_a_wrong_word_is_told_with_what_is_allowed(tree: Path, make, told: str):
    before = sorted(tree.rglob("*"))
    with pytest.raises(UsageError) as error:
        make(tree)
    assert told in str(error.value)
    assert sorted(tree.rglob("*")) == before
