"""A sentence shows the thresholds of the day that is judged, as a reader writes them."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from include.quality import findings, parameters
from include.quality.declared import filled
from include.quality.parameters import Parameter, shown
from include.quality.rules import load_rules
from include.report import verdict
from tests.rules.staged import Staged

DAY = date(2026, 11, 23)
BOOK = {rule.id: rule for rule in load_rules()}
SEED = "rule_id,name,value,unit,valid_from,valid_to,source_doc,clause,confidence\n"


@pytest.fixture
def seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A seed of its own, which a test fills."""
    path = tmp_path / "quality_parameters.csv"
    monkeypatch.setattr(parameters.seeds, "text", lambda _: path.read_text(encoding="utf-8"))
    return path


@pytest.mark.parametrize(
    ("value", "unit", "form", "text"),
    [
        ("0.40", "fraction of contract capacity", "", "40 %"),
        ("0.002", "fraction of billed energy", "", "0.2 %"),
        ("1.8", "fraction of the third highest", "", "180 %"),
        ("2", "percent of negative sequence", "", "2 %"),
        ("1000", "kVA", "", "1,000"),
        ("0.50", "kVA", "", "0.5"),
        ("0.000001", "share", "", "0.000001"),
        ("4", "pages", "words", "four"),
        ("13", "pages", "words", "13"),
        ("2.5", "pages", "words", "2.5"),
        ("1", "kWh per unit of multiplier", "times", "once"),
        ("2", "kWh per unit of multiplier", "times", "twice"),
        ("3", "kWh per unit of multiplier", "times", "three times"),
        ("19491001", "date as YYYYMMDD", "", "1949-10-01"),
        ("8", "hour of the next day", "", "08:00"),
    ],
)
def test_a_value_is_shown_as_a_reader_writes_it(value: str, unit: str, form: str, text: str):
    assert shown(Parameter("R-1", "x", Decimal(value), unit, DAY, None), form) == text


@pytest.mark.parametrize(
    ("rule_id", "text"),
    [
        ("CON-03", "The term of a high-voltage contract is one to ten years,"),
        (
            "MET-12",
            "within its last digit or 0.5 %, whichever is more; where 3 % of a day is less than that digit, those of up to 30 days.",
        ),
        ("MET-09", "at most 1.2 times the running capacity."),
        ("MET-23", "by 08:00 of the next day: a warning below 99 %, a block below 95 %."),
        ("MET-02", "A curve has 96 slots; with fewer than 86 (90 %) it does not count as a day."),
        ("MKT-11", "are between 1949-10-01 and the business date."),
        ("XSR-18", "within 0.5 %."),
    ],
)
def test_a_sentence_shows_its_thresholds(rule_id: str, text: str):
    assert text in BOOK[rule_id].sentence_on(DAY)


def test_every_sentence_can_be_shown():
    sentences = [rule.sentence_on(DAY) for rule in BOOK.values()]
    assert len(sentences) > 100
    assert [s for s in sentences if "{" in s or "}" in s] == []


# Numbers of a sentence that are no threshold of the seed: of a standard, a code, a scale, a format, an example or another seed.
TYPED = {
    *(
        "CON-05",
        "CON-09",
        "CON-11",
        "CON-16",
        "MART-08",
        "MART-09",
        "MART-14",
        "MART-15",
        "MART-22",
        "MART-33",
        "MART-44",
        "MART-51",
    ),
    *("MET-08", "MET-16", "MET-17", "MET-18", "MET-25", "MET-28", "MET-31", "MKT-01", "MKT-04", "MKT-05", "MKT-09"),
    *("MKT-10", "MKT-14", "MKT-16", "MKT-18", "MKT-23", "MKT-30", "PIP-05", "PIP-09", "XSR-16"),
}
A_NUMBER = re.compile(r"\d|\b(one yuan|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twice)\b")


def test_a_new_number_in_a_sentence_is_a_threshold_of_the_seed_or_has_its_place_in_the_list():
    typed = {rule.id for rule in BOOK.values() if A_NUMBER.search(re.sub(r"\{[^}]*\}", "", rule.sentence))}
    assert typed == TYPED


def test_a_changed_threshold_changes_the_sentence_from_its_day_on(seed: Path):
    seed.write_text(
        SEED
        + "XSR-06,tolerance_kva,0.5,kVA,2000-01-01,2026-11-23,catalogue,XSR-06,M\n"
        + "XSR-06,tolerance_kva,2,kVA,2026-11-23,,catalogue,XSR-06,M\n"
    )
    sentence = BOOK["XSR-06"].sentence
    assert filled(sentence, "XSR-06", date(2026, 11, 22)).endswith("within 0.5 kVA.")
    assert filled(sentence, "XSR-06", DAY).endswith("within 2 kVA.")
    with pytest.raises(LookupError, match="no tolerance_kva of XSR-06 on 1999-12-31"):
        filled(sentence, "XSR-06", date(1999, 12, 31))


def test_rule_book_and_report_show_the_thresholds_of_the_run(staged: Staged, seed: Path):
    rules = [BOOK["XSR-06"]]
    run = {"run_id": staged.run_id, "business_date": staged.business_date}
    for value, text in (("0.5", "within 0.5 kVA."), ("2", "within 2 kVA.")):
        seed.write_text(SEED + f"XSR-06,tolerance_kva,{value},kVA,2000-01-01,,catalogue,XSR-06,M\n")
        findings.note_rule_book(staged.connection, rules, staged.business_date)
        (sentence,) = staged.connection.execute("select sentence from quality.rule_book").fetchone()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("include.quality.rules.load_rules", lambda: rules)
            patch.setattr("include.quality.base_rules.load_base_rules", lambda: [])
            (listed,) = verdict.rules(staged.connection, run)
        assert (sentence[-len(text) :], listed["sentence"]) == (text, sentence)


def test_the_warehouse_holds_the_same_thresholds(staged: Staged):
    rows = staged.connection.execute(
        "select rule_id, name, value, unit, valid_from, valid_to from staging.quality_parameters"
    ).fetchall()
    assert len(rows) > 100
    assert set(rows) == {
        (p.rule_id, p.name, p.value, p.unit, p.valid_from, p.valid_to) for p in parameters.parameters()
    }
