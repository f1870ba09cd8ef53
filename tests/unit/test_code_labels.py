"""The labels of codes, held to the contracts: what a source may deliver has a label, and no label names a code twice."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from include.contracts import all_tables
from include.transform.models import published_models

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "star"
# Columns whose names come from a dimension of their own, and which dim_codes takes over from there.
NAMED_BY_A_DIMENSION = {"industry_code", "section_code", "tariff_code", "document_code", "fee_item_code"}
NO_LIST = {"credit_code"}  # the number of a company
NO_CODE_BY_NAME = {"churn_driver_1", "churn_driver_2", "churn_driver_3"}  # codes of factors all the same


def labels() -> list[dict[str, str]]:
    with (SEEDS / "code_labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_code_column_of_a_published_table_has_labels():
    published = {c for model in published_models().values() for c in model.columns}
    columns = {c for c in published if c.endswith("_code")} | NO_CODE_BY_NAME
    named = {row["column_name"] for row in labels()}
    assert len(columns) > 70
    assert columns - named == NAMED_BY_A_DIMENSION | NO_LIST
    assert named <= columns <= published


def test_a_list_that_a_contract_states_is_labelled_whole():
    """The clause of a label names the contract's column that its list comes from."""
    listed = defaultdict(set)
    for row in labels():
        if row["source_doc"] == "source contract":
            listed[row["column_name"], row["clause"]].add(row["code"])
    assert len({clause for _, clause in listed}) > 30
    codes_of = defaultdict(set)
    for row in labels():
        codes_of[row["column_name"]].add(row["code"])
    for column, clause in listed:
        table, name = clause.split(".")
        (allowed,) = [set(c.allowed) for c in all_tables()[table].columns if c.name == name]
        assert allowed <= codes_of[column], (column, clause)
        assert listed[column, clause] <= allowed, (column, clause)


def test_a_label_is_filled_in_both_languages_and_stated_once():
    rows = labels()
    assert len(rows) > 400
    assert [row for row in rows if not row["name_en"] or not row["name_zh"]] == []
    keys = [(row["column_name"], row["code"], row["valid_from"]) for row in rows]
    assert len(keys) == len(set(keys))
    # Chinese where it is no number, no rate and no class of voltage
    assert [
        row
        for row in rows
        if not any("一" <= c <= "鿿" for c in row["name_zh"]) and row["column_name"] != "power_factor_standard_code"
    ] == []
