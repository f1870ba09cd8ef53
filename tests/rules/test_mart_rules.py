"""Rules of gate 2 over small stand-ins of the candidate marts: the good ones pass, one fault each breaks one rule."""
from __future__ import annotations

import pytest

from include.quality.rules import load_rules
from tests.rules.staged import Staged

RULES = {rule.id: rule for rule in load_rules() if rule.area == "marts"}

GOOD = [
    """create table candidate.mart_key_account_ranking as
    select account_no, date '2026-11-01' as ranking_month, sum(total_charge_cny) as revenue_12m_cny,
        case when row_number() over (order by account_no desc) = 1 then 1.0 else 0.5 end as cum_share
    from staging.stg_marketing__bills where bill_month between date '2025-11-01' and date '2026-10-01' group by account_no""",
    "create table candidate.mart_key_account_360 as select 'A'::text as account_no, date '2026-11-05' as as_of_date",
    """create table candidate.mart_energy_structure as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    400 as valid_slots, 0 as estimated_slots, 60 as missing_slots, 20 as outage_slots, 5 as metering_point_days""",
    """create table candidate.mart_two_rates as select 'ACCOUNT'::text as entity_kind_code, 'A'::text as entity_no,
    date '2026-11-01' as month_start_date, 'SUPPLY'::text as side_code, 99.98362::numeric as rs_pct""",
    """create table candidate.mart_two_rates_gap as select 'A'::text as account_no, date '2026-11-01' as month_start_date,
    99.9::numeric as customer_rs_pct, 100::numeric as supply_rs_pct""",
    "create table candidate.mart_contract_health as select 'C'::text as contract_no, date '2026-11-05' as as_of_date",
]
FAULTS = {
    "MART-01": "insert into candidate.mart_key_account_ranking select account_no, ranking_month, 0, 0 from candidate.mart_key_account_ranking limit 1",
    "MART-02": "insert into candidate.mart_key_account_360 select * from candidate.mart_key_account_360",
    "MART-03": "insert into candidate.mart_energy_structure select * from candidate.mart_energy_structure",
    "MART-04": "update candidate.mart_two_rates set side_code = null",
    "MART-05": "insert into candidate.mart_two_rates_gap select * from candidate.mart_two_rates_gap",
    "MART-06": "insert into candidate.mart_contract_health select * from candidate.mart_contract_health",
    "MART-07": "update candidate.mart_key_account_ranking set revenue_12m_cny = revenue_12m_cny + 0.02 where cum_share = 1",
    "MART-08": "update candidate.mart_key_account_ranking set cum_share = 0.99 where cum_share = 1",
    "MART-09": "update candidate.mart_two_rates_gap set customer_rs_pct = 100.2",
    "MART-10": "update candidate.mart_energy_structure set missing_slots = 59",
}


@pytest.fixture
def marts(staged: Staged) -> Staged:
    for statement in GOOD:
        staged.connection.execute(statement)
    return staged


def broken(staged: Staged) -> set[str]:
    return {rule_id for rule_id, rule in RULES.items() if staged.violations(rule)}


def test_good_marts_break_no_rule(marts: Staged):
    assert broken(marts) == set()


@pytest.mark.parametrize("rule_id", FAULTS)
def test_a_fault_in_a_mart_breaks_only_its_rule(marts: Staged, rule_id: str):
    marts.connection.execute(FAULTS[rule_id])
    assert broken(marts) == {rule_id}


def test_every_rule_on_marts_has_a_fault_and_is_of_gate_2():
    assert set(FAULTS) == set(RULES)
    assert {rule.gate for rule in RULES.values()} == {2}
