"""Real readings through the models: a steel works' year and an aluminium works' night.

Expected figures are those that the data's description states; they are typed, never computed by the code under test. The
archive beside the readings is synthetic: one organisation, one customer, one point, one meter.
"""
from __future__ import annotations

import csv
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from include.server import Server
from include.transform import run_dbt

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
STEEL = DATA / "metering" / "steel_daewoo_2018_15min.csv"
ALUMINIUM = DATA / "power_quality" / "alucol_2019_30s.csv"
ZONE = "+08:00"

MONTHLY_KWH = "126238.29 91497.34 80230.41 78769.80 79059.28 65404.64 81674.41 68559.43 57883.07 84665.65 86217.61 59436.78"
MONTHLY_PEAK_KW = "612.56 582.04 605.24 556.12 560.16 535.40 486.72 534.80 510.48 557.72 628.72 596.72"
POWER_FACTOR = ".9182 .9309 .9288 .9150 .8994 .8934 .8995 .8735 .8675 .8629 .8955 .9229"
ADJUSTMENT_PCT = "-0.30 -0.45 -0.45 -0.15 0 0.5 0 1.5 1.5 2.0 0 -0.30"
WITH_LEADING = ".8858 .8871 .8732 .8596 .8394 .8222 .8550 .8118 .8040 .8294 .8597 .8255"
WITH_LEADING_PCT = "0.5 0.5 1.5 2.0 3.0 4.0 2.5 4.5 5.0 3.5 2.0 3.5"


def numbers(text: str) -> list[Decimal]:
    return [Decimal(part) for part in text.split()]


class Warehouse:
    """A warehouse of one synthetic account with one metering point, filled row by row, built by dbt."""

    def __init__(self, url: str):
        self.url = url

    def plant(self, table: str, *rows: dict, business_date: date) -> None:
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            for row in rows:
                values = {"_load_id": 1, "_business_date": business_date, "_channel": "auto",
                          "_key": uuid.uuid4(), "_hash": uuid.uuid4(), **row}  # fmt: skip
                schema, name = table.split(".")
                cursor.execute(
                    sql.SQL("insert into {} ({}) values ({})").format(
                        sql.Identifier(schema, name),
                        sql.SQL(", ").join(map(sql.Identifier, values)),
                        sql.SQL(", ").join(sql.Placeholder() * len(values)),
                    ),
                    list(values.values()),
                )

    def archive(self, business_date: date, since: date, side: str, wiring: str) -> None:
        stamp = f"{business_date} 00:00{ZONE}"
        opened = {"src_updated_at": stamp}
        self.plant("raw_marketing.mkt_org", {"org_no": "3101", "org_name": "合成供电所", "urban_rural": "URBAN", **opened},
                   business_date=business_date)  # fmt: skip
        self.plant("raw_marketing.mkt_customer", {
            "cons_no": "0000000001", "cons_name": "合成第0001号有限公司", "addr": "合成路1号", "org_no": "3101", "cons_class": "LARGE_IND",
            "voltage_level": "AC10kV", "contract_cap_kva": 1250, "running_cap_kva": 1250, "importance": "NONE",
            "urban_rural": "URBAN", "status": "NORMAL", "open_date": since, "connect_date": since, **opened},
            business_date=business_date)  # fmt: skip
        self.plant("raw_marketing.mkt_mp", {
            "mp_no": "MP-1", "valid_from": since, "cons_no": "0000000001", "mp_role": "BILLING", "split_method": "NONE",
            "metering_side": side, "voltage_level": "AC10kV", "feeder_no": "F1", **opened}, business_date=business_date)  # fmt: skip
        self.plant("raw_marketing.mkt_meter_install", {
            "mp_no": "MP-1", "meter_asset_no": "M-1", "install_date": since, "cons_no": "0000000001", "install_reading_total": 0,
            "ct_ratio": 1, "pt_ratio": 1, "multiplier": 1, **opened}, business_date=business_date)  # fmt: skip
        self.plant("raw_marketing.mkt_tariff_assign", {
            "cons_no": "0000000001", "mp_no": "MP-1", "valid_from": since, "tariff_code": "SYNTHETIC", "basic_mode": "BY_CAPACITY",
            "pf_standard": "0.90", "is_tou": True, **opened}, business_date=business_date)  # fmt: skip
        self.plant("raw_metering.met_measuring_point", {
            "mp_no": "MP-1", "cons_no": "0000000001", "meter_asset_no": "M-1", "mp_role": "BILLING", "split_method": "NONE",
            "ct_ratio": 1, "pt_ratio": 1, "multiplier": 1, "metering_side": side, "wiring": wiring, "feeder_no": "F1",
            "install_ts": f"{since} 00:00{ZONE}", **opened}, business_date=business_date)  # fmt: skip
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
                " values (1, %s, 'admit', 0, %s)",
                [business_date, since],
            )

    def build(self, *selected: str) -> None:
        run_dbt(["build", "--resource-type", "seed", "--resource-type", "model", "--select", *selected], self.url)

    def rows(self, query: str) -> list[tuple]:
        with psycopg.connect(self.url, options="-c timezone=Asia/Shanghai") as connection:
            return connection.execute(query).fetchall()


def new_warehouse(server: Server, template: str) -> Iterator[Warehouse]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    yield Warehouse(server.url(name))
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def steel_days() -> dict[tuple[str, date], list[float | None]]:
    """Curves by quantity and day. Stamps end their slot, and 24:00 is written 00:00 of the same day."""
    columns = {"E+": ("Usage_kWh", 1), "RQ1": ("Lagging_Current_Reactive.Power_kVarh", 1),
               "RQ4": ("Leading_Current_Reactive_Power_kVarh", 1), "PF": ("Lagging_Current_Power_Factor", 100)}  # fmt: skip
    curves: dict[tuple[str, date], list[float | None]] = defaultdict(lambda: [None] * 96)
    with STEEL.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            ends = datetime.strptime(row["date"], "%d-%m-%Y %H:%M")
            starts = ends + timedelta(days=ends.hour == 0 and ends.minute == 0) - timedelta(minutes=15)
            for quantity, (column, parts) in columns.items():
                value = float(Decimal(row[column]) / parts)
                curves[quantity, starts.date()][starts.hour * 4 + starts.minute // 15] = value
    return curves


def aluminium_sample(row: dict[str, str]) -> dict:
    """A sample; the recorder writes times like `3:21:43 PM.135`."""
    clock, milliseconds = row["Time"].rsplit(".", 1)
    second = datetime.strptime(f"{row['Date']} {clock}", "%Y-%m-%d %I:%M:%S %p")
    voltages = {f"u_{phase.lower()}": row[f"Vrms ph-n {phase}N Avg"] for phase in "ABC"}
    return {"mp_no": "MP-1", "sampled_at": f"{second}.{milliseconds}{ZONE}", "recv_ts": f"2019-09-02 07:00{ZONE}", **voltages}


@pytest.fixture(scope="module")
def steel_works(server: Server, template: str) -> Iterator[Warehouse]:
    if not STEEL.exists():
        pytest.skip("shared data")
    for warehouse in new_warehouse(server, template):
        last_day = date(2018, 12, 31)
        warehouse.archive(last_day, date(2018, 1, 1), "HV_HV", "3P4W")
        warehouse.plant("raw_metering.met_interval_96", *(
            {"mp_no": "MP-1", "data_date": day, "data_type": quantity, "phase": "T", "version": 1, "is_primary": True, "v": values,
             "recv_ts": f"{day + timedelta(days=1)} 07:00{ZONE}", "collect_way": "AUTO"}
            for (quantity, day), values in steel_days().items()
        ), business_date=last_day)  # fmt: skip
        warehouse.build("tag:seeds", "+mart_energy_structure", "+mart_two_rates")
        yield warehouse


@pytest.fixture(scope="module")
def steel_months(steel_works: Warehouse) -> list[tuple]:
    return steel_works.rows(
        "select energy_kwh, max_kw, round(power_factor, 4), power_factor_adjustment_pct, round(power_factor_with_leading, 4),"
        " power_factor_with_leading_adjustment_pct from candidate.mart_energy_structure"
        " where month_start_date between '2018-01-01' and '2018-12-31' order by month_start_date"
    )


@pytest.mark.parametrize(
    ("position", "expected"),
    [(0, MONTHLY_KWH), (1, MONTHLY_PEAK_KW), (2, POWER_FACTOR), (3, ADJUSTMENT_PCT), (4, WITH_LEADING), (5, WITH_LEADING_PCT)],
    ids=["kwh", "peak_kw", "power_factor", "adjustment_pct", "with_leading", "with_leading_adjustment_pct"],
)
def test_the_steel_works_months_are_those_stated(steel_months, position, expected):
    assert [row[position] for row in steel_months] == numbers(expected)


def test_the_steel_works_year_is_that_stated(steel_works):
    query = "select sum(energy_kwh), sum(lagging_kvarh), sum(leading_kvarh), max(max_kw) from candidate.mart_energy_structure"
    assert steel_works.rows(query) == [(Decimal("959636.71"), Decimal("456759.84"), Decimal("135638.04"), Decimal("628.72"))]
    peak = "select max_kw_slot_started_at::text from candidate.mart_energy_structure where max_kw = 628.72"
    assert steel_works.rows(peak) == [("2018-11-22 09:30:00+08",)]
    load_factor = "select round(sum(known_kw_sum) / 4 / 8760 / max(max_kw), 4) from warehouse.fct_demand_daily"
    assert steel_works.rows(load_factor) == [(Decimal("0.1742"),)]


def test_the_zero_coded_slot_is_missing_and_not_load(steel_works):
    assert steel_works.rows("select reading_date, slot_no from staging.int_zero_coded_slots") == [(date(2018, 11, 7), 96)]
    slots = "select sum(valid_slots), sum(missing_slots), sum(estimated_slots), min(min_kw) from candidate.mart_energy_structure"
    (valid, missing, estimated, lowest), = steel_works.rows(slots)
    assert (valid, missing, estimated) == (35_039, 1, 0)
    assert lowest > 0


def test_the_aluminium_works_has_exactly_one_outage(server, template):
    if not ALUMINIUM.exists():
        pytest.skip("shared data")
    for warehouse in new_warehouse(server, template):
        last_day = date(2019, 9, 1)
        warehouse.archive(last_day, date(2019, 8, 1), "LV_LV", "3P4W")
        with ALUMINIUM.open(newline="") as file:
            samples = [aluminium_sample(row) for row in csv.DictReader(file)]
        assert len(samples) == 2_343
        warehouse.plant("raw_metering.met_pq_sample", *samples, business_date=last_day)
        warehouse.build("tag:seeds", "+mart_two_rates")
        outages = warehouse.rows(
            "select date_trunc('second', started_at)::text, date_trunc('second', ended_at)::text, round(duration_minutes * 60)"
            " from warehouse.fct_customer_outages"
        )
        assert outages == [("2019-08-31 23:53:43+08", "2019-09-01 00:02:13+08", 510)]
        rates = warehouse.rows(
            "select month_start_date, saifi, round(saidi_min, 2) from candidate.mart_two_rates"
            " where side_code = 'CUSTOMER' and entity_kind_code = 'ACCOUNT' order by 1"
        )
        assert rates == [(date(2019, 8, 1), 1, Decimal("6.28")), (date(2019, 9, 1), 0, Decimal("2.22"))]
