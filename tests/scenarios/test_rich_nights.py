"""A night of a rich utility goes through both gates, and the marts show its stories.

60 accounts are three blocks of twenty: 0 and 2 live what even blocks live, 1 what odd ones do.
"""

from __future__ import annotations

from datetime import date

from include.lab.simulator.simulation import Simulation
from tests.nights import Utility

ENLARGED = {"031000001801", "031000005801"}


def replaced_transformers(simulation: Simulation) -> set[str]:
    rows = simulation.tables["metering", "met_it"].to_pylist()
    return {row["it_asset_no"] for row in rows if row["mp_no"] in ENLARGED and row["valid_to"] is not None}


def test_a_rich_night_is_published_and_its_stories_show_in_the_marts(utility: Utility):
    simulation = utility.deliver(date(2026, 11, 22), accounts=60, days=6, rich=True)
    run = utility.run(date(2026, 11, 22))

    assert utility.rows("select state from quality.runs where run_id = %s", run["run_id"]) == [("published",)]
    # not at the first contract of the account that was sold, nor at the transformers that were exchanged
    assert utility.rows("select rule_id, severity, record_key from quality.findings") == []
    assert len(replaced_transformers(simulation)) == 5  # of a point of three wires two, of one of four wires three

    # sub-meters: accounts 10, 30 and 50 have two each
    points = "select count(distinct metering_point_no) from marts.mart_metering_integrity where role_code = 'SUB'"
    assert utility.rows(points) == [(6,)]
    # two feeds: accounts 1, 21 and 41; a second point on the same feeder: account 34
    several = "select account_no from marts.mart_key_account_360 where billing_points = 2 order by 1"
    assert utility.rows(several) == [("0310000002",), ("0310000022",), ("0310000035",), ("0310000042",)]
    # a new owner (37) and a new ratio (17, 57) are a second version of the contract
    versions = (
        "select distinct account_no from marts.mart_contract_health where contract_version = 2 and account_no = any(%s)"
    )
    changed = ["0310000018", "0310000038", "0310000058"]
    assert sorted(utility.rows(versions, changed)) == [(account,) for account in changed]
    # energy of a point goes on where its ratio grew: account 57 in April 2026
    kwh = dict(
        utility.rows(
            "select bill_month, billed_kwh from warehouse.fct_bills where account_no = '0310000058'"
            " and bill_month in ('2026-03-01', '2026-04-01') and billed_kwh > 0"
        )
    )
    assert 0.7 < kwh[date(2026, 4, 1)] / kwh[date(2026, 3, 1)] < 1.4
    # a month that is not whole: account 35 joined on 17 September 2026, account 24 left on 12 October
    spans = "select min(read_from), max(read_to) from staging.stg_marketing__bills where account_no = %s"
    assert utility.rows(spans, "0310000036")[0][0] == date(2026, 9, 17)
    assert utility.rows(spans, "0310000025")[0][1] == date(2026, 10, 12)
    # the textile industry uses a fifth less than a year ago
    ((lowest, change),) = utility.rows(
        "select industry_code, avg(energy_yoy) from marts.mart_churn_risk"
        " inner join marts.mart_key_account_360 using (account_no) where month_start_date = '2026-10-01'"
        " group by industry_code order by 2 limit 1"
    )
    assert (lowest, -0.27 < change < -0.14) == ("1711", True)
    # the feeder that fails often, and the storm of 28 July 2026 on feeders overland: 2, 4 and 5
    often = "select feeder_no from warehouse.fct_supply_outages group by 1 order by count(*) desc limit 1"
    assert utility.rows(often) == [("10F00005",)]
    storm = "select count(distinct feeder_no) from warehouse.fct_supply_outages where started_at::date = '2026-07-28'"
    assert utility.rows(storm)[0][0] >= 2
    worst = (
        "select month_start_date from marts.mart_two_rates where entity_kind_code = 'ORGANISATION' and side_code = 'SUPPLY'"
        " and month_start_date > '2025-11-01' group by 1 order by sum(customer_minutes) desc limit 1"
    )
    assert utility.rows(worst) == [(date(2026, 7, 1),)]
    # own generation: solar plants at accounts 6, 26 and 46, a battery beside the second
    points = (
        "select count(distinct metering_point_no) from marts.mart_metering_integrity where role_code = 'GENERATION'"
    )
    assert utility.rows(points) == [(4,)]
    # accounts come onto the list of key accounts and leave it
    crossed = (
        "select count(*) from (select account_no from marts.mart_key_account_ranking group by account_no"
        " having count(distinct is_key_account) > 1) as crossed"
    )
    assert utility.rows(crossed)[0][0] >= 1
