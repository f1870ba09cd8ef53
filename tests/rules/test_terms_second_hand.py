"""XSR-09, XSR-10 and XSR-11 against numbers worked out from the delivered files and the requirement, by a second hand.

The world is the simulated utility (synthetic) of 60 accounts to 2026-11-23: the last closed month is October 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from include.quality.rules import load_rules
from include.records.database import connect
from tests.databases import made_once
from tests.rules.conftest import land_and_stage
from tests.rules.staged import Staged

DAY = date(2026, 11, 23)
RULES = {rule.id: rule for rule in load_rules() if rule.id in ("XSR-09", "XSR-10", "XSR-11")}
TEMPLATE = "kaw_sixty_accounts"

# By hand, as of 31 October: 61 main points of 58 accounts have a tariff. Of the 60 contracts HT0310000025 is EXPIRED and
# HT0310000045 is TERMINATED; 57 are effective and valid by their dates. HT0310000015 ended in 2023, but it renews itself.
CONTRACTS = 58

# The contract of an account with two main points. All three say DGY-035, 0.90 and BY_CAPACITY.
OF_CONTRACT = "contract_no = 'HT0310000002'"
FIRST, SECOND = "mp_no = '031000000201'", "mp_no = '031000000202'"


@pytest.fixture(scope="module")
def sixty_accounts(server, session_home: Path, template: str) -> str:
    folder = session_home / TEMPLATE
    with made_once(server, session_home, TEMPLATE, template) as unfinished:
        if unfinished:
            models = {f"+{name}" for rule in RULES.values() for name in rule.reads}
            land_and_stage(server.url(unfinished), folder, day=DAY, accounts=60, days=3, models=tuple(sorted(models)))
    return server.url(TEMPLATE)


@pytest.fixture
def terms(sixty_accounts: str, session_home: Path) -> Iterator[Staged]:
    with connect(sixty_accounts) as connection:
        yield Staged(connection, DAY, session_home / TEMPLATE / "models.json")
        connection.rollback()


def plant(terms: Staged, *statements: str) -> None:
    for statement in statements:
        terms.plant(statement)
    terms.stage()


def assigned(point: str, values: str) -> str:
    return f"update {{{{mkt_tariff_assign}}}} set {values} where {point}"


def agreed(values: str) -> str:
    return f"update {{{{con_contract}}}} set {values} where {OF_CONTRACT}"


def amended(number: str, field: str, old: str, new: str, effective_on: str = "2026-06-01") -> str:
    """Makes an amendment of another contract a signed one of the contract with two main points."""
    return f"""update {{{{con_amendment}}}}
        set contract_no = 'HT0310000002', version = null, field_name = '{field}', old_value = '{old}', new_value = '{new}',
            effective_on = '{effective_on}', signed_on = '2026-05-20'
        where amend_no = '{number}'"""


def found(terms: Staged, rule_id: str) -> list[dict]:
    return terms.violations(RULES[rule_id])


@pytest.mark.parametrize("rule_id", RULES)
def test_the_rules_on_terms_test_each_contract_once(terms, rule_id):
    assert found(terms, rule_id) == []
    assert terms.connection.execute(
        "select tested_rows, failed_rows from quality.rule_results where rule_id = %s", (rule_id,)
    ).fetchall() == [(CONTRACTS, 0)]


# What is planted, in which rule it is found, in which column, who is suspect, and what the finding must say. In each case all
# evidence of XSR-28 speaks for one side: the other records, a signed amendment, the last edit.
CONTRACT_EDITED_LAST = agreed("src_updated_at = '2026-10-05 10:00+08'")
DEMAND_AGREED = agreed("basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000, src_updated_at = '2026-10-05 10:00+08'")
AT_SECOND_POINT = {
    "another tariff": (
        "XSR-09",
        [assigned(SECOND, "tariff_code = 'DGY-010'"), amended("AM03100000301", "tariff_code", "DGY-010", "DGY-035")],
        "tariff_code",
        "marketing",
        ("DGY-010", "likely DGY-035", "amendment AM03100000301 signed 2026-05-20"),
    ),
    "another standard of the power factor": (
        "XSR-10",
        [assigned(SECOND, "pf_standard = '0.85'"), CONTRACT_EDITED_LAST],
        "pf_standard",
        "marketing",
        ("0.85", "likely 0.90", "the bill of 2026-10"),
    ),
    "another basis of the basic charge": (
        "XSR-11",
        [assigned(SECOND, "basic_mode = 'BY_ACTUAL_MD'"), CONTRACT_EDITED_LAST],
        "basic_mode",
        "marketing",
        ("BY_ACTUAL_MD", "likely BY_CAPACITY", "the bill of 2026-10"),
    ),
    "another contract demand": (
        "XSR-11",
        [
            DEMAND_AGREED,
            assigned(FIRST, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000"),
            assigned(SECOND, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 6500"),
            amended("AM03100000301", "contract_md_kw", "6500", "7000"),
        ],
        "contract_md_kw",  # the basis is the same
        "marketing",
        ("6500", "likely 7000", "amendment AM03100000301 signed 2026-05-20"),
    ),
}


@pytest.mark.parametrize("case", AT_SECOND_POINT)
def test_a_difference_at_the_second_main_point_is_found_on_the_contract(terms, case):
    rule_id, statements, column, suspect, words = AT_SECOND_POINT[case]
    plant(terms, *statements)
    (finding,) = found(terms, rule_id)
    assert (finding["table_name"], finding["record_key"], finding["account_no"], finding["severity"]) == (
        "con_contract",
        {"contract_no": "HT0310000002", "version": 1},
        "0310000002",
        "quarantine",
    )
    assert finding["suspect_side"] == suspect
    assert finding["column_name"] == column
    said = f"{finding['observed']}; {finding['expected']}"
    assert "at 031000000202 " in said
    assert "at 031000000201 " not in said
    assert [word for word in words if word not in said] == [], said


def test_two_points_with_different_suspects_are_both_told(terms):
    """The first point has the demand that was agreed later, the second a basis that was agreed otherwise."""
    plant(
        terms,
        agreed("basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000"),
        assigned(FIRST, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 6500"),
        assigned(SECOND, "basic_mode = 'BY_ACTUAL_MD', contract_md_kw = null"),
        amended("AM03100000301", "contract_md_kw", "7000", "6500"),
        amended("AM03100000261", "basic_mode", "BY_ACTUAL_MD", "BY_CONTRACT_MD"),
    )
    (finding,) = found(terms, "XSR-11")
    assert set(finding["suspect_side"].split(" and ")) == {"contract", "marketing"}
    assert finding["column_name"] == "basic_mode"
    for told in (
        "at 031000000201 6500, likely 6500 by amendment AM03100000301",
        "at 031000000202 BY_ACTUAL_MD, likely BY_CONTRACT_MD by amendment AM03100000261",
    ):
        assert told in finding["expected"]


def test_an_amendment_of_a_value_that_neither_side_has_says_nothing_of_them(terms):
    """7,000 kW against 6,500 kW at the second point, and a signed amendment to 6,000 kW: it speaks for neither."""
    plant(
        terms,
        agreed("basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000"),
        assigned(FIRST, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000"),
        assigned(SECOND, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 6500"),
        amended("AM03100000301", "contract_md_kw", "7000", "6000"),
    )
    (finding,) = found(terms, "XSR-11")
    assert (finding["column_name"], finding["suspect_side"]) == ("contract_md_kw", None)
    assert finding["expected"].endswith("; at 031000000202 6500, undetermined")


def test_an_amendment_of_after_the_compared_month_says_nothing_of_it(terms):
    """7,000 kW were agreed up to 31 October and 6,500 from 1 November on: in October the second point was ahead of it."""
    plant(
        terms,
        agreed("basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000"),
        assigned(FIRST, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 7000"),
        assigned(SECOND, "basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 6500"),
        amended("AM03100000301", "contract_md_kw", "7000", "6500", effective_on="2026-11-01"),
    )
    (finding,) = found(terms, "XSR-11")
    assert finding["suspect_side"] is None
    assert "amendment" not in finding["expected"]
