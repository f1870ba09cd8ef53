"""A profile says what is delivered and what is left out; rules that rest on what is left out are not delivered, the others are as ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.contracts import all_tables
from include.errors import UsageError
from include.landing.mapping import parsed
from include.profiles import is_source_left_out, left_out, parameter_variables, profile, refuse_what_was_delivered
from include.quality.base_rules import load_base_rules
from include.quality.left_out import not_delivered
from include.quality.rules import load_rules
from include.transform.dbt import project_arguments
from include.transform.models import published_models


@pytest.fixture
def write(tmp_path, monkeypatch):
    def write(text: str) -> Path:
        (tmp_path / "profile.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("KAW_PROFILE", str(tmp_path))
        return tmp_path

    return write


def test_without_a_profile_nothing_is_left_out():
    assert (left_out(), profile().delivered) == ({}, {})
    assert profile().lasts_days(all_tables()["mkt_bill"]) == 1


def test_the_rest_is_left_out_for_one_reason(write):
    write(
        "delivered: {met_interval_96: once, mkt_bill: monthly}\nleft_out: {mkt_payment: cash system}\nothers_left_out: later\n"
    )
    left = left_out()
    assert len(left) == 50
    assert (left["mkt_payment"], left["con_contract"]) == ("cash system", "later")
    assert "mkt_bill" not in left
    assert is_source_left_out("contract")
    assert not is_source_left_out("marketing")
    assert [profile().lasts_days(all_tables()[name]) for name in ("met_interval_96", "mkt_bill", "met_it")] == [
        None,
        35,
        1,
    ]


def test_company_and_province_are_dbts_variables_where_the_profile_says_them(write):
    write("company: CSG\nprovince: '44'\n")
    assert parameter_variables() == {"company_code": "CSG", "province_code": "44"}
    arguments = project_arguments(Path("project"), Path("target"))
    assert json.loads(arguments[arguments.index("--vars") + 1])["company_code"] == "CSG"
    write("name: somebody")
    assert parameter_variables() == {}


def test_a_table_that_was_delivered_is_left_out_only_where_somebody_approved_it(write):
    write("left_out: {mkt_bill: sold, mkt_payment: {reason: sold, approver: Head of billing}}")
    refuse_what_was_delivered(["mkt_customer", "mkt_payment"])
    assert left_out()["mkt_payment"] == "sold (approved by Head of billing)"
    with pytest.raises(UsageError, match="mkt_bill was delivered before, and the profile leaves it out"):
        refuse_what_was_delivered(["mkt_bill"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("delivered: {mkt_bills: daily}", "mkt_bills, which is no table of the contracts"),
        ("delivered: {mkt_bill: weekly}", "mkt_bill: weekly; allowed are daily, monthly, once"),
        ("delivered: {mkt_bill: daily}\nleft_out: {mkt_bill: x}", "mkt_bill is in delivered and in left_out"),
        ("left_out: {mkt_bill: }", "mkt_bill says no reason"),
        ("tables: {}", "unknown key tables; known are"),
        ("addresses: {billing: /x}", "addresses names billing"),
        ("a: [", "is no YAML"),
        ("company: State Grid", "company is 'State Grid'; allowed is capitals as in the seeds, such as SGCC or CSG"),
        ("province: 31", "province is 31; allowed is the two digits of GB/T 2260 in quotes"),
        ("province: '031'", "province is '031'"),
    ],
)
def test_what_a_profile_says_wrongly_is_told_with_its_file(write, text, told):
    folder = write(text)
    with pytest.raises(UsageError) as error:
        profile()
    assert told in str(error.value)
    assert str(folder / "profile.yaml") in str(error.value)


def test_a_bad_directive_of_a_stamp_is_told_with_its_file_and_key():
    text = "tables: {met_interval_96: {files: x.csv, intervals: {stamp: {column: t, format: '%d-%Q'}}}}"
    with pytest.raises(UsageError) as error:
        parsed("metering", text, "/utility/sources/metering.yaml")
    assert "met_interval_96.intervals.stamp.format is '%d-%Q'" in str(error.value)
    assert "/utility/sources/metering.yaml" in str(error.value)


def book(left: dict) -> dict:
    return {rule.id: rule for rule in (*load_base_rules(left), *load_rules())}


def test_with_nothing_left_out_every_rule_is_as_ever():
    assert book({}) == book(())
    assert not any(not_delivered(rule, {}) for rule in book({}).values())


def test_with_curves_alone_the_rules_on_curves_are_tested_and_no_arrival_but_theirs():
    left = dict.fromkeys((name for name in all_tables() if name != "met_interval_96"), "later")
    tested = {rule_id for rule_id, rule in book(left).items() if not not_delivered(rule, left)}
    assert {"ARR-met_interval_96", "MET-01", "MET-02", "BASE-met_interval_96-REQUIRED", "PIP-03"} <= tested
    assert {rule_id for rule_id in tested if rule_id.startswith("ARR-")} == {"ARR-met_interval_96"}
    assert "BASE-met_interval_96-REFERENCE" not in tested
    assert "XSR-01" not in tested


def test_a_reference_to_a_left_out_table_is_not_followed_and_the_others_are():
    left = {"mkt_account": "the cash system"}
    rule = book(left)["BASE-mkt_bill-REFERENCE"]
    assert not_delivered(rule, left) == ()
    assert "mkt_account" not in rule.tested_sql
    assert "mkt_customer" in rule.tested_sql
    assert "mkt_account" in book({})["BASE-mkt_bill-REFERENCE"].tested_sql


@pytest.mark.parametrize("name", ["met_interval_96", "met_measuring_point", "mkt_customer", "mkt_bill", "con_contract"])
def test_leaving_one_table_out_switches_off_no_rule_on_the_rows_of_another(name):
    left = {name: "later"}
    switched_off = {
        rule_id: rule
        for rule_id, rule in book(left).items()
        if not_delivered(rule, left) and rule.path.startswith("include/contracts/")
    }
    assert f"ARR-{name}" in switched_off
    others = {rule_id for rule_id, rule in switched_off.items() if rule.table_name != name}
    assert all(rule_id.startswith("REF-") or rule_id.endswith("-REFERENCE") for rule_id in others), others


def test_a_column_that_counts_a_table_is_of_a_mart_that_lists_what_it_lacks():
    """What shows the newest state alone lists nothing; theirs are empty alone. `counts` is read by the macro state_what_is_not_delivered."""
    counting = {
        (model.published_name, column): meta["counts"]
        for model in published_models().values()
        for column, meta in model.column_meta.items()
        if "counts" in meta
    }
    assert {table for tables in counting.values() for table in tables} <= all_tables().keys()
    marts = {model.published_name: model for model in published_models().values()}
    silent = {name for name, _ in counting if "partial_measures" not in marts[name].columns}
    assert silent == {"dim_customers", "dim_managers", "fct_customer_credit"}
    assert counting["mart_high_reliability_plan", "source_cnt_independent"] == ["met_feeder"]
