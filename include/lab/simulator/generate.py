"""One simulated utility on one business date: all tables of the three contracts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from include.contracts import load_contracts
from include.lab.simulator import days as calendar
from include.lab.simulator.accounts import ORGS
from include.lab.simulator.applications import build_applications
from include.lab.simulator.bill_tables import build_bill_tables
from include.lab.simulator.billing import build_bills, build_payments
from include.lab.simulator.contracts import build_contracts
from include.lab.simulator.curves import build_curves
from include.lab.simulator.energy import build_energy
from include.lab.simulator.inspections import build_inspections
from include.lab.simulator.lives import within_lives
from include.lab.simulator.managers import build_managers
from include.lab.simulator.marketing_archive import FORM_ORGS, build_marketing_archive, form_day
from include.lab.simulator.metering_archive import build_metering_archive, build_supply_outages, build_supply_voltage
from include.lab.simulator.metering_events import build_alarms, build_power_events, build_samples, build_tasks
from include.lab.simulator.outages import build_outages
from include.lab.simulator.plans import build_plans
from include.lab.simulator.rebilling import rebill
from include.lab.simulator.registers import build_registers
from include.lab.simulator.service import build_service
from include.lab.simulator.simulation import Simulation
from include.lab.simulator.trade import build_trade
from include.lab.simulator.world import World, build_world

FORM_TABLES = [("marketing", "mkt_inspection"), ("marketing", "mkt_manager_visit")]


def generate(
    business_date: date, accounts: int = 200, days: int = 45, seed: int = 1, is_rich: bool = False
) -> Simulation:
    """The simulated utility at the end of `business_date`, with curves of the last `days` days, without a defect.

    A rich utility has all that the plain one has, and lives through the stories of `stories` besides.

    A pure function of its arguments: a row of a past day is the same whatever the business date, the number of days
    and the number of accounts. Raises ValueError for a date before the simulated world has a year of history.
    """
    if business_date < calendar.FIRST_BUSINESS_DATE:
        raise ValueError(
            f"the simulated utility has no {calendar.EVENT_MONTHS} months of history before "
            f"{calendar.FIRST_BUSINESS_DATE}; choose a later business date than {business_date}"
        )
    if accounts < 20 or days < 1:
        raise ValueError("the simulated utility needs at least 20 accounts and 1 day")
    today = np.datetime64(business_date, "D")
    world = build_world(seed, accounts, is_rich)
    made = _build(world, today, days)
    tables = {(source, name): made[name] for source, contract in load_contracts().items() for name in contract}
    return Simulation(
        business_date, days, tables, list(FORM_TABLES), _form_units(world), _form_days(business_date), world
    )


def _build(world: World, today: np.datetime64, days: int) -> dict[str, pa.Table]:
    months = calendar.event_months(today)
    since = months[0].astype("datetime64[D]")
    outages = build_outages(world, today + 12)
    window = np.arange(max(today - days + 1, calendar.ANCHOR + 1), today + 1)
    energy = build_energy(world, outages, window, calendar.register_months(today))
    made = {}
    made["met_interval_96"], made["met_voltage_daily"] = build_curves(world, energy, outages)
    made["met_register_freeze"] = build_registers(world, energy)
    made["met_event_alarm"] = build_alarms(world, energy, since)
    made["met_collect_task"] = build_tasks(world, energy)
    made["met_pq_sample"] = build_samples(world, energy, outages)
    made["met_power_event"] = build_power_events(world, outages, since, today)
    made["met_supply_outage"] = build_supply_outages(world, outages, since, today)
    made["met_supply_voltage"] = build_supply_voltage(world, months, today)
    made |= build_metering_archive(world, today)
    bills = build_bills(world, energy, today)
    payments = build_payments(world, bills)
    made |= build_bill_tables(world, bills, payments, today)
    made |= rebill(world, bills, payments, made, today)
    made |= build_marketing_archive(world, energy, today)
    made |= build_managers(world, today)
    made |= build_plans(world, outages, since, today)
    made |= build_applications(world, since, today)
    made |= build_service(world, outages, made, since, today)
    made |= build_inspections(world, made, since, today)
    made |= build_contracts(world, today)
    made |= build_trade(world, bills, months, today)
    return within_lives(world, made, today)


def _form_units(world: World) -> dict[str, list[str]]:
    return {f"U{ORGS[org]}MAR": [a.cons_no for a in world.accounts if a.org == org] for org in FORM_ORGS}


def _form_days(business_date: date) -> dict[str, date]:
    week = [business_date - timedelta(days=n) for n in range(7)]
    return {f"U{ORGS[org]}MAR": next(day for day in week if form_day(org, day) == day) for org in FORM_ORGS}
