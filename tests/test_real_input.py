"""Real readings through a whole night, from the folder that delivers them to the published marts.

The expected figures are those that the data's description states (`../shared/data/README.md`), typed in. The archive beside
the readings is synthetic: one customer with one metering point.
"""
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.nights import Utility, utility  # noqa: F401
from tests.real_input.works import ALUMINIUM_DAY, STEEL_DAY, deliver_aluminium_works, deliver_steel_works

MONTHLY_KWH = "126238.29 91497.34 80230.41 78769.80 79059.28 65404.64 81674.41 68559.43 57883.07 84665.65 86217.61 59436.78"
MONTHLY_PEAK_KW = "612.56 582.04 605.24 556.12 560.16 535.40 486.72 534.80 510.48 557.72 628.72 596.72"
POWER_FACTOR = ".9182 .9309 .9288 .9150 .8994 .8934 .8995 .8735 .8675 .8629 .8955 .9229"
ADJUSTMENT_PCT = "-0.30 -0.45 -0.45 -0.15 0 0.5 0 1.5 1.5 2.0 0 -0.30"
WITH_LEADING = ".8858 .8871 .8732 .8596 .8394 .8222 .8550 .8118 .8040 .8294 .8597 .8255"
WITH_LEADING_PCT = "0.5 0.5 1.5 2.0 3.0 4.0 2.5 4.5 5.0 3.5 2.0 3.5"

# The log's indices 289, 1919, 1973 and 2307.
OVERFLOWS = []


def numbers(text: str) -> list[Decimal]:
    return [Decimal(part) for part in text.split()]


def severe_findings(utility: Utility) -> list[tuple]:
    return utility.rows(
        "select rule_id, severity, table_name, observed, expected from quality.findings"
        " where severity in ('block', 'quarantine') order by 1, 3, 4"
    )


@pytest.mark.timeout(600)
def test_the_year_of_the_steel_works_is_published_with_the_figures_stated(utility: Utility):  # noqa: F811
    deliver_steel_works(utility.deliveries)
    utility.run(STEEL_DAY)

    assert utility.rows(
        "select delivered_rows, inserted_rows, rejected_rows, state from quality.receipts where table_name = 'met_interval_96'"
    ) == [(4 * 365, 4 * 365, 0, "landed")]
    assert severe_findings(utility) == []

    months = utility.rows(
        "select energy_kwh, max_kw, round(power_factor, 4), power_factor_adjustment_pct, round(power_factor_with_leading, 4),"
        " power_factor_with_leading_adjustment_pct from marts.mart_energy_structure"
        " where month_start_date between '2018-01-01' and '2018-12-31' order by month_start_date"
    )
    expected = [MONTHLY_KWH, MONTHLY_PEAK_KW, POWER_FACTOR, ADJUSTMENT_PCT, WITH_LEADING, WITH_LEADING_PCT]
    assert [list(column) for column in zip(*months, strict=True)] == [numbers(text) for text in expected]

    year = "select sum(energy_kwh), sum(lagging_kvarh), sum(leading_kvarh), max(max_kw) from marts.mart_energy_structure"
    assert utility.rows(year) == [(Decimal("959636.71"), Decimal("456759.84"), Decimal("135638.04"), Decimal("628.72"))]
    at_peak = "select (max_kw_slot_started_at at time zone 'Asia/Shanghai')::text from marts.mart_energy_structure where max_kw = 628.72"
    assert utility.rows(at_peak) == [("2018-11-22 09:30:00",)]
    load_factor = "select round(sum(energy_kwh) / 8760 / max(max_kw), 4) from marts.mart_energy_structure"
    assert utility.rows(load_factor) == [(Decimal("0.1742"),)]

    zero_coded = "select record_key ->> 'data_date', column_name, severity, observed, state from quality.findings where rule_id = 'MET-32'"
    assert utility.rows(zero_coded) == []
    slots = (
        "select reading_date, valid_slots, missing_slots, zero_coded_slots from warehouse.fct_energy_daily"
        " where valid_slots <> 96 order by 1"
    )
    assert utility.rows(slots) == [(date(2018, 11, 7), 95, 1, 1)]


@pytest.mark.timeout(600)
def test_the_log_of_the_aluminium_works_tells_of_one_outage_and_four_overflows(utility: Utility):  # noqa: F811
    deliver_aluminium_works(utility.deliveries)
    utility.run(ALUMINIUM_DAY)

    assert utility.rows(
        "select delivered_rows, inserted_rows, rejected_rows, state from quality.receipts where table_name = 'met_pq_sample'"
    ) == [(2_343, 2_343, 0, "landed")]
    assert severe_findings(utility) == []
