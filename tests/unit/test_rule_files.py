"""A rule file that cannot be used is refused with a message that names the file and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.quality.base_rules import load_base_rules
from include.quality.evaluate import bind
from include.quality.rules import EXPECTATIONS, RuleError, load_rules
from include.transform.models import staging_relation

GOOD = """/*
sentence: A register is never negative.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: It was never on the meter.
source: catalogue
subject: met_register_freeze
population: register readings
reads: [stg_metering__register_freezes]
*/
-- tested
select 1 as raw_id
-- violations
select raw_id from tested
"""


def folder_with(
    tmp_path: Path, text: str, name: str = "MET-99_register_is_positive.sql", area: str = "metering"
) -> Path:
    (tmp_path / area).mkdir(exist_ok=True)
    (tmp_path / area / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_good_file_becomes_a_rule(tmp_path: Path):
    (rule,) = load_rules(folder_with(tmp_path, GOOD))
    assert (rule.id, rule.area, rule.gate, rule.severity) == ("MET-99", "metering", 1, "quarantine")
    assert (rule.subjects, rule.source_name, rule.quarantines) == (("met_register_freeze",), "metering", True)
    assert rule.tested_sql == "select 1 as raw_id"


def test_a_file_that_changes_is_read_again_and_one_that_does_not_is_remembered(tmp_path):
    (first,) = load_rules(folder_with(tmp_path, GOOD))
    (again,) = load_rules(tmp_path)
    assert again is first
    (path,) = tmp_path.glob("*/*.sql")
    path.write_text(GOOD.replace("owner: metering office", "owner: marketing office"))
    (changed,) = load_rules(tmp_path)
    assert (first.owner, changed.owner) == ("metering office", "marketing office")


def test_a_rule_is_rendered_with_the_macros_of_the_models(tmp_path: Path):
    called = GOOD.replace("select 1 as", "select {{ line_voltage('a', ratio('b', 'c')) }} as")
    (rule,) = load_rules(folder_with(tmp_path, called))
    divided = "((b)::numeric / nullif(c, 0))"
    assert rule.tested_sql == f"select sqrt(a * a + {divided} * {divided} + a * {divided}) as raw_id"


def test_a_threshold_is_a_placeholder_of_its_name(tmp_path: Path):
    text = GOOD.replace("select 1 as", "select a::text, ':slots', :slots::integer - :business_date as")
    (rule,) = load_rules(folder_with(tmp_path, text.replace("population:", "parameters: [MET-02.slots]\npopulation:")))
    assert rule.tested_sql == (
        "select a::text, ':slots', quality.parameter('MET-02', 'slots', :business_date)::integer - :business_date as raw_id"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("owner: metering office\n", "", "lacks owner"),
        ("owner:", "keeper:", "lacks owner"),
        ("reason:", "colour: red\nreason:", "unknown key colour"),
        ("axis: mismatch", "axis: wrong", "axis is 'wrong'; it is one of missing, mismatch, arbitrary, late"),
        ("dimension: validity", "dimension: beauty", "dimension is 'beauty'"),
        ("severity: quarantine", "severity: fatal", "severity is 'fatal'"),
        ("subject: met_register_freeze", "subject: met_registers", "no table of the contracts"),
        ("subject: met_register_freeze", "subject: met_register_freeze\nquarantines: met_it", "quarantines is met_it"),
        ("subject: met_register_freeze", "subject: month\nquarantines: met_it", "only a rule of severity quarantine"),
        ("subject: met_register_freeze", "subject: met_register_freeze\nimplies: MET-12", "implies is a list"),
        (
            "subject: met_register_freeze",
            "subject: met_register_freeze\nid: MET-98",
            "says id MET-98, the file name MET-99",
        ),
        ("subject: met_register_freeze", "subject: met_register_freeze\ngate: 3", "gate is 3"),
        ("source: catalogue", "source: a: b: c", "not YAML"),
        ("-- violations\n", "", "`-- tested` and `-- violations` stand once each"),
        ("select raw_id from tested", "select 1 as raw_id", "not selected from `tested`"),
        ("select raw_id from tested", "", "no query under `-- violations`"),
        ("/*", "", "no header"),
        ("population: register readings\n", "", "lacks population"),
        ("reads: [stg_metering__register_freezes]\n", "", "lacks reads"),
        ("population:", "tests: all\npopulation:", "tests is 'all'; it is one of everything, window, touched rows"),
        ("population:", "touched_by: [met_it]\npopulation:", "this one tests everything"),
        ("population:", "tests: touched rows\ntouched_by: [met_its]\npopulation:", "touched_by names met_its"),
        (
            "subject: met_register_freeze\n",
            "subject: day\nabout: met_register_freeze\ntests: touched points\n",
            "touched_by is missing",
        ),
        ("[stg_metering__register_freezes]", "stg_metering__register_freezes", "reads is a list of names"),
        ("[stg_metering__register_freezes]", "[met_register_freeze]", "reads names met_register_freeze, which is no"),
        ("[stg_metering__register_freezes]", "[quality.receipts, quality.receipts]", "names quality.receipts twice"),
        ("population:", "compares: [met_it.ratio_primary]\npopulation:", "a side is system.table.column"),
        ("population:", "compares: [contract.met_it.kind]\npopulation:", "a side is system.table.column"),
        ("population:", "compares: [metering.met_it.ratio]\npopulation:", "met_it has the columns it_asset_no, phase"),
        ("population:", "parameters: [share]\npopulation:", "the seed quality_parameters has of MET-99: none"),
        ("population:", "parameters: [MET-26.shares]\npopulation:", "the seed quality_parameters has of MET-26: share"),
        (
            "select 1 as",
            "select :share as",
            "a query has :share, which parameters does not name; known are :business_date",
        ),
        ("is never negative.", "is never below {share}.", "the sentence shows {share}, which parameters does not name"),
        ("is never negative.", "is never below {share.", "a brace too many or too few"),
        (
            "register is never negative.",
            "share is {MET-26.share:roman}.\nparameters: [MET-26.share]",
            "after the colon stands one of words, times",
        ),
        ("select 1 as", "select {{ ratios(1, 2) }} as", "'ratios' is undefined"),
        ("select 1 as", "select {{ parameter('common', 'share') }} as", "'ref' is undefined"),
        ("select 1 as", "select {{ ratio(1, 2, 3) }} as", "macro 'ratio' takes not more than 2 argument(s)"),
        ("select 1 as", "select {{ ratio(1, 2) as", "expected token"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, before: str, after: str, said: str):
    assert before in GOOD
    with pytest.raises(RuleError) as refused:
        load_rules(folder_with(tmp_path, GOOD.replace(before, after, 1)))
    assert "MET-99_register_is_positive.sql" in str(refused.value)
    assert said in str(refused.value)


def test_two_files_of_one_id_are_refused(tmp_path: Path):
    folder_with(tmp_path, GOOD)
    with pytest.raises(RuleError, match="MET-99 is already used by"):
        load_rules(folder_with(tmp_path, GOOD, name="MET-99_once_more.sql"))


def test_a_file_name_without_an_id_is_refused(tmp_path: Path):
    with pytest.raises(RuleError, match="is named <ID>_<what_holds>"):
        load_rules(folder_with(tmp_path, GOOD, name="register.sql"))


def test_a_folder_that_is_no_area_is_refused(tmp_path: Path):
    with pytest.raises(RuleError, match="the folder weather is none of"):
        load_rules(folder_with(tmp_path, GOOD, area="weather"))


def test_every_file_of_the_rule_book_is_read():
    files = list(EXPECTATIONS.rglob("*.sql"))
    assert len(files) > 100
    assert len(load_rules()) == len(files)


def test_ids_of_files_and_of_base_rules_do_not_meet():
    base, book = {r.id for r in load_base_rules()}, {r.id for r in load_rules()}
    assert not base & book
    assert len(base) == len(load_base_rules())


def test_implied_rules_exist():
    known = {r.id for r in [*load_base_rules(), *load_rules()]}
    assert {i for r in load_rules() for i in r.implies} <= known


def test_the_catalogue_carries_the_checks_that_contracts_imply():
    base = {r.id: r for r in load_base_rules()}
    assert "mkt_customer" in base["MKT-13"].subjects
    assert not {"BASE-met_interval_96-KEY", "BASE-mkt_customer-KEY", "BASE-con_contract-KEY"} & set(base)
    assert "BASE-mkt_bill-KEY" in base
    assert not any("ALLOWED" in rule_id and "-mkt_" in rule_id for rule_id in base)


def test_every_table_is_staged_and_has_an_arrival_rule():
    from include.contracts import all_tables

    arrivals = {r.id for r in load_base_rules() if r.id.startswith("ARR-")}
    assert arrivals == {f"ARR-{name}" for name in all_tables()}
    assert len({staging_relation(name) for name in all_tables()}) == len(all_tables())


def test_parameters_are_bound_and_casts_are_left():
    assert bind("select :business_date::date, x::text, 'a%' from y where r = :run_id") == (
        "select %(business_date)s::date, x::text, 'a%%' from y where r = %(run_id)s"
    )
