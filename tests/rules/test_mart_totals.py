"""Energy that got lost, came twice or came from nowhere on its way into a mart is found, with the energy at stake."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.quality.rules import load_rules
from tests.rules.marts_totals import A_ROW, GOOD
from tests.rules.staged import Staged

RULES = {rule.id: rule for rule in load_rules()}
ADMITTED = f"select energy_kwh from candidate.mart_energy_structure where {A_ROW}"


@pytest.fixture
def marts(staged: Staged) -> Staged:
    for statement in GOOD:
        staged.connection.execute(statement)
    return staged


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (f"delete from candidate.mart_energy_structure where {A_ROW}", 0),
        (f"update candidate.mart_energy_structure set energy_kwh = null where {A_ROW}", 0),
        (f"update candidate.mart_energy_structure set energy_kwh = 2 * energy_kwh where {A_ROW}", 2),
    ],
)
def test_energy_of_admitted_curves_that_is_lost_or_counted_twice_is_found(marts: Staged, fault: str, times: int):
    (admitted,) = marts.connection.execute(ADMITTED).fetchone()
    assert admitted > 0
    marts.connection.execute(fault)
    (found,) = marts.violations(RULES["MART-25"])
    assert (Decimal(found["observed"]), Decimal(found["expected"])) == (times * admitted, admitted)
    assert (found["severity"], found["energy_at_stake_kwh"]) == ("block", admitted)


def test_rounding_of_the_days_is_no_lost_energy(marts: Staged):
    marts.connection.execute(f"update candidate.mart_energy_structure set energy_kwh = energy_kwh - 0.1 where {A_ROW}")
    assert marts.violations(RULES["MART-25"]) == []


def test_energy_of_a_month_in_which_no_curve_was_admitted_is_found(marts: Staged):
    marts.connection.execute(
        "update candidate.mart_energy_structure set energy_kwh = 5 where month_start_date = '2026-09-01'"
    )
    assert {found["expected"] for found in marts.violations(RULES["MART-25"])} == {"0"}


def test_a_bill_that_the_ranking_lost_is_found_by_its_energy(marts: Staged):
    marts.connection.execute(
        "delete from candidate.mart_key_account_ranking where account_no = (select min(account_no) from candidate.mart_key_account_ranking)"
    )
    (found,) = marts.violations(RULES["MART-26"])
    assert found["record_key"] == {"mart": "mart_key_account_ranking", "ranking_month": "2026-11-01"}
    assert found["energy_at_stake_kwh"] > 0


def test_advice_as_by_a_bill_that_nobody_has_is_found(marts: Staged):
    marts.connection.execute(
        "update candidate.mart_tariff_advice set usage_basis_code = 'BILL' where account_no = 'NO BILL'"
    )
    (found,) = marts.violations(RULES["MART-26"])
    assert (found["account_no"], found["observed"], found["expected"]) == ("NO BILL", "1000", "no bill")
