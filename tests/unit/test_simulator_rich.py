"""The stories of a rich utility: each is lived by as many as its definition says, and shows in what the systems deliver.

200 accounts are ten blocks of twenty, five of them with an even number; what a place of a block lives, ten or five accounts live.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from include.contracts import all_tables
from include.errors import UsageError
from include.lab import simulate, source
from include.lab.simulator.simulation import Simulation
from tests.simulated import curves, frame, simulated

DAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rich() -> Simulation:
    return simulated(DAY, accounts=200, days=3, seed=1, is_rich=True)


@pytest.fixture(scope="module")
def plain() -> Simulation:
    return simulated(DAY, accounts=200, days=3, seed=1)


def test_the_plain_utility_lives_no_story(plain):
    points, installs = frame(plain, "mkt_mp"), frame(plain, "mkt_meter_install")
    assert set(points.mp_role) == {"BILLING", "CHECK", "GENERATION"}
    assert not installs.mp_no.duplicated().any()
    assert not frame(plain, "mkt_customer").uscc.duplicated().any()
    assert "RENAME" not in set(frame(plain, "mkt_application").app_type)
    assert set(frame(plain, "met_register_freeze").dir) == {"FWD"}


def test_ten_accounts_have_two_sub_meters_each_that_measure_85_percent_of_the_meter_above(rich):
    points = frame(rich, "met_measuring_point")
    below = points[points.mp_role == "SUB"]
    assert (len(below), below.cons_no.nunique()) == (20, 10)
    assert (below.split_method == "METERED").all()
    assert (below.parent_mp_no == below.cons_no + "01").all()
    kwh = curves(rich, "E+").sum(axis=1).reset_index(name="kwh")
    kwh["primary"] = kwh.kwh * kwh.mp_no.map(points.set_index("mp_no").multiplier).astype(float)
    day = kwh.set_index(["mp_no", "data_date"]).primary
    parts = kwh[kwh.mp_no.isin(below.mp_no)]
    parts = parts.groupby([parts.mp_no.str[:-2] + "01", "data_date"]).primary.sum()
    above = day.reindex(parts.index).dropna()
    assert len(above) >= 27  # of 30, for a curve may be lost
    assert np.allclose(parts[above.index] / above, 0.85, atol=0.005)


def test_five_accounts_have_two_billing_points_on_one_feeder_beside_those_with_two_supplies(rich):
    points = frame(rich, "mkt_mp").query("mp_role == 'BILLING'")
    by_account = points.groupby("cons_no").feeder_no.agg(["size", "nunique"])
    assert by_account.value_counts().to_dict() == {(1, 1): 185, (2, 2): 10, (2, 1): 5}
    bills = frame(rich, "mkt_bill_line").groupby("bill_no").mp_no.nunique()
    assert set(bills[bills.index.str[6:].isin(by_account.index[by_account["size"] == 2])]) == {2}


def test_ten_meters_were_swapped_half_of_them_with_larger_current_transformers(rich):
    installs = frame(rich, "mkt_meter_install").sort_values(["mp_no", "install_date"])
    swapped = installs[installs.mp_no.duplicated(keep=False)]
    old, new = (swapped.groupby("mp_no").nth(n).set_index("mp_no") for n in (0, 1))
    assert len(old) == len(new) == 10
    assert (new.ct_ratio > old.ct_ratio).sum() == 5
    assert (new.ct_ratio == old.ct_ratio).sum() == 5
    assert (old.remove_date == new.install_date).all()
    assert sorted(f"{day:%Y-%m}" for day in old.remove_date[new.ct_ratio > old.ct_ratio]) == [
        *("2025-07", "2025-11", "2026-03", "2026-07", "2026-11")
    ]
    meters, points = (frame(rich, "met_meter").set_index("meter_asset_no"), frame(rich, "met_measuring_point"))
    assert set(meters.status[old.meter_asset_no]) == {"REMOVED"}
    assert points.set_index("mp_no").meter_asset_no[new.index].tolist() == new.meter_asset_no.tolist()
    freezes = frame(rich, "met_register_freeze").query("energy_kind == 'ACTIVE' and rate == 'T'")
    freezes = freezes[freezes.freeze_kind == "MONTH"].assign(day=lambda rows: rows.freeze_ts.dt.date)
    reading = freezes.set_index(["meter_asset_no", "day"]).reading
    shown = old.remove_date >= date(2024, 10, 1)  # the first month of which registers are delivered
    assert shown.sum() == 9
    for number, rows in (
        (old.meter_asset_no, old.remove_reading_total),
        (new.meter_asset_no, new.install_reading_total),
    ):
        keys = list(zip(number[shown], old.remove_date[shown], strict=True))
        assert reading[keys].tolist() == rows[shown].tolist()
    lines = frame(rich, "mkt_bill_line").query("rate == 'PEAK' and not bill_no.str.endswith('R')")
    kwh = lines[lines.mp_no.isin(old.index)].groupby(["mp_no", "multiplier"]).kwh_read.mean().astype(float)
    billed = [kwh[point].sort_index() for point in new.index[new.ct_ratio > old.ct_ratio] if len(kwh[point]) == 2]
    assert len(billed) == 4  # the newest has no bill yet
    assert all(0.6 < after / before < 1.6 for before, after in billed)  # the customer notices nothing


def test_five_accounts_were_sold_and_their_contract_tells_both_owners(rich):
    amendments = frame(rich, "con_amendment").query("field_name == 'uscc'")
    contracts = frame(rich, "con_contract").set_index(["contract_no", "version"])
    customers = frame(rich, "mkt_customer").set_index("cons_no")
    assert sorted(f"{day:%Y-%m}" for day in amendments.effective_on) == [
        *("2025-03", "2025-08", "2026-01", "2026-06", "2026-11")
    ]
    for row in amendments.itertuples():
        before, after = contracts.loc[(row.contract_no, 1)], contracts.loc[(row.contract_no, 2)]
        assert (before.uscc, after.uscc) == (row.old_value, row.new_value)
        assert customers.loc[after.cons_no, ["cons_name", "uscc"]].tolist() == [after.party_b_name, after.uscc]
        assert before.party_b_name != after.party_b_name
    renames = frame(rich, "mkt_application").query("app_type == 'RENAME'")
    assert set(amendments.app_no) <= set(renames.app_no)


def test_five_groups_of_three_accounts_have_one_legal_customer_and_one_payer(rich):
    customers, payers = frame(rich, "mkt_customer"), frame(rich, "mkt_account")
    groups = customers[customers.uscc.duplicated(keep=False)].groupby("uscc")
    assert groups.size().tolist() == [3] * 5
    accounts = payers.set_index("cons_no").acct_no
    assert all(accounts[group.cons_no].nunique() == 1 for _, group in groups)
    assert all(group.cons_name.nunique() == 1 and group.addr.nunique() == 3 for _, group in groups)


def test_five_accounts_joined_and_five_left_amid_a_month_and_were_billed_by_day(rich):
    customers, bills = frame(rich, "mkt_customer"), frame(rich, "mkt_bill")
    bills = bills[bills.orig_bill_no.isna()].set_index("bill_no")
    joined = customers[customers.connect_date.map(lambda day: day.day == 17 and day.year > 2024)]
    assert sorted(joined.connect_date.astype(str)) == [
        *("2025-05-17", "2025-09-17", "2026-01-17", "2026-05-17", "2026-09-17")
    ]
    left = customers[customers.close_date.map(lambda day: day is not None and day.day == 12)]
    assert sorted(left.close_date.astype(str)) == [
        *("2025-06-12", "2025-10-12", "2026-02-12", "2026-06-12", "2026-10-12")
    ]
    for account in joined.itertuples():
        first = bills[bills.cons_no == account.cons_no].sort_values("bill_month").iloc[0]
        assert first.read_from == account.connect_date
        whole = bills[bills.cons_no == account.cons_no].sort_values("bill_month").iloc[1]
        if whole.basic_mode == "BY_CAPACITY":  # the 17th to the 31st, or to the 30th
            days = (first.read_to - first.read_from).days
            assert float(first.basic_qty) == pytest.approx(float(whole.basic_qty) * days / 30, abs=1e-4)
        assert 0.25 < float(first.kwh_total / whole.kwh_total) < 0.75
    for account in left.itertuples():
        last = bills[bills.cons_no == account.cons_no].sort_values("bill_month").iloc[-1]
        assert (last.read_from, last.read_to) == (account.close_date.replace(day=1), account.close_date)


def test_ten_accounts_feed_in_and_five_of_them_have_a_battery(rich):
    points = frame(rich, "mkt_mp").query("mp_role == 'GENERATION'").groupby("cons_no").size()
    assert points.value_counts().to_dict() == {1: 5, 2: 5}
    freezes = frame(rich, "met_register_freeze").query("dir == 'REV' and freeze_kind == 'DAY'")
    meter_of = frame(rich, "met_measuring_point").set_index("meter_asset_no").mp_no
    freezes = freezes.assign(mp_no=freezes.meter_asset_no.map(meter_of), day=freezes.freeze_ts.dt.date)
    assert set(freezes.mp_no.str[:-2]) == set(points.index)
    reading = freezes.pivot(index="mp_no", columns="day", values="reading").astype(float)
    fed = curves(rich, "E-").sum(axis=1)
    assert (fed > 0).any()
    for (point, day), kwh in fed.items():
        assert reading.loc[point, day + pd.Timedelta(days=1)] - reading.loc[point, day] == pytest.approx(kwh, abs=5e-4)
    energy = curves(rich, "E+")
    at_night, at_noon = (energy.iloc[:, low:high].mean(axis=1) for low, high in ((4, 24), (64, 76)))
    ratio = (at_night / at_noon).groupby("mp_no").mean()
    charged, others = (ratio[[f"{account}01" for account in points.index[points == n]]] for n in (2, 1))
    assert charged.min() > others.max()


def test_an_industry_is_in_decline(rich, plain):
    """0.9994 to the power of 365 is 0.80; single works grow or shrink by up to 3 % a year."""
    for simulation, (low, high) in ((rich, (0.77, 0.83)), (plain, (0.96, 1.04))):
        bills = frame(simulation, "mkt_bill").query("orig_bill_no.isna() and bill_month > '202410'")
        industry = frame(simulation, "mkt_customer").set_index("cons_no").industry_code
        bills = bills[bills.groupby("cons_no").bill_no.transform("size") == 24]
        bills = bills.assign(
            industry=bills.cons_no.map(industry), kwh=bills.kwh_total.astype(float), late=bills.bill_month > "202510"
        )
        year = bills.groupby(["industry", "late"]).kwh.sum().unstack()
        change = year[True] / year[False]
        assert low < change["1711"] < high
        assert change.drop("1711").between(0.95, 1.05).all()


@pytest.mark.parametrize(
    ("seed", "accounts", "day"), [(2, 300, date(2026, 11, 3)), (3, 40, date(2024, 8, 1)), (4, 60, date(2027, 8, 1))]
)
def test_any_seed_size_and_date_gives_tables_whose_references_resolve(seed, accounts, day):
    simulation = simulated(day, accounts=accounts, days=1, seed=seed, is_rich=True)
    for (_, name), table in simulation.tables.items():
        for reference in all_tables()[name].references:
            known = frame(simulation, reference.target_table)[list(reference.target_columns)]
            given = table.select(list(reference.columns)).to_pandas().dropna()
            known, given = (set(rows.itertuples(index=False, name=None)) for rows in (known, given))
            assert given <= known, (name, reference.columns)


def test_an_office_is_slow_in_what_is_its_own(rich, plain):
    def days(simulation: Simulation) -> pd.DataFrame:
        stages = (
            frame(simulation, "mkt_app_stage")
            .query("stage in ('SCHEME', 'DESIGN_REVIEW', 'BUILD')")
            .dropna(subset="end_at")
        )
        accounts = frame(simulation, "mkt_application").set_index("app_no").cons_no
        office = frame(simulation, "mkt_customer").set_index("cons_no").org_no
        took = (stages.end_at - stages.start_at).dt.total_seconds() / 86400
        stages = stages.assign(days=took, slow=stages.app_no.map(accounts).map(office) == "310104")
        return stages.groupby(["clock_owner", "slow"]).days.mean().unstack()

    rich_days, plain_days = days(rich), days(plain)
    assert rich_days.loc["UTILITY", True] > 1.6 * rich_days.loc["UTILITY", False]
    assert plain_days.loc["UTILITY", True] < 1.4 * plain_days.loc["UTILITY", False]
    assert 0.7 < rich_days.loc["CUSTOMER", True] / rich_days.loc["CUSTOMER", False] < 1.4


def test_one_feeder_of_25_fails_often_and_a_storm_takes_many_at_once(rich, plain):
    outages = frame(rich, "met_supply_outage")
    outages = outages[outages.end_at - outages.start_at > pd.Timedelta(minutes=3)].assign(
        day=lambda rows: rows.start_at.dt.date
    )
    storm = outages[outages.day == date(2026, 7, 28)]
    assert 8 <= len(storm) <= 20  # nine in ten of twelve feeders overland, a quarter of thirteen in the city
    assert set(storm.cause_code) == {"WEATHER"}
    assert outages[outages.day != date(2026, 7, 28)].groupby("day").size().max() <= 5
    faults = outages[(outages.kind == "FAULT") & (outages.day != date(2026, 7, 28))].groupby("feeder_no").size()
    assert faults.idxmax() == "10F00005"
    assert faults["10F00005"] >= 3 * faults.drop("10F00005").mean()
    assert date(2026, 7, 28) not in set(frame(plain, "met_supply_outage").start_at.dt.date)


def test_works_rest_in_the_holiday_week_of_both_utilities():
    """1 to 7 October 2026 are holidays: works in machinery then need 0.30 of a working day's energy."""
    for is_rich in (False, True):
        simulation = simulated(date(2026, 10, 9), accounts=20, days=20, seed=1, is_rich=is_rich)
        industry = frame(simulation, "mkt_customer").set_index("cons_no").industry_code
        kwh = curves(simulation, "E+").sum(axis=1).reset_index(name="kwh")
        kwh = kwh[kwh.mp_no.str[:-2].map(industry) == "3421"]
        is_holiday = kwh.data_date.between(date(2026, 10, 1), date(2026, 10, 7))
        usual = kwh[~is_holiday].groupby("mp_no").kwh.median()
        assert len(usual) >= 2
        assert ((kwh[is_holiday].groupby("mp_no").kwh.mean() / usual).between(0.2, 0.4)).all()


def lived(simulation: Simulation) -> dict[str, int]:
    """Accounts by situation, counted in what the systems deliver; what has no table of its own from the world."""
    points, installs = frame(simulation, "mkt_mp"), frame(simulation, "mkt_meter_install")
    customers, payers, bills = (frame(simulation, name) for name in ("mkt_customer", "mkt_account", "mkt_bill"))
    billing = points[points.mp_role == "BILLING"].groupby("cons_no").feeder_no.agg(["size", "nunique"])
    generation = points[points.mp_role == "GENERATION"].groupby("cons_no").size()
    swaps = installs.sort_values("install_date").groupby("mp_no").ct_ratio.agg(["size", "first", "last"])
    swaps = swaps[swaps["size"] == 2]
    moved = pd.concat(
        [customers.connect_date[customers.connect_date >= date(2024, 1, 1)], customers.close_date.dropna()]
    )
    on_first = moved.map(lambda day: day.day == 1)
    trade = frame(simulation, "con_trade_agreement")
    trade = trade[(trade.valid_from <= DAY) & (trade.valid_to.isna() | (trade.valid_to >= DAY))]
    events, tiers = frame(simulation, "met_power_event"), frame(simulation, "mkt_service_tier")
    dark = events[(events.event_ts.dt.date == date(2026, 7, 28)) & (events.event == "POWER_DOWN")]
    stories = [account.story for account in simulation.world.accounts]
    registers, transformers = frame(simulation, "met_register_freeze"), frame(simulation, "mkt_transformer")
    is_small = tiers.cons_no.str[4:].astype(int) % 20 == 9
    return {
        "two feeds, each with a billing point": (billing["nunique"] == 2).sum(),
        "two billing points on one feeder": ((billing["size"] == 2) & (billing["nunique"] == 1)).sum(),
        "check meter": (points.mp_role == "CHECK").sum(),
        "two sub-meters below the billing point": points[points.mp_role == "SUB"].cons_no.nunique(),
        "solar plant that feeds in": frame(simulation, "met_interval_96").query("data_type == 'E-'").mp_no.nunique(),
        "register of what is fed in": registers[registers.dir == "REV"].meter_asset_no.nunique(),
        "battery, charged at night": (generation == 2).sum(),
        "meter swapped, same ratio": (swaps["first"] == swaps["last"]).sum(),
        "meter swapped, larger current transformers": (swaps["first"] < swaps["last"]).sum(),
        "sold to another owner": frame(simulation, "con_amendment").query("field_name == 'uscc'").amend_no.nunique(),
        "one of three accounts of a legal customer": customers.uscc.duplicated(keep=False).sum(),
        "bills paid by another account": (payers.acct_no.str[4:] != payers.cons_no.str[4:]).sum(),
        "joined or left on the first of a month since 2024": on_first.sum(),
        "joined or left amid a month": (~on_first).sum(),
        "capacity increased": sum(account.growth_kva > 0 for account in simulation.world.accounts),
        "transformer rests for months": transformers[transformers.state == "STOP"].cons_no.nunique(),
        "strategic account for a part of a year": tiers[is_small & (tiers.tier == "T1")].cons_no.nunique(),
        "buys directly from a power station": (trade.trade_mode == "DIRECT").sum(),
        "buys from a retailer": (trade.trade_mode == "RETAIL").sum(),
        "bill taken back and billed anew": bills[bills.status == "REVERSED"].cons_no.nunique(),
        "in an industry in decline": sum(story.fades for story in stories),
        "behind the feeder that fails often": sum(
            simulation.world.is_rich and account.main_feeder == "10F00005" for account in simulation.world.accounts
        ),
        "dark in the storm of 28 July 2026": dark.mp_no.str[:-2].nunique(),
        "customer of the office that is slow": sum(story.is_slow for story in stories),
    }


def test_the_page_tells_how_many_live_each_situation(plain, rich):
    page = (ROOT / "docs/reference/simulated-utility.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    told = {situation: (int(in_one), int(in_other)) for situation, in_one, in_other in rows}
    in_rich = lived(rich)
    counted = {situation: (int(n), int(in_rich[situation])) for situation, n in lived(plain).items()}
    assert told == counted


def test_the_page_names_modules_and_marts_that_are_there():
    page = (ROOT / "docs/reference/simulated-utility.md").read_text(encoding="utf-8")
    made_in = {
        name
        for cell in re.findall(r"^\| [^|]+ \| \d+ \| \d+ \| ([^|]+) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert made_in <= {path.stem for path in (ROOT / "include/lab/simulator").glob("*.py")}
    models = {path.stem for path in (ROOT / "dbt_project/models").rglob("*.sql")}
    named = re.findall(r"`((?:mart|fct)_\w+)(?:\.(\w+))?`", page)
    assert len(named) > 20
    for model, column in named:
        assert model in models, model
        (path,) = (ROOT / "dbt_project/models").rglob(f"{model}.sql")
        assert not column or re.search(rf"\b{column}\b", path.read_text(encoding="utf-8")), (model, column)


def choose(**asked) -> dict:
    nothing = {"accounts": None, "days": None, "seed": None, "rich": None, "defects": None}
    return source.choose(**nothing | {"blocking": False, "fresh": False} | asked)


def test_a_home_keeps_its_kind(monkeypatch, tmp_path):
    monkeypatch.setenv("KAW_HOME", str(tmp_path))
    assert choose()["rich"] is False
    (tmp_path / source.STATE).write_text('{"accounts": 200, "days": 45, "seed": 1, "defects": null, "blocking": false}')
    assert source.chosen()["rich"] is False  # a home from before there were two kinds
    with pytest.raises(UsageError, match="already simulates a utility without stories; --rich would change its past"):
        choose(rich=True)
    assert choose(rich=True, fresh=True)["rich"] is True
    assert choose()["rich"] is True


def test_what_a_home_has_chosen_is_what_its_sources_deliver(monkeypatch, tmp_path):
    monkeypatch.setenv("KAW_HOME", str(tmp_path))
    choose(accounts=20, days=1, rich=True)
    assert "SUB" in set(frame(source.simulate(DAY), "mkt_mp").mp_role)


def test_the_command_writes_a_rich_utility(tmp_path):
    given = ["--accounts", "20", "--days", "1", "--business-date", f"{DAY}", "--rich"]
    assert simulate.main([str(tmp_path), *given]) == 0
    points = pd.read_csv(tmp_path / "marketing" / "mkt_mp" / "mkt_mp_20261122.csv")
    assert (points.mp_role == "SUB").sum() == 2
