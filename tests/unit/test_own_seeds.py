"""The utility's own rows of a seed: merged by key over the project's, and refused by name where they cannot be used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from include import seeds
from include.contracts import all_tables
from include.errors import UsageError
from include.landing.check_values import _format
from include.landing.limits import limits_of
from include.local import cli
from include.profiles import digest
from include.quality.parameters import parameter_on, parameters
from include.records.vault import identifies_nobody
from include.report.text import code_label

DAY = date(2026, 11, 22)
THRESHOLDS = "rule_id,name,value,unit,valid_from,valid_to,source_doc,clause,confidence\n"
LIMITS = "table_name,name,value,unit,valid_from,valid_to,source_doc,clause,confidence\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a file of a profile's seeds."""
    (tmp_path / "profile.yaml").write_text("name: Steel works\n", encoding="utf-8")
    (tmp_path / "seeds").mkdir()
    monkeypatch.setenv("KAW_PROFILE", str(tmp_path))

    def write(name: str, text: str) -> Path:
        path = tmp_path / "seeds" / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_threshold_of_the_utility_stands_for_the_project_s_and_others_stay(own):
    before = parameters()
    assert parameter_on("XSR-06", "tolerance_kva", DAY).value == Decimal("0.5")
    own("quality_parameters.csv", THRESHOLDS + "XSR-06,tolerance_kva,7,kVA,2000-01-01,,board minute 12,all,V\n")
    found = parameter_on("XSR-06", "tolerance_kva", DAY)
    assert (found.value, found.source) == (Decimal(7), "board minute 12")
    assert len(parameters()) == len(before)
    others = [p for p in before if (p.rule_id, p.name) != ("XSR-06", "tolerance_kva")]
    assert [p for p in parameters() if (p.rule_id, p.name) != ("XSR-06", "tolerance_kva")] == others


def test_what_the_file_says_of_a_key_stands_for_all_its_days(own):
    own(
        "quality_parameters.csv",
        THRESHOLDS
        + "XSR-06,tolerance_kva,7,kVA,2000-01-01,2026-11-22,board,all,V\n"
        + "XSR-06,tolerance_kva,8,kVA,2026-11-22,,board,all,V\n",
    )
    days = [date(2026, 11, 21), DAY]
    assert [parameter_on("XSR-06", "tolerance_kva", day).value for day in days] == [7, 8]


def test_a_scale_is_replaced_as_a_whole(own):
    """Two steps of the price's spread become one: points are a number of the key, not what the row is about."""
    project = [row for row in seeds.rows("churn_points") if row["factor_code"] == "PRICE_SPREAD"]
    assert len(project) == 2
    own(
        "churn_points.csv",
        "factor_code,question_code,value_from,value_below,points,unit,valid_from,valid_to,source_doc,clause,confidence\n"
        "PRICE_SPREAD,AGENCY,40,,20,yuan per MWh,2000-01-01,,board,all,V\n",
    )
    found = seeds.rows("churn_points")
    assert [row["points"] for row in found if row["factor_code"] == "PRICE_SPREAD"] == ["20"]
    assert [r for r in found if r["factor_code"] == "ENERGY_YOY"]


def test_every_reader_takes_the_utility_s_rows(own):
    contacts = all_tables()["mkt_contact"]
    assert not identifies_nobody("n. n.")
    assert limits_of(contacts, DAY).block_share == Decimal("0.30")
    own("delivery_limits.csv", LIMITS + "mkt_contact,block_share,0.5,fraction,2000-01-01,,board,all,V\n")
    own(
        "quality_placeholders.csv",
        "kind,value,valid_from,valid_to,source_doc,clause,confidence\ntext,n. n.,2000-01-01,,office,all,V\n",
    )
    own(
        "quality_formats.csv",
        "meaning,pattern,holds,described,valid_from,valid_to,source_doc,clause,confidence\n"
        "account_no,^K[0-9]{4}$,true,K and four digits,2000-01-01,,office,all,V\n",
    )
    own(
        "code_labels.csv",
        seeds._project_text("code_labels").splitlines()[0]
        + "\n"
        + _label("industry_section_code", "Z9", "Mills", "工厂"),
    )
    assert limits_of(contacts, DAY).block_share == Decimal("0.5")
    assert limits_of(all_tables()["mkt_ticket"], DAY).block_share != Decimal("0.5")
    assert identifies_nobody("N. N.")
    is_good, _ = _format("account_no", DAY)
    assert is_good("K1234")
    assert code_label("industry_section_code", "Z9").of("zh") == "工厂"


def _label(*values: str) -> str:
    header = seeds._project_text("code_labels").splitlines()[0].split(",")
    given = dict(zip(("column_name", "code", "name_en", "name_zh"), values, strict=True))
    given |= {"valid_from": "2000-01-01", "source_doc": "office"}
    return ",".join(given.get(column, "") for column in header) + "\n"


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        (
            "quality_parameter.csv",
            THRESHOLDS,
            "quality_parameter.csv has the name of no seed; did you mean quality_parameters?",
        ),
        ("quality_parameters.txt", THRESHOLDS, "quality_parameters.txt has the name of no seed"),
        ("quality_parameters.csv", "rule;name\n", "has the undeclared column rule;name"),
        ("quality_parameters.csv", THRESHOLDS.replace("unit,", ""), "lacks the declared column unit"),
        (
            "quality_parameters.csv",
            THRESHOLDS + "XSR-06,tolerance_kva,half,kVA,2000-01-01,,board,all,V\n",
            "quality_parameters.value is 'half'",
        ),
        (
            "quality_parameters.csv",
            THRESHOLDS + "XSR-06,tolerance_kw,1,kVA,2000-01-01,,board,all,V\n",
            "quality_parameters has no name 'tolerance_kw'",
        ),
        (
            "quality_parameters.csv",
            THRESHOLDS + "XSR-99,tolerance_kva,1,kVA,2000-01-01,,board,all,V\n",
            "quality_parameters has no rule_id 'XSR-99'",
        ),
        (
            "quality_parameters.csv",
            THRESHOLDS + "XSR-06,tolerance_kva,1,kVA,2000-01-01,,,all,V\n",
            "quality_parameters.source_doc is empty",
        ),
        (
            "quality_parameters.csv",
            THRESHOLDS
            + "XSR-06,tolerance_kva,1,kVA,2000-01-01,,b,a,V\n" * 1
            + "XSR-06,tolerance_kva,2,kVA,2000-01-01,,b,a,V\n",
            "the key XSR-06, tolerance_kva is a duplicate of line 2",
        ),
        (
            "delivery_limits.csv",
            LIMITS + "mkt_contacts,block_share,0.5,fraction,2000-01-01,,board,all,V\n",
            "delivery_limits has no table_name 'mkt_contacts'; did you mean mkt_contact?",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(own, capsys, name: str, text: str, what: str):
    path = own(name, text)
    assert cli.main(["check-sources"]) == 2
    told = capsys.readouterr().err
    assert what in told
    assert str(path) in told
    assert "docs/reference/profile.md" in told


def test_a_file_that_is_no_utf_8_is_refused(own):
    own("quality_parameters.csv", "").write_bytes(THRESHOLDS.encode() + b"\xff\xfe\n")
    with pytest.raises(UsageError, match="cannot be read"):
        seeds.check_own()


def test_the_ledger_s_digest_of_a_profile_has_its_seeds(own):
    before = digest()
    own("quality_parameters.csv", THRESHOLDS + "XSR-06,tolerance_kva,7,kVA,2000-01-01,,board,all,V\n")
    assert digest() != before
