"""What a difference between the three systems costs, and which side is likely wrong: figures worked out by hand.

The bills of an account are set to round figures: 100,000 kWh, 80,000 yuan (0.80 yuan a kWh on average).
"""

# ruff: noqa: E501  (one world a line reads as a table)
from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from include.quality.rules import load_rules
from tests.rules.staged import Staged

RULES = {rule.id: rule for rule in load_rules() if rule.area == "reconciliation"}
BY_CAPACITY, BY_AGREED, BY_ACTUAL, LOW_SIDE = (
    "0310000003",
    "0310000004",
    "0310000011",
    "0310000009",
)  # each with one metering point
CONTRACT = "{{con_contract}}"


def only(staged: Staged, rule_id: str) -> dict:
    """The one finding; of findings of several months that of October, the last one billed."""
    staged.stage()
    found = staged.violations(RULES[rule_id])
    (violation,) = found if len(found) == 1 else [v for v in found if v["business_date"] == date(2026, 10, 1)]
    return violation


def cost(staged: Staged, rule_id: str) -> tuple[Decimal | None, Decimal | None]:
    violation = only(staged, rule_id)
    return violation["energy_at_stake_kwh"], violation["amount_at_stake_cny"]


def bill(staged: Staged, account: str, terms: str = "") -> None:
    """Every bill of the account: 100,000 kWh, 80,000 yuan, and these terms."""
    staged.plant(
        f"update {{{{mkt_bill}}}} set kwh_total = 100000, total_charge = 80000 {terms and ', ' + terms} where cons_no = '{account}'"
    )


def lines(staged: Staged, account: str, kwh: dict[str, int]) -> None:
    """Energy of each rate on every bill of the account; of other rates none."""
    arms = " ".join(f"when '{rate}' then {energy}" for rate, energy in kwh.items())
    staged.plant(
        f"update {{{{mkt_bill_line}}}} set kwh_billed = case rate {arms} else 0 end where bill_no in (select bill_no from {{{{mkt_bill}}}} where cons_no = '{account}')"
    )


def agree(staged: Staged, account: str, values: str) -> None:
    staged.plant(f"update {CONTRACT} set {values} where cons_no = '{account}' and status = 'EFFECTIVE'")


def assign(staged: Staged, account: str, values: str) -> None:
    staged.plant(f"update {{{{mkt_tariff_assign}}}} set {values} where cons_no = '{account}'")


def amend(staged: Staged, account: str, field: str, value: str, effective_on: str = "2026-06-01") -> None:
    staged.plant(
        f"update {{{{con_amendment}}}} set field_name = '{field}', new_value = '{value}', signed_on = date '2026-05-20', effective_on = date '{effective_on}',"
        f" contract_no = (select min(contract_no) from {CONTRACT} where cons_no = '{account}') where amend_no = (select min(amend_no) from {{{{con_amendment}}}})"
    )


CAPACITY_BILL = "basic_mode = 'BY_CAPACITY', basic_qty = 5000, basic_price = 24, basic_charge = 120000"


# -- what it costs


def test_a_meter_that_is_not_installed_counts_for_nobody(staged: Staged):
    """1 kWh a slot at the meter, ratio 80, five days of November: 5 x 96 x 80 = 38,400 kWh, at 0.80 30,720 yuan."""
    point = f"mp_no = '{BY_CAPACITY}01'"
    bill(staged, BY_CAPACITY)
    staged.plant(f"update {{{{met_measuring_point}}}} set ct_ratio = 80, pt_ratio = 1, multiplier = 80 where {point}")
    staged.plant(
        f"update {{{{met_interval_96}}}} set is_primary = false, v = array_fill(1::float8, array[96]) where data_type = 'E+' and {point}"
    )
    staged.plant(f"delete from {{{{mkt_meter_install}}}} where {point}")
    assert cost(staged, "XSR-01") == (Decimal("38400"), Decimal("30720.00"))


def test_a_bill_without_readings_is_at_stake_by_the_slots_that_are_missing(staged: Staged):
    """Of 31 days of October two are missing, more than 5 %: 6,451.6129 of 100,000 kWh; what lies before collection began is not missing."""
    bill(staged, BY_CAPACITY)
    lines(staged, BY_CAPACITY, {"FLAT": 60_000, "PEAK": 40_000})
    days = "data_date in (date '2026-10-30', date '2026-10-31')"
    share = "rule_id = 'XSR-02' and name = 'received_share'"
    staged.plant(f"update staging.quality_parameters set value = 0.95 where {share}")
    staged.plant(f"delete from {{{{met_interval_96}}}} where data_type = 'E+' and mp_no = '{BY_CAPACITY}01' and {days}")
    assert cost(staged, "XSR-02") == (Decimal("6451.6129"), Decimal("5161.29"))


@pytest.mark.parametrize(
    ("basic", "yuan"),
    [
        (CAPACITY_BILL, "1200.00"),
        # what the bill charged for a kVA, whatever the list says
        ("basic_mode = 'BY_CAPACITY', basic_qty = 5000, basic_price = 24, basic_charge = 100000", "1000.00"),
        ("basic_mode = 'BY_ACTUAL_MD', basic_qty = 2000, basic_price = 38.4, basic_charge = 76800", "0.00"),
        ("basic_mode = 'NONE', basic_qty = 0, basic_price = 0, basic_charge = 0", "0.00"),
    ],
)
def test_a_capacity_costs_what_the_bill_charged_for_a_kva(staged: Staged, basic: str, yuan: str):
    """50 kVA more in the contract, at 24 yuan 1,200 a month."""
    bill(staged, BY_CAPACITY, basic)
    agree(staged, BY_CAPACITY, "contract_cap_kva = 5050")
    assert cost(staged, "XSR-06") == (None, Decimal(yuan))


def test_transformers_cost_the_difference_of_their_sums(staged: Staged):
    bill(staged, BY_CAPACITY, CAPACITY_BILL)
    staged.plant(
        f"update {{{{con_transformer_annex}}}} set cap_kva = cap_kva - 75 where (contract_no, seq) = (select min(contract_no), 1 from {CONTRACT} where cons_no = '{BY_CAPACITY}')"
    )
    assert cost(staged, "XSR-07") == (None, Decimal("1800.00"))


def test_a_tariff_costs_the_difference_of_the_last_bill_at_both_prices(staged: Staged):
    """DGY-010 less DGY-035: 10,000 x 0.0395 + 20,000 x 0.025 + 10,000 x 0.0105 = 1,000, with -0.75 % of adjustment 992.50."""
    bill(staged, BY_CAPACITY, f"pf_adj_pct = -0.75, {CAPACITY_BILL}")
    lines(staged, BY_CAPACITY, {"PEAK": 10_000, "FLAT": 20_000, "VALLEY": 10_000})
    agree(staged, BY_CAPACITY, "tariff_code = 'DGY-035'")
    assert cost(staged, "XSR-09") == (None, Decimal("992.50"))


def test_a_tariff_of_one_part_has_no_basic_charge(staged: Staged):
    """GSY-010 less DGY-010: 10,000 kWh x 0.0557 = 557, less 5,000 kVA x 24 = 120,000."""
    bill(staged, BY_CAPACITY, f"pf_adj_pct = 0, {CAPACITY_BILL}")
    lines(staged, BY_CAPACITY, {"FLAT": 10_000})
    agree(staged, BY_CAPACITY, "tariff_code = 'GSY-010'")
    assert cost(staged, "XSR-09") == (None, Decimal("119443.00"))


def test_of_a_tariff_that_is_not_in_the_price_list_the_error_is_unknown_and_the_last_bill_exposed(staged: Staged):
    bill(staged, BY_CAPACITY)
    agree(staged, BY_CAPACITY, "tariff_code = 'X-1'")
    violation = only(staged, "XSR-09")
    assert (violation["amount_at_stake_cny"], violation["exposure_cny"]) == (None, Decimal("80000.00"))
    assert "not both in the price list: the error is unknown" in violation["expected"]


@pytest.mark.parametrize(("standard", "yuan"), [("0.80", "3000.00"), ("0.85", "2500.00"), ("NONE", "2500.00")])
def test_a_power_factor_standard_costs_the_difference_of_the_adjustments(staged: Staged, standard: str, yuan: str):
    """At 0.85 the standard 0.90 adds 2.5 %, 0.85 nothing, 0.80 takes 0.5 % off; of a base of 100,000 yuan."""
    bill(staged, BY_CAPACITY, "pf_actual = 0.85, pf_adj_base = 100000")
    agree(staged, BY_CAPACITY, f"pf_standard = '{standard}'")
    assert cost(staged, "XSR-10") == (None, Decimal(yuan))


@pytest.mark.parametrize(
    ("kwh", "kva", "yuan"),
    [
        (100_000, 5000, "43200.00"),  # 5,000 x 24 less 2,000 x 38.40
        (1_299_999, 5000, "43200.00"),
        (1_300_000, 5000, "50880.00"),  # 260 kWh a kVA: less 2,000 x 38.40 x 0.9
    ],
)
def test_a_basis_costs_the_difference_of_the_basic_charges(staged: Staged, kwh: int, kva: int, yuan: str):
    bill(staged, BY_CAPACITY, f"{CAPACITY_BILL}, md_actual_kw = 2000")
    staged.plant(f"update {{{{mkt_bill}}}} set kwh_total = {kwh} where cons_no = '{BY_CAPACITY}'")
    agree(staged, BY_CAPACITY, "basic_mode = 'BY_ACTUAL_MD'")
    assert cost(staged, "XSR-11") == (None, Decimal(yuan))


def test_an_agreed_demand_costs_what_it_charges_with_its_excess(staged: Staged):
    """3,480 kW agreed and used. By a contract of 3,000: 3,000 + 2 x (3,480 - 3,150) = 3,660 kW; 180 x 38.40 = 6,912."""
    bill(staged, BY_AGREED, "md_actual_kw = 3480")
    agree(staged, BY_AGREED, "contract_md_kw = 3000")
    assert cost(staged, "XSR-11") == (None, Decimal("6912.00"))


def test_a_voltage_level_exposes_the_last_bill_and_its_error_is_unknown(staged: Staged):
    bill(staged, BY_CAPACITY)
    agree(staged, BY_CAPACITY, "voltage_level = 'AC35kV'")
    violation = only(staged, "XSR-12")
    assert (violation["energy_at_stake_kwh"], violation["amount_at_stake_cny"]) == (None, None)
    assert (violation["exposure_kwh"], violation["exposure_cny"]) == (Decimal("100000"), Decimal("80000.00"))


def test_energy_of_a_closed_account_costs_its_average_price(staged: Staged):
    """1 kWh a slot of the account, on the business date: 96 kWh, at 0.80 76.80 yuan."""
    bill(staged, BY_CAPACITY)
    staged.plant(
        f"update {{{{met_interval_96}}}} set is_primary = true, v = array_fill(1::float8, array[96]) where data_type = 'E+' and mp_no = '{BY_CAPACITY}01'"
    )
    staged.plant(
        f"update {{{{mkt_customer}}}} set status = 'CLOSED', close_date = null where cons_no = '{BY_CAPACITY}'"
    )
    assert cost(staged, "XSR-15") == (Decimal("96"), Decimal("76.80"))


def test_energy_in_another_rate_costs_the_price_of_that_rate(staged: Staged):
    """50,000 kWh more of the peak than the registers tell, at 0.90 yuan."""
    newest = f"(select max(bill_no) from {{{{mkt_bill}}}} where cons_no = '{BY_CAPACITY}')"
    staged.plant(f"update {{{{mkt_bill_line}}}} set price = 0.9 where rate = 'PEAK' and bill_no = {newest}")
    staged.plant(
        f"update {{{{mkt_bill}}}} as bills set kwh_peak = lines.kwh + 50000 from (select bill_no, sum(kwh_billed) as kwh from {{{{mkt_bill_line}}}} where rate = 'PEAK' group by bill_no) as lines"
        f" where lines.bill_no = bills.bill_no and bills.bill_no = {newest}"
    )
    kwh, yuan = cost(staged, "XSR-18")
    assert kwh == pytest.approx(Decimal("50000"), abs=Decimal("0.5"))
    assert yuan == pytest.approx(Decimal("45000.00"), abs=Decimal("0.5"))


@pytest.mark.parametrize(
    ("account", "basic", "ratio", "yuan"),
    [
        (
            BY_ACTUAL,
            "basic_mode = 'BY_ACTUAL_MD', basic_qty = 500, basic_price = 38.4, basic_charge = 19200",
            "1.1",
            "1920.00",
        ),
        (
            BY_ACTUAL,
            "basic_mode = 'BY_ACTUAL_MD', basic_qty = 500, basic_price = 38.4, basic_charge = 17280",
            "1.1",
            "1728.00",
        ),  # reduced by 10 %
        (
            BY_ACTUAL,
            "basic_mode = 'BY_CAPACITY', basic_qty = 500, basic_price = 24, basic_charge = 12000",
            "1.1",
            "0.00",
        ),
    ],
)
def test_a_demand_costs_what_the_bill_charged_for_a_kw(staged: Staged, account: str, basic: str, ratio: str, yuan: str):
    """500 kW by the meter, 550 on the bill."""
    demands(staged, account, 500)
    staged.plant(
        f"update {{{{mkt_bill}}}} set {basic}, md_actual_kw = 500 * {ratio} where cons_no = '{account}' and bill_month = '202610'"
    )
    assert cost(staged, "XSR-19") == (None, Decimal(yuan))


@pytest.mark.parametrize(
    ("billed_kw", "yuan"),
    [
        ("3600", "0.00"),  # up to 3,654 kW an agreed demand of 3,480 is charged as agreed
        ("3754", "7680.00"),  # 100 kW above it, twice, at 38.40
    ],
)
def test_an_agreed_demand_is_at_stake_above_its_limit_alone(staged: Staged, billed_kw: str, yuan: str):
    demands(staged, BY_AGREED, 3000)
    staged.plant(
        "update {{mkt_bill}} set basic_mode = 'BY_CONTRACT_MD', basic_qty = 3480, basic_price = 38.4, basic_charge = 3480 * 38.4,"
        f" md_actual_kw = {billed_kw} where cons_no = '{BY_AGREED}' and bill_month = '202610'"
    )
    assert cost(staged, "XSR-19") == (None, Decimal(yuan))


def demands(staged: Staged, account: str, kw: int) -> None:
    """The month freeze of October tells this demand, at a multiplier of one."""
    point = f"mp_no = '{account}01'"
    staged.plant(f"update {{{{met_it}}}} set ratio_primary = ratio_secondary where {point}")
    staged.plant(
        f"update {{{{met_register_freeze}}}} set max_demand_kw = {kw} where freeze_kind = 'MONTH' and freeze_ts = '2026-11-01 00:00+08' and max_demand_kw is not null"
        f" and meter_asset_no = (select min(meter_asset_no) from {{{{met_measuring_point}}}} where {point})"
    )


def test_a_meter_at_two_customers_exposes_their_last_bills(staged: Staged):
    bill(staged, BY_CAPACITY)
    lines(staged, BY_CAPACITY, {"FLAT": 60_000, "PEAK": 40_000})
    staged.plant(
        f"update {{{{mkt_meter_install}}}} set meter_asset_no = (select min(meter_asset_no) from {{{{mkt_meter_install}}}} where cons_no = '{BY_CAPACITY}') where cons_no = '{LOW_SIDE}'"
    )
    staged.stage()
    found = {v["account_no"]: (v["exposure_kwh"], v["exposure_cny"]) for v in staged.violations(RULES["XSR-23"])}
    assert set(found) == {BY_CAPACITY, LOW_SIDE}
    assert found[BY_CAPACITY] == (Decimal("100000"), Decimal("80000.00"))


def test_settled_energy_costs_the_average_price_of_the_month(staged: Staged):
    """110 MWh settled, 100 billed: 10,000 kWh, at 0.80 8,000 yuan."""
    settled = "(select agree_no, trade_month from {{con_trade_settle}} order by 1 desc, 2 desc limit 1)"
    account = "(select cons_no from {{con_trade_agreement}} order by agree_no desc limit 1)"
    staged.plant(
        f"update {{{{mkt_bill}}}} set kwh_total = 100000, total_charge = 80000 where cons_no = {account} and bill_month = (select max(trade_month) from {settled} as newest)"
    )
    staged.plant(f"update {{{{con_trade_settle}}}} set actual_mwh = 110 where (agree_no, trade_month) = {settled}")
    assert cost(staged, "XSR-25") == (Decimal("10000"), Decimal("8000.00"))


# -- who is likely wrong


def told(staged: Staged, rule_id: str) -> tuple[str | None, str]:
    violation = only(staged, rule_id)
    return violation["suspect_side"], violation["expected"]


@pytest.mark.parametrize(
    ("contract", "marketing", "amended", "suspect", "words"),
    [
        (5050, 5000, None, "contract", "likely 5000 by transformers of 5000 kVA"),
        (5000, 5050, None, "marketing", "likely 5000 by transformers of 5000 kVA"),
        (5050, 5100, None, None, None),
        (5050, 5100, "5050.00", "marketing", "likely 5050 by amendment"),
        (5050, 5100, "5100", "contract", "likely 5100 by amendment"),
        (
            5000,
            5050,
            "5050",
            "marketing",
            "likely 5000 by transformers of 5000 kVA",
        ),  # two of three outvote a signature
    ],
)
def test_a_capacity_is_right_as_two_of_contract_archive_and_transformers_say(
    staged: Staged, contract, marketing, amended, suspect, words
):
    agree(staged, BY_CAPACITY, f"contract_cap_kva = {contract}")
    staged.plant(f"update {{{{mkt_customer}}}} set contract_cap_kva = {marketing} where cons_no = '{BY_CAPACITY}'")
    if amended:
        amend(staged, BY_CAPACITY, "contract_cap_kva", amended)
    side, expected = told(staged, "XSR-06")
    assert side == suspect
    assert words in expected if words else "likely" not in expected


TERMS = {  # rule -> account, the field, what it is, another value
    "XSR-09": (BY_CAPACITY, "tariff_code", "DGY-010", "DGY-035"),
    "XSR-10": (BY_CAPACITY, "pf_standard", "0.90", "0.85"),
    "XSR-11": (BY_CAPACITY, "basic_mode", "BY_CAPACITY", "BY_ACTUAL_MD"),
    "XSR-11 demand": (BY_AGREED, "contract_md_kw", "3480", "3000"),
}


@pytest.mark.parametrize("case", [case for case in TERMS if not case.endswith("demand")])
def test_each_account_is_told_its_own_side_of_its_own_term(staged: Staged, case: str):
    """Two accounts differ, each in two terms, on the one of which the other side is wrong."""
    account, field, _, other = TERMS[case]
    assign(staged, account, f"{field} = '{other}'")
    agree(staged, LOW_SIDE, f"{field} = '{other}'")
    staged.plant(
        f"update {{{{con_contract}}}} set contract_cap_kva = 77777 where cons_no in ('{account}', '{LOW_SIDE}') and status = 'EFFECTIVE'"
    )
    staged.stage()
    assert {v["account_no"]: v["suspect_side"] for v in staged.violations(RULES[case])} == {
        account: "marketing",
        LOW_SIDE: None,
    }
    assert {v["account_no"]: v["suspect_side"] for v in staged.violations(RULES["XSR-06"])} == {
        account: "contract",
        LOW_SIDE: "contract",
    }


def test_an_amendment_that_is_not_in_force_says_nothing(staged: Staged):
    agree(staged, BY_CAPACITY, "contract_cap_kva = 5050")
    staged.plant(f"update {{{{mkt_customer}}}} set contract_cap_kva = 5100 where cons_no = '{BY_CAPACITY}'")
    amend(staged, BY_CAPACITY, "contract_cap_kva", "5050", "2026-11-06")
    assert told(staged, "XSR-06")[0] is None


@pytest.mark.parametrize("case", TERMS)
def test_a_bill_that_follows_the_contract_speaks_against_the_archive(staged: Staged, case: str):
    account, field, right, other = TERMS[case]
    if field == "contract_md_kw":
        bill(staged, account, "basic_qty = 3480")
    assign(staged, account, f"{field} = '{other}'")
    side, expected = told(staged, case[:6])
    assert side == "marketing"
    assert f"likely {right} by the bill of 2026-10" in expected


@pytest.mark.parametrize("case", TERMS)
def test_a_bill_that_follows_its_archive_is_no_second_witness(staged: Staged, case: str):
    account, field, _, other = TERMS[case]
    agree(staged, account, f"{field} = '{other}'")
    side, expected = told(staged, case[:6])
    assert side is None
    assert "likely" not in expected


@pytest.mark.parametrize("case", TERMS)
@pytest.mark.parametrize("is_of_contract", [True, False])
def test_a_signed_amendment_tells_which_term_was_agreed(staged: Staged, case: str, is_of_contract: bool):
    account, field, right, other = TERMS[case]
    agree(staged, account, f"{field} = '{other}'")
    amend(staged, account, field, other if is_of_contract else right)
    side, expected = told(staged, case[:6])
    assert side == ("marketing" if is_of_contract else "contract")
    assert f"likely {other if is_of_contract else right} by amendment" in expected


@pytest.mark.parametrize(
    ("account", "contract", "marketing", "suspect"),
    [
        (BY_CAPACITY, "AC35kV", "AC10kV", "contract"),
        (BY_CAPACITY, "AC10kV", "AC35kV", "marketing"),
        (BY_CAPACITY, "AC35kV", "AC66kV", None),  # the meters see neither
        (LOW_SIDE, "AC35kV", "AC10kV", None),  # the meter is behind the transformer
    ],
)
def test_a_voltage_level_is_the_one_that_the_meters_see(
    staged: Staged, account: str, contract: str, marketing: str, suspect: str | None
):
    agree(staged, account, f"voltage_level = '{contract}'")
    staged.plant(f"update {{{{mkt_customer}}}} set voltage_level = '{marketing}' where cons_no = '{account}'")
    side, expected = told(staged, "XSR-12")
    assert side == suspect
    assert ("likely AC10kV by meters at 10." in expected or "likely AC10kV by meters at 9." in expected) == bool(
        suspect
    )


@pytest.mark.parametrize(
    ("removed", "suspect"),
    [("null", "marketing"), ("'2026-11-05 00:00+08'", "metering"), ("'2026-11-06 00:00+08'", "marketing")],
)
def test_a_closed_account_that_uses_power_is_in_use_unless_its_meter_is_gone(
    staged: Staged, removed: str, suspect: str
):
    staged.plant(
        f"update {{{{mkt_customer}}}} set status = 'CLOSED', close_date = null where cons_no = '{BY_CAPACITY}'"
    )
    staged.plant(f"update {{{{met_measuring_point}}}} set remove_ts = {removed} where mp_no = '{BY_CAPACITY}01'")
    assert told(staged, "XSR-15")[0] == suspect


def test_a_seal_that_is_run_past_tells_of_no_side(staged: Staged):
    staged.plant(f"update {{{{mkt_transformer}}}} set state = 'SEALED' where cons_no = '{BY_CAPACITY}'")
    side, expected = told(staged, "XSR-15")
    assert (side, expected) == (None, "0 kWh")


def test_every_comparison_states_what_it_costs_and_by_what_a_side_is_told():
    assert [rule.id for rule in RULES.values() if not (rule.at_stake and rule.likely_wrong)] == []
    for rule in RULES.values():
        says_a_side, says_a_cost = (
            re.search(r"\bas suspect_side\b|\n +suspect_side,", rule.violations_sql) is not None,
            re.search(r"_at_stake_|\bexposure_", rule.violations_sql) is not None,
        )
        assert says_a_side != rule.likely_wrong.startswith("Undetermined: "), rule.id
        assert says_a_cost != rule.at_stake.startswith("No money"), rule.id
