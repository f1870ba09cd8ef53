"""Customers, contracts, outages and notices of the simulated utility: consistent, and of the variety that marts ask for."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from include.lab.simulator.simulation import Simulation
from tests.simulated import DAY, frame, simulated


@pytest.fixture(scope="module")
def utility() -> Simulation:
    return simulated(DAY, accounts=20, days=12, seed=3)


@pytest.fixture(scope="module")
def large() -> Simulation:
    return simulated(date(2026, 11, 23), accounts=200, days=3, seed=1)


def test_nothing_of_a_customer_lies_before_its_connection_or_after_its_closure(large):
    customers = frame(large, "mkt_customer").set_index("cons_no")
    closed = customers[customers.status == "CLOSED"]
    joined = customers[customers.connect_date > date(2024, 1, 1)]
    assert len(closed) >= 5
    assert len(joined) >= 5
    assert closed.running_cap_kva.eq(0).all()
    bills, tickets = frame(large, "mkt_bill"), frame(large, "mkt_ticket")
    for account, end in closed.close_date.items():
        assert (bills[bills.cons_no == account].read_to <= end).all()
        assert (tickets[tickets.cons_no == account].accepted_at.dt.date < end).all()
    unbilled = [account for account in joined.index if not bills.cons_no.eq(account).any()]
    assert joined.connect_date[unbilled].to_dict() == {
        "0310000176": date(2026, 10, 1)
    }  # its first bill comes on 25 November
    for account, begin in joined.connect_date.drop(unbilled).items():
        own = bills[bills.cons_no == account]
        assert own.read_from.min() >= begin
        assert (own[own.orig_bill_no.isna()].kwh_total > 0).all()
    points = frame(large, "met_measuring_point").set_index("mp_no")
    curves = frame(large, "met_interval_96")
    assert not set(points.cons_no[curves.mp_no]) & set(closed.index[closed.close_date <= date(2026, 11, 1)])
    assert points.remove_ts[points.cons_no.isin(closed.index)].notna().all()
    contracts = frame(large, "con_contract").set_index("cons_no")
    ended = contracts[contracts.status.isin(["EXPIRED", "TERMINATED"])]
    assert set(ended.status) == {"EXPIRED", "TERMINATED"}
    assert (ended.valid_to + timedelta(days=1) == closed.close_date[ended.index]).all()
    assert (ended.auto_renew == (ended.status == "TERMINATED")).all()
    in_force = frame(large, "con_contract").query("status == 'EFFECTIVE'").cons_no
    assert sorted(in_force) == sorted(customers.index[customers.status == "NORMAL"])


def test_there_is_the_variety_that_marts_ask_for(large):
    applications, stages = frame(large, "mkt_application"), frame(large, "mkt_app_stage")
    assert {"NEW", "INCREASE", "TEMP", "SUSPEND", "RESUME", "DECREASE", "CLOSE"} == set(applications.app_type)
    assert {"SCHEME", "BUILD"} == set(stages.return_to_stage.dropna())
    assert (stages.suspend_min > 0).any()
    outages = frame(large, "met_supply_outage")
    assert {"PLANNED", "TEMPORARY", "FAULT", "LOAD_SHEDDING"} == set(outages.kind)
    assert outages.tg_no.notna().any()
    assert {"AGENT", "DIRECT", "RETAIL"} == set(frame(large, "con_trade_agreement").trade_mode)
    assert set(frame(large, "con_amendment").field_name) == {"contract_cap_kva", "basic_mode", "contract_md_kw"}
    assert frame(large, "mkt_service_tier").valid_to.notna().any()
    assert frame(large, "mkt_transformer").state.isin(["STOP"]).any()
    assert frame(large, "mkt_payment").reversed_pay_no.notna().any()
    assert frame(large, "mkt_penalty").waived.any()


def test_accounts_come_onto_the_list_of_strategic_ones_and_leave_it(large):
    tiers = frame(large, "mkt_service_tier")
    place = tiers.cons_no.str[4:].astype(int) % 20
    on_list = tiers[(tiers.tier == "T1") & (place == 9)]
    assert len(on_list) >= 3
    assert on_list.valid_to.notna().all()
    assert (on_list.valid_from >= date(2024, 2, 1)).all()


def test_a_step_is_out_of_order_in_a_few_cases(large):
    runs = frame(large, "mkt_app_stage").drop_duplicates(["app_no", "stage"])
    order = runs.pivot(index="app_no", columns="stage", values="stage_seq")
    share = (order.MID_CHECK < order.DESIGN_REVIEW).sum() / order.MID_CHECK.notna().sum()
    assert 0 < share < 0.1


def test_an_inspection_may_find_two_hazards(large):
    assert frame(large, "mkt_hazard").groupby("insp_no").size().value_counts().index.tolist() == [1, 2]


def outages_seen(simulation) -> pd.DataFrame:
    """Interruptions of more than three minutes at the first billing point of each account."""
    events = frame(simulation, "met_power_event")
    events = events[events.mp_no.str.endswith("01")].sort_values(["mp_no", "event_ts"])
    down, up = (events[events.event == kind].reset_index() for kind in ("POWER_DOWN", "POWER_UP"))
    seen = down[["mp_no"]].assign(hours=(up.event_ts - down.event_ts).dt.total_seconds() / 3600, start=down.event_ts)
    return seen[seen.hours > 0.05]


def test_supply_is_as_reliable_as_in_a_large_city(large):
    seen, account_years = outages_seen(large), 200 * 13 / 12
    assert 0.5 < len(seen) / account_years < 2
    assert 1 < seen.hours.sum() / account_years < 5
    assert 99.9 < 100 * (1 - seen.hours.sum() / account_years / 8760) < 100
    assert (seen.hours > 8).any()


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_smallest_utility_has_a_planned_outage_in_any_thirteen_months(seed):
    plans = frame(simulated(DAY, accounts=20, days=1, seed=seed), "mkt_outage_plan")
    assert "10F00000" in set(plans[plans.status == "DONE"].feeder_no)


def test_the_supply_side_notes_full_minutes_and_the_fault_of_an_area_late(large):
    noted = frame(large, "met_supply_outage")
    exact = noted[(noted.start_at.dt.second == 0) & (noted.end_at.dt.second == 0)]
    assert len(exact) >= 30
    seen = outages_seen(large)
    whole = exact[exact.tg_no.isna()].start_at
    offset = [(seen.start - start).dt.total_seconds().pipe(lambda s: s[s.between(0, 59)]) for start in whole]
    assert sum(len(found) > 0 for found in offset) > 0.8 * len(whole)
    assert any((found > 0).any() for found in offset)


def test_two_interruptions_of_a_day_cut_the_day_twice(large):
    events = frame(large, "met_power_event").assign(day=lambda e: e.event_ts.dt.date)
    downs = events[events.event == "POWER_DOWN"].groupby(["mp_no", "day"]).size()
    assert (downs == 2).any()
    assert events.groupby("mp_no").event.value_counts().unstack().eval("POWER_DOWN == POWER_UP").all()


def test_every_account_has_one_primary_manager_and_one_contract_in_force(utility):
    managers, contracts = frame(utility, "mkt_manager_assign"), frame(utility, "con_contract")
    open_ended = managers[(managers.assign_role == "PRIMARY") & managers.valid_to.isna()]
    accounts = set(frame(utility, "mkt_customer").cons_no)
    assert sorted(open_ended.cons_no) == sorted(accounts)
    assert sorted(contracts[contracts.status == "EFFECTIVE"].cons_no) == sorted(accounts)


def test_most_notices_of_planned_outages_are_in_time(large):
    notices = frame(large, "mkt_outage_notice")
    plans = frame(large, "mkt_outage_plan").set_index("plan_no")
    done = frame(large, "mkt_outage_affected").query("exception_code.isna()")
    done = done[done.plan_no.map(plans.status) == "DONE"]
    lead = (notices.planned_start - notices.sent_at).dt.total_seconds() / 3600
    current = notices.plan_version.to_numpy() == plans.plan_version[notices.plan_no].to_numpy()
    assert (lead > 0).all()
    assert len(done) > 20
    spans = ((168, 999), (48, 168), (12, 48), (0.5, 12))
    in_time = [
        all(
            lead[current & (notices.plan_no == plan) & (notices.cons_no == account)].between(*span).any()
            for span in spans
        )
        for plan, account in zip(done.plan_no, done.cons_no, strict=True)
    ]
    # some notices come late, and who is told at short notice gets none a week before
    assert 0.6 < np.mean(in_time) < 0.98
    cancelled = plans.index[plans.status == "CANCELLED"]
    assert len(cancelled)
    assert plans.actual_start[cancelled].isna().all()
