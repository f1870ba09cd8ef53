"""The simulated utility: repeatable, independent of its window, physically consistent, and true to the contracts."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import openpyxl
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include.contracts import all_tables, load_contracts
from include.lab.simulate import main
from include.lab.simulator.deliver import form_rows, write_deliveries, write_forms
from include.lab.simulator.delivery_text import EVENT_COLUMNS
from include.lab.simulator.load import load_databases
from include.lab.simulator.tables import arrow_type
from include.lab.utility import generate
from include.landing.check import check_sources
from include.local.cli import _addresses_to_check
from tests.landing import land_source

DAY = date(2025, 7, 15)
SLOTS = [f"v{k}" for k in range(1, 97)]


@pytest.fixture(scope="module")
def utility():
    return generate(DAY, accounts=20, days=12, seed=3)


@pytest.fixture(scope="module")
def next_day():
    return generate(DAY + timedelta(days=1), accounts=20, days=12, seed=3)


def frame(simulation, name: str) -> pd.DataFrame:
    return simulation.tables[all_tables()[name].source, name].to_pandas()


def first_bills(simulation) -> pd.DataFrame:
    """The bills as first issued: what takes one back or stands in place of it is left out."""
    bills = frame(simulation, "mkt_bill")
    return bills[bills.orig_bill_no.isna()]


def curves(simulation, data_type: str, phase: str = "T") -> pd.DataFrame:
    rows = frame(simulation, "met_interval_96")
    rows = rows[(rows.data_type == data_type) & (rows.phase == phase) & (rows.version == 1)]
    return rows.set_index(["mp_no", "data_date"])[SLOTS].sort_index()


def test_the_same_arguments_give_the_same_tables(utility):
    again = generate(DAY, accounts=20, days=12, seed=3)
    assert all(again.tables[name].equals(table) for name, table in utility.tables.items())


def test_another_seed_gives_another_utility(utility):
    other = generate(DAY, accounts=20, days=12, seed=4)
    assert not other.tables["marketing", "mkt_bill"].equals(utility.tables["marketing", "mkt_bill"])


@pytest.mark.parametrize("name", [*EVENT_COLUMNS, "met_it", "mkt_mp", "mkt_contact", "con_contract"])
def test_a_past_row_is_the_same_a_day_later(utility, next_day, name):
    volatile = {"status", "src_updated_at"} if name == "mkt_bill" else set()
    key = list(all_tables()[name].key)
    before, after = (frame(s, name).set_index(key).drop(columns=list(volatile)) for s in (utility, next_day))
    shared = before.index.intersection(after.index)
    assert len(shared) >= 0.8 * len(before)
    pd.testing.assert_frame_equal(before.loc[shared], after.loc[shared])


@pytest.mark.parametrize(
    "name",
    [
        "met_interval_96",
        "met_register_freeze",
        "mkt_customer",
        "mkt_bill",
        "mkt_payment",
        "mkt_ticket",
        "con_contract",
        "con_trade_settle",
        "mkt_inspection",
    ],
)
def test_an_account_is_the_same_in_a_larger_utility(utility, name):
    larger = generate(DAY, accounts=40, days=12, seed=3)
    key = list(all_tables()[name].key)
    small, large = (frame(s, name).set_index(key) for s in (utility, larger))
    pd.testing.assert_frame_equal(small.sort_index(), large.loc[small.index].sort_index())


def test_no_row_is_newer_than_the_morning_after(utility):
    limit = pd.Timestamp(DAY + timedelta(days=1), tz="Asia/Shanghai") + pd.Timedelta(hours=8)
    for name, table in all_tables().items():
        assert frame(utility, name)[table.cursor_column].max() <= limit, name


def test_every_contract_table_has_rows_in_the_columns_and_types_of_the_contract(utility):
    assert set(utility.tables) == {(s, t) for s, tables in load_contracts().items() for t in tables}
    assert len(utility.tables) == 51
    for (_, name), table in utility.tables.items():
        contract = all_tables()[name]
        assert table.num_rows > 0, name
        assert table.column_names == [c.name for c in contract.columns]
        for column in contract.columns:
            assert table.schema.field(column.name).type == arrow_type(column.physical_type), (name, column.name)


def test_required_columns_are_filled_allowed_values_hold_and_keys_are_unique(utility):
    for (_, name), table in utility.tables.items():
        contract = all_tables()[name]
        for column in contract.columns:
            values = table[column.name]
            assert not (column.is_required and values.null_count), (name, column.name)
            if column.allowed:
                seen = {str(v) for v in pc.unique(values).to_pylist() if v is not None}
                assert seen <= set(column.allowed), (name, column.name)
        keys = table.select(list(contract.key)).to_pandas()
        assert not keys.duplicated().any(), name


def test_references_resolve_across_the_systems(utility):
    for (_, name), table in utility.tables.items():
        for reference in all_tables()[name].references:
            target = frame(utility, reference.target_table)
            known = set(target[list(reference.target_columns)].itertuples(index=False, name=None))
            given = table.select(list(reference.columns)).to_pandas().dropna()
            missing = set(given.itertuples(index=False, name=None)) - known
            assert not missing, (name, reference.columns, sorted(missing)[:3])


def test_the_slots_of_a_day_add_up_to_the_register(utility):
    energy = curves(utility, "E+").sum(axis=1)
    registers = frame(utility, "met_register_freeze")
    daily = registers[(registers.freeze_kind == "DAY") & (registers.rate == "T") & (registers.energy_kind == "ACTIVE")]
    meter_of = frame(utility, "met_measuring_point").set_index("meter_asset_no").mp_no
    reading = (
        daily.assign(mp_no=daily.meter_asset_no.map(meter_of), day=daily.freeze_ts.dt.date)
        .pivot(index="mp_no", columns="day", values="reading")
        .astype(float)
    )
    for (point, day), kwh in energy.items():
        assert reading.loc[point, day + timedelta(days=1)] - reading.loc[point, day] == pytest.approx(kwh, abs=5e-4)


def test_the_rates_add_up_to_the_total_of_every_register(utility):
    registers = frame(utility, "met_register_freeze")
    active = registers[registers.energy_kind == "ACTIVE"].astype({"reading": float})
    wide = active.pivot(index=["meter_asset_no", "freeze_kind", "freeze_ts"], columns="rate", values="reading")
    assert np.allclose(wide["T"], wide[["SHARP", "PEAK", "FLAT", "VALLEY", "DEEP"]].sum(axis=1), atol=1e-3)


def test_power_is_four_times_the_energy_of_the_slot_and_stays_below_the_capacity(utility):
    energy, power = curves(utility, "E+"), curves(utility, "P")
    assert np.allclose(power, 4 * energy, atol=1e-9)
    points = (
        frame(utility, "met_measuring_point").merge(frame(utility, "mkt_customer"), on="cons_no").set_index("mp_no")
    )
    primary = power.max(axis=1).groupby("mp_no").max() * points.multiplier
    assert (primary.dropna() <= 1.2 * points.running_cap_kva.astype(float)[primary.dropna().index]).all()


def test_no_slot_is_dark_without_an_outage_and_the_voltage_is_plausible(utility):
    events = frame(utility, "met_power_event")
    cut = set(zip(events.mp_no, events.event_ts.dt.date, strict=True))
    kind = frame(utility, "met_measuring_point").set_index("mp_no")
    for phase in "ABC":
        for (point, day), volts in curves(utility, "U", phase).iterrows():
            on_high_side = (50, 130) if kind.wiring[point] == "3P3W" else (30, 80)
            low, high = on_high_side if kind.metering_side[point] == "HV_HV" else (100, 280)
            live = volts[volts > 0]
            assert live.between(low, high).all()
            assert len(live) == 96 or (point, day) in cut


def test_demand_is_the_highest_power_of_the_month():
    month = generate(date(2025, 6, 30), accounts=20, days=30, seed=3)
    highest = curves(month, "P").max(axis=1).groupby("mp_no").max()
    registers = frame(month, "met_register_freeze")
    is_closing = registers.freeze_kind.eq("MONTH") & registers.freeze_ts.eq(
        pd.Timestamp("2025-07-01", tz="Asia/Shanghai")
    )
    closing = registers[is_closing & registers.rate.eq("T") & registers.energy_kind.eq("ACTIVE")]
    demand = closing.set_index("meter_asset_no").max_demand_kw.astype(float)
    meter = frame(month, "met_measuring_point").set_index("mp_no").meter_asset_no
    assert np.allclose(demand[meter[highest.index]].to_numpy(), highest.to_numpy(), atol=1e-3)


def test_a_bill_follows_from_its_registers_to_the_last_fen(utility):
    bills, lines = first_bills(utility), frame(utility, "mkt_bill_line")
    lines = lines[lines.bill_no.isin(bills.bill_no)]
    money = ["basic_charge", "energy_charge", "fund_charge", "line_loss_charge", "system_op_charge", "pf_adj_charge"]
    assert (bills[money].sum(axis=1) == bills.total_charge).all()
    per_bill = lines.groupby("bill_no")[["kwh_billed", "charge"]].sum().loc[bills.bill_no]
    assert (per_bill.kwh_billed.to_numpy() == bills.kwh_total.to_numpy()).all()
    assert (per_bill.charge.to_numpy() == bills.energy_charge.to_numpy()).all()
    multiplier = lines.multiplier.to_numpy()
    read = (lines.curr_reading.astype(float) - lines.prev_reading.astype(float)) * multiplier
    assert np.allclose(read, lines.kwh_read.astype(float), atol=2e-4 * multiplier.max())
    registers = frame(utility, "met_register_freeze")
    monthly = registers[registers.freeze_kind.eq("MONTH") & registers.energy_kind.eq("ACTIVE")]
    reading = monthly.assign(day=monthly.freeze_ts.dt.date).set_index(["meter_asset_no", "rate", "day"]).reading
    dated = lines.merge(bills[["bill_no", "read_from", "read_to"]], on="bill_no")
    for day, column in (("read_from", "prev_reading"), ("read_to", "curr_reading")):
        keys = pd.MultiIndex.from_frame(dated[["meter_asset_no", "rate", day]])
        assert (reading[keys].to_numpy() == dated[column].to_numpy()).all()


def test_the_basic_charge_and_the_power_factor_adjustment_follow_the_rules(utility):
    bills = first_bills(utility)
    charged = bills[bills.basic_mode != "NONE"]
    product = charged.basic_qty.astype(float) * charged.basic_price.astype(float) - charged.md_discount_charge.astype(
        float
    )
    assert (product - charged.basic_charge.astype(float)).abs().max() <= 0.0051
    adjusted = bills.pf_adj_base.astype(float) * bills.pf_adj_pct.astype(float) / 100
    assert (adjusted - bills.pf_adj_charge.astype(float)).abs().max() <= 0.0051
    active, reactive = bills.kwh_total.astype(float), bills.kvarh_fwd.astype(float) + bills.kvarh_rev.astype(float)
    factor = active / np.hypot(active, reactive)
    assert (factor - bills.pf_actual.astype(float)).abs().max() <= 1.01e-4
    assert bills.pf_adj_pct.astype(float).between(-1.30, 12).all()


def test_bills_of_an_account_follow_on_without_gaps(utility):
    bills = first_bills(utility).sort_values(["cons_no", "bill_month"])
    assert (bills.groupby("cons_no").size() == 25).all()
    before = bills.groupby("cons_no").read_to.shift()
    assert (before.isna() | (before == bills.read_from)).all()


def test_payments_match_bills_and_penalties(utility):
    paid = frame(utility, "mkt_payment").groupby("bill_no").amount.sum()
    charged = frame(utility, "mkt_penalty").query("not waived")
    penalty = charged.groupby("bill_no").penalty_yuan.sum()
    bills = frame(utility, "mkt_bill").set_index("bill_no")
    for bill_no, status in bills.status.items():
        owed = bills.total_charge[bill_no] + penalty.get(bill_no, 0)
        assert {
            "PAID": paid.get(bill_no) == owed,
            "PARTIAL": paid.get(bill_no, 0) < owed,
            "ISSUED": paid.get(bill_no, 0) == 0,
            "REVERSED": paid.get(bill_no, 0) == 0,
        }[status]


def test_a_bill_that_was_wrong_is_taken_back_and_billed_anew():
    large = generate(date(2026, 7, 15), accounts=200, days=1, seed=1)
    bills = frame(large, "mkt_bill").set_index("bill_no")
    lines, payments = frame(large, "mkt_bill_line"), frame(large, "mkt_payment")
    again = bills[bills.orig_bill_no.notna()]
    assert len(again) >= 8
    for original, pair in again.groupby("orig_bill_no"):
        minus, new = pair.loc[f"{original}R"], pair.loc[f"{original}N"]
        assert (bills.status[original], minus.status) == ("REVERSED", "REVERSED")
        assert bills.total_charge[original] + minus.total_charge == 0
        assert bills.kwh_total[original] == new.kwh_total == -minus.kwh_total
        assert new.total_charge == bills.total_charge[original]
        kwh = lines.groupby("bill_no").kwh_billed.sum()
        assert (kwh[f"{original}R"], kwh[f"{original}N"]) == (minus.kwh_total, new.kwh_total)
        assert payments[payments.bill_no == original].amount.sum() == 0


@pytest.fixture(scope="module")
def large():
    return generate(date(2026, 11, 23), accounts=200, days=3, seed=1)


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


def test_a_customer_that_left_may_owe_its_last_bill(large):
    customers, bills = frame(large, "mkt_customer"), frame(large, "mkt_bill")
    closed = customers[customers.status == "CLOSED"].set_index("cons_no").close_date
    last = bills[bills.cons_no.map(closed) == bills.read_to]
    assert (last.status != "PAID").sum() >= 1
    assert (last.status == "PAID").sum() >= 1


def test_own_generation_feeds_in_only_where_the_sun_gives_more_than_the_grid():
    simulation = generate(date(2026, 11, 23), accounts=160, days=20, seed=1)
    feed, active = curves(simulation, "E-"), curves(simulation, "E+")
    factor = frame(simulation, "met_measuring_point").set_index("mp_no").multiplier
    assert len(feed.index.get_level_values(0).unique()) == 8
    assert (feed.sum(axis=1) > 0).any()
    for (point, day), slots in feed[feed.sum(axis=1) > 0].iterrows():
        sun = active.loc[(f"{point[:-2]}04", day)] * factor[f"{point[:-2]}04"]
        fed = slots > 0
        assert (sun[fed] > active.loc[(point, day)][fed] * factor[point]).all()
        assert (slots[fed] * factor[point] < sun[fed]).all()


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
    plans = frame(generate(DAY, accounts=20, days=1, seed=seed), "mkt_outage_plan")
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


def test_revenue_is_skewed(utility):
    revenue = (
        frame(utility, "mkt_bill").groupby("cons_no").total_charge.sum().astype(float).sort_values(ascending=False)
    )
    assert revenue.iloc[:4].sum() > 0.6 * revenue.sum()


def test_every_account_has_one_primary_manager_and_one_contract_in_force(utility):
    managers, contracts = frame(utility, "mkt_manager_assign"), frame(utility, "con_contract")
    open_ended = managers[(managers.assign_role == "PRIMARY") & managers.valid_to.isna()]
    accounts = set(frame(utility, "mkt_customer").cons_no)
    assert sorted(open_ended.cons_no) == sorted(accounts)
    assert sorted(contracts[contracts.status == "EFFECTIVE"].cons_no) == sorted(accounts)


def test_most_notices_of_planned_outages_are_in_time():
    month = generate(date(2025, 7, 15), accounts=200, days=1, seed=3)
    notices = frame(month, "mkt_outage_notice")
    plans = frame(month, "mkt_outage_plan").set_index("plan_no")
    done = frame(month, "mkt_outage_affected").query("exception_code.isna()")
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


def test_deliveries_are_byte_for_byte_repeatable_and_announced(utility, tmp_path):
    files = write_deliveries(utility, tmp_path)
    content = [path.read_bytes() for path in files]
    assert [path.read_bytes() for path in write_deliveries(utility, tmp_path)] == content
    manifest = json.loads((tmp_path / "marketing/mkt_bill/_manifest.json").read_text())
    (entry,) = manifest["files"]
    assert manifest["synthetic"] is True
    assert entry["rows"] == len(frame(utility, "mkt_bill")) >= 20 * 25
    assert entry["sums"]["total_charge"] == str(frame(utility, "mkt_bill").total_charge.sum())
    assert "complete_from" not in json.loads((tmp_path / "marketing/mkt_org/_manifest.json").read_text())["files"][0]


def test_a_later_delivery_holds_what_is_new(utility, next_day, tmp_path):
    write_deliveries(utility, tmp_path, sources=("metering",))
    write_deliveries(next_day, tmp_path, sources=("metering",))
    folder = tmp_path / "metering/met_interval_96"
    later = pa.parquet.read_table(folder / "met_interval_96_20250716.parquet")
    assert set(later["data_date"].to_pylist()) == {date(2025, 7, 16)}
    assert len(json.loads((folder / "_manifest.json").read_text())["files"]) == 2
    whole = (tmp_path / "metering/met_meter/met_meter_20250716.csv").read_text().splitlines()
    assert len(whole) == 1 + next_day.tables["metering", "met_meter"].num_rows


def test_two_deliveries_one_after_the_other_lose_no_row(utility, next_day, tmp_path):
    for simulation in (utility, next_day):
        write_deliveries(simulation, tmp_path, sources=("marketing",))
    for name in ("mkt_payment", "mkt_survey", "mkt_manager_visit", "mkt_bill"):
        key = list(all_tables()[name].key)
        delivered = pd.concat(pd.read_csv(p, dtype=str) for p in (tmp_path / "marketing" / name).glob("*.csv"))
        wanted = set(frame(next_day, name)[key].astype(str).itertuples(index=False, name=None))
        assert wanted <= set(delivered[key].itertuples(index=False, name=None)), name


def test_forms_hold_text_and_the_databases_do_not_hold_the_forms(utility, tmp_path):
    files = write_forms(utility, tmp_path)
    assert sorted(path.suffix for path in files) == [".csv", ".csv", ".xlsx", ".xlsx"]
    book = next(path for path in files if path.suffix == ".xlsx" and "inspection" in str(path))
    assert book.read_bytes() == next(p for p in write_forms(utility, tmp_path) if p == book).read_bytes()
    rows = list(openpyxl.load_workbook(book).active.iter_rows(values_only=True))
    assert list(rows[0]) == [c.name for c in all_tables()["mkt_inspection"].columns]
    assert len(rows) > 1
    assert all(isinstance(value, str) or value is None for row in rows for value in row)


def test_a_unit_that_writes_its_forms_on_fridays_hands_in_the_same_one_all_week(tmp_path):
    """11 July 2025 is a Friday."""
    contents = {}
    for day in (date(2025, 7, 11), date(2025, 7, 17), date(2025, 7, 25)):
        files = write_forms(generate(day, accounts=60, days=1), tmp_path / f"{day}")
        contents[day.day] = {path.name: path.read_bytes() for path in files if path.parent.name == "mkt_manager_visit"}
    nightly, weekly = "U310102MAR_202507{}.csv", "U310103MAR_202507{}.xlsx"
    assert [list(found) for found in contents.values()] == [
        [nightly.format(11), weekly.format(11)],
        [nightly.format(17), weekly.format(11)],
        [nightly.format(25), weekly.format(25)],
    ]
    assert contents[11][weekly.format(11)] == contents[17][weekly.format(11)] != contents[25][weekly.format(25)]
    assert contents[11][nightly.format(11)] != contents[17][nightly.format(17)]


def test_a_date_before_the_simulated_world_is_refused():
    with pytest.raises(ValueError, match="later business date"):
        generate(date(2024, 1, 1), accounts=20)


def test_the_command_writes_the_folder_and_names_the_planted_classes(tmp_path, capsys):
    assert (
        main([str(tmp_path), "--accounts", "20", "--days", "4", "--defects", "7", "--business-date", "2025-07-15"]) == 0
    )
    assert "X1 " in capsys.readouterr().out
    truth = pd.read_csv(tmp_path / "truth.csv", dtype=str)
    columns = "defect_class source_name table_name record_key column_name right_value rule_ids"
    assert " ".join(truth.columns) == columns
    assert (tmp_path / "contract/con_contract/_manifest.json").exists()


def test_the_folder_of_the_command_is_the_whole_utility(database, tmp_path, capsys, monkeypatch):
    """Landed from the addresses that the command prints, every table has its rows, those of two units by form."""
    day = date(2025, 7, 15)
    assert main([str(tmp_path), "--accounts", "20", "--days", "4", "--business-date", f"{day}"]) == 0
    addresses = dict(line.strip().split("=") for line in capsys.readouterr().out.splitlines() if "KAW_SOURCE_" in line)
    assert set(addresses) == {f"KAW_SOURCE_{source}" for source in ("METERING", "MARKETING", "CONTRACT", "FORMS")}
    for name, value in (addresses | {"KAW_HOME": f"{tmp_path}/home", "KAW_WAREHOUSE": database}).items():
        monkeypatch.setenv(name, value)
    checks = {(check.source, check.table): check for check in check_sources(_addresses_to_check(), day)}
    assert [check.problem for check in checks.values() if check.problem] == []
    assert {name for source, name in checks if source == "forms"} == {"mkt_inspection", "mkt_manager_visit"}
    for source in load_contracts():
        assert [receipt for receipt in land_source(database, source, day) if receipt.state != "landed"] == []
    whole = generate(day, accounts=20, days=4)
    with psycopg.connect(database) as connection:
        for (source, name), table in whole.tables.items():
            counted = connection.execute(
                f"select _channel, count(*) from raw_{source}.{name} where not _is_tombstone group by 1 order by 1"
            ).fetchall()
            by_form = sum(
                form_rows(whole, name, accounts).num_rows
                for accounts in whole.form_units.values()
                if (source, name) in whole.form_tables
            )
            expected = [("auto", table.num_rows - by_form), ("form", by_form)]
            assert counted == [(channel, rows) for channel, rows in expected if rows], name
            assert (by_form > 0) == ((source, name) in whole.form_tables), name


def test_a_wrong_argument_is_refused_with_exit_code_two(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--accounts", "5"])
    assert stopped.value.code == 2


def test_the_databases_hold_the_contract_tables_without_the_forms(utility, empty_database):
    load_databases(utility, {"marketing": empty_database, "contract": empty_database})
    load_databases(utility, {"contract": empty_database})
    with psycopg.connect(empty_database) as connection:
        counts = {
            name: connection.execute(f"select count(*) from public.{name}").fetchone()[0]
            for source in ("marketing", "contract")
            for name in load_contracts()[source]
        }
        total = connection.execute("select sum(total_charge), max(src_updated_at) from public.mkt_bill").fetchone()
    bills = frame(utility, "mkt_bill")
    assert total == (bills.total_charge.sum(), bills.src_updated_at.max())
    by_form = {cons for members in utility.form_units.values() for cons in members}
    for name, count in counts.items():
        rows = frame(utility, name)
        if ("marketing", name) in utility.form_tables:
            rows = rows[~rows.cons_no.isin(by_form)]
        assert count == len(rows), name
