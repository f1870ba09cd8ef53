"""A profile in a warehouse: what is left out is not delivered and stops nothing, and mapped files land as the mapping says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from include.contracts import all_tables
from include.landing.check import check_sources
from include.onboarding.database import propose_database, views_of
from include.onboarding.source import propose_source, write
from include.quality.base_rules import load_base_rules
from include.quality.evaluate import evaluate
from include.records.warehouse import Warehouse
from include.transform.dbt import load_seeds, run_dbt
from tests.integration.test_intervals import STEEL
from tests.landing import Utility

DAY = date(2018, 12, 31)
ARRIVALS = {rule.id: rule for rule in load_base_rules() if rule.id.startswith("ARR-")}


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAW_PROFILE", str(tmp_path / "profile"))
    (tmp_path / "profile" / "sources").mkdir(parents=True)
    return tmp_path / "profile"


def test_parameters_are_those_of_the_company_that_the_profile_names(database, profile, own_target):
    """Of the 27 clocks 23 are of SGCC, whose they are without a profile, 2 of CSG and 2 of all."""
    (profile / "profile.yaml").write_text("company: CSG")
    run_dbt(["seed", "--full-refresh", "--select", "service_clocks"], Warehouse(database))
    with psycopg.connect(database) as connection:
        loaded = "select coalesce(company_code, ''), count(*) from staging.service_clocks group by 1 order by 1"
        assert dict(connection.execute(loaded).fetchall()) == {"": 2, "CSG": 2}


def test_dbt_loads_the_thresholds_of_the_profile_and_loads_those_of_the_project_again_without_it(
    database, profile, own_target
):
    own = profile / "seeds" / "quality_parameters.csv"
    own.parent.mkdir()
    (profile / "profile.yaml").write_text("name: Steel works")
    own.write_text(
        "rule_id,name,value,unit,valid_from,valid_to,source_doc,clause,confidence\n"
        "XSR-06,tolerance_kva,7,kVA,2000-01-01,,board minute 12,all,V\n"
    )
    asked = (
        "select value, source_doc from staging.quality_parameters where (rule_id, name) = ('XSR-06', 'tolerance_kva')"
    )
    rows = "select count(*) from staging.quality_parameters"
    warehouse = Warehouse(database)
    load_seeds(warehouse)
    with psycopg.connect(database) as connection:
        assert connection.execute(asked).fetchall() == [(Decimal(7), "board minute 12")]
        both = connection.execute(rows).fetchone()
    assert load_seeds(warehouse) == []
    own.unlink()
    assert [seed.name for seed in load_seeds(warehouse)] == ["quality_parameters"]
    with psycopg.connect(database) as connection:
        assert connection.execute(asked).fetchall()[0][0] == Decimal("0.5")
        assert connection.execute(rows).fetchone() == both


@pytest.fixture
def run_id(database: str) -> int:
    with psycopg.connect(database) as connection:
        query = "insert into quality.runs (business_date) values (%s) returning run_id"
        return connection.execute(query, (DAY,)).fetchone()[0]


def test_the_arrival_of_a_left_out_table_is_not_delivered_and_of_another_is_missed(database, run_id, profile):
    (profile / "profile.yaml").write_text("left_out: {mkt_bill: the billing system comes next year}")
    with psycopg.connect(database) as connection:
        found = {
            name: evaluate(connection, ARRIVALS[f"ARR-{name}"], run_id, DAY) for name in ("mkt_bill", "mkt_payment")
        }
        reasons = dict(connection.execute("select rule_id, not_tested_reason from quality.rule_results").fetchall())
    assert (found["mkt_bill"].tested_rows, found["mkt_bill"].not_delivered) == (0, ("mkt_bill",))
    assert reasons["ARR-mkt_bill"] == "Not delivered: mkt_bill (the billing system comes next year)."
    assert (found["mkt_payment"].tested_rows, found["mkt_payment"].failed_rows) == (1, 1)


@pytest.mark.parametrize(("often", "failed"), [("daily", 1), ("monthly", 0), ("once", 0)])
def test_a_delivery_of_ten_days_ago_lasts_for_a_month_or_for_good(database, run_id, profile, often, failed):
    (profile / "profile.yaml").write_text(f"delivered: {{mkt_bill: {often}}}")
    arrival = next(rule for rule in load_base_rules() if rule.id == "ARR-mkt_bill")
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into quality.receipts (source_name, table_name, business_date, channel, state, delivered_rows, fence)"
            " values ('marketing', 'mkt_bill', '2018-12-21', 'auto', 'landed', 5, 1)"
        )
        assert evaluate(connection, arrival, run_id, DAY).failed_rows == failed


def test_a_schema_becomes_views_that_lack_what_is_doubtful(database, empty_database):
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            """
            create table invoices (invoice_no text, customer_no text, "Due date" date, state text, total_charge numeric);
            insert into invoices select '2026010' || n, '031000' || (1000 + n), date '2026-02-20', 'PAID', 12.5 * n
            from generate_series(1, 30) as n;
            create table weather (station text, celsius numeric)
            """
        )
    found = propose_database("marketing", empty_database, "public", DAY)
    assert [(p.file, p.table) for p in found.proposals] == [("invoices", "mkt_bill")]
    assert found.others == ["weather"]
    text = views_of("marketing", "public", found, DAY)
    with psycopg.connect(empty_database) as connection:
        connection.execute(text)
        columns = {c.name for c in connection.execute("select * from kaw.mkt_bill limit 0").description}
        rows = connection.execute("select count(*), sum(total_charge), min(due_on) from kaw.mkt_bill").fetchone()
    assert rows == (30, Decimal("5812.50"), date(2026, 2, 20))
    assert {"bill_no", "cons_no", "due_on", "total_charge", "status", "kwh_peak"} <= columns
    assert "read_to" not in columns  # required, and no column is it: a comment, until a person knows
    assert '-- doubtful: null::date as "read_to"' in text


@pytest.mark.skipif(not STEEL.exists(), reason="the real files are not beside the project")
def test_the_steel_works_land_by_a_proposal_of_which_two_things_are_answered(database, tmp_path, monkeypatch, profile):
    utility = Utility(database, tmp_path / "metering")
    monkeypatch.setenv("KAW_SOURCE_METERING", str(tmp_path / "metering"))
    (tmp_path / "metering").mkdir(exist_ok=True)
    (tmp_path / "metering" / STEEL.name).write_bytes(STEEL.read_bytes())
    found = propose_source("metering", tmp_path / "metering", DAY)
    path, _ = write(found, profile, tmp_path / "metering", DAY, force=False)
    assert set(found.tables["met_interval_96"].doubts) == {"intervals.metering_point_no", "intervals.is_primary"}
    checks = check_sources({"metering": str(tmp_path / "metering"), "marketing": None, "contract": None}, DAY)
    assert [(c.table, "2 settings of its mapping are doubtful" in c.problem) for c in checks] == [
        ("met_interval_96", True)
    ]
    (refused,) = utility.land(DAY)
    assert (refused.state, refused.inserted_rows) == ("refused", 0)

    text = path.read_text().replace("metering_point_no: ''", "metering_point_no: STEEL001")
    path.write_text(text.replace("confirmed: false", "confirmed: true"))
    (receipt,) = utility.land(DAY)
    assert (receipt.state, receipt.inserted_rows) == ("landed", 3 * 365)
    assert utility.query(
        "select data_type, sum(quality.slot_sum(v)) from raw_metering.met_interval_96 group by 1 order by 1"
    ) == [("E+", Decimal("959636.71")), ("RQ1", Decimal("456759.84")), ("RQ4", Decimal("135638.04"))]
    assert all_tables()["met_interval_96"].name == receipt.table_name
